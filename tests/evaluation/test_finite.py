"""A run whose model computes numbers that are none: the cell fails with where and how many, and its
good answers are kept.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from support.runs import harness, results, write_config, write_task

from harness.engines.files import PACKAGED
from harness.results.journal import Journal


def _mock(trace: Path, **options: Any) -> dict[str, Any]:
    return {"id": "mock/one", "engine": "mock", "engine_args": {"trace": str(trace), **options}}


@pytest.mark.parametrize("kind", ["choice", "text"])
def test_the_cell_fails_and_keeps_its_good_answers(kind: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    task = {"file": str(write_task(tmp_path, "some", 10, kind))}
    config = write_config(tmp_path, [task], [_mock(trace, not_finite=4)])
    done = harness("run", config, cwd=tmp_path)
    assert done.returncode != 0
    folder = tmp_path / "results" / "test"
    (row, *_) = results(folder)["rows"]
    assert row["status"] == "failed"
    assert row["reason"].startswith("2 of 10 answers are not finite numbers, the first: item ")
    assert "nan" in row["reason"]
    journal = Journal(folder / "journal.sqlite")
    ((_, cell),) = journal.cells().items()
    assert len(journal.answers(cell.cell_id)) == 8
    assert all(
        math.isfinite(value)
        for answer in journal.answers(cell.cell_id).values()
        for value in getattr(answer, "logprobs", ())
    )
    journal.close()

    write_config(tmp_path, [task], [_mock(trace)])
    assert harness("run", config, cwd=tmp_path).returncode == 0
    (row, *_) = results(folder)["rows"]
    assert (row["status"], row["n"]) == ("ok", 10)
    assert len(trace.read_text(encoding="utf-8").split()) == 12  # only the two bad ones again


def test_one_nan_in_one_matrix(tmp_path: Path) -> None:
    model = tmp_path / "spoilt"
    shutil.copytree(PACKAGED / "tiny-qwen", model)
    weights = load_file(model / "model.safetensors")
    weights["model.layers.1.mlp.down_proj.weight"][3, 5] = math.nan
    (model / "model.safetensors").chmod(0o644)
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})

    # One number of one matrix: every answer passes through it.
    tasks = [
        {"file": str(write_task(tmp_path, "picks", 6))},
        {"file": str(write_task(tmp_path, "texts", 2, "text"))},
    ]
    config = write_config(tmp_path, tasks, [{"id": str(model), "dtype": "float32"}])
    assert harness("run", config, cwd=tmp_path).returncode != 0

    folder = tmp_path / "results" / "test"
    reasons = {row["task"]: (row["status"], row["value"], row["reason"]) for row in results(folder)["rows"]}
    for task, count in (("picks", 6), ("texts", 2)):
        status, value, reason = reasons[task]
        assert (status, value) == ("failed", None)
        assert f"{count} of {count} answers are not finite numbers" in reason
        assert (
            "1 numbers of the checkpoint are not finite, in 1 of its tensors, e.g. model.layers.1.mlp.down_proj.weight"
            in reason
        )
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert "weights_not_finite" in json.dumps(manifest["sanity"])


def test_options_without_a_token_are_said_in_samples_and_results(tmp_path: Path) -> None:
    from support.runs import read_samples

    path = tmp_path / "gaps.jsonl"
    rows = [{"question": f"q{n}", "choices": ["yes", "no" if n else "no "], "answer": 0} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = write_config(tmp_path, [{"file": str(path)}], [_mock(tmp_path / "trace")])
    assert harness("run", config, cwd=tmp_path).returncode == 0
    (samples,) = read_samples(tmp_path / "results" / "test").values()
    assert all(sample["rules"] == [] for sample in samples)
