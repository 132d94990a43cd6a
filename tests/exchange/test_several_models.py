"""A folder of lm-eval with several models and several dated results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import ConfigError
from harness.exchange.imported import import_all, import_lm_eval
from harness.results.query import read_results


def write(folder: Path, model: str, day: int, **scores: float) -> Path:
    """lm-eval's results in its own layout: a folder per model, a file per evaluation."""
    data = {
        "results": {task: {"alias": task, "acc,none": value} for task, value in scores.items()},
        "configs": {task: {"output_type": "multiple_choice"} for task in scores},
        "n-samples": {task: {"original": 50, "effective": 50} for task in scores},
        "model_name": model,
        "config": {"model_args": f"pretrained={model}"},
    }
    path = folder / model.replace("/", "__") / f"results_2025-07-{day:02}T00-00-00.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_every_model_is_kept_with_its_newest_results(tmp_path: Path) -> None:
    write(tmp_path, "org/one", 1, zh=0.1, en=0.2)
    write(tmp_path, "org/one", 2, zh=0.3, en=0.4)
    write(tmp_path, "org/two", 1, zh=0.5)
    done = import_all(tmp_path, out=tmp_path / "runs")
    assert [one.folder.name for one in done] == ["one-lm-eval", "two-lm-eval"]
    values = [{(row.model, row.task): row.value for row in read_results(one.folder).rows} for one in done]
    assert values == [{("one", "zh"): 0.3, ("one", "en"): 0.4}, {("two", "zh"): 0.5}]
    assert "results_2025-07-02T00-00-00.json is taken, the newest of 2" in done[0].notes[0]
    assert not any("newest" in note for note in done[1].notes)


def test_older_results_of_other_tasks_are_kept(tmp_path: Path) -> None:
    write(tmp_path, "org/one", 1, zh=0.1, en=0.2)
    write(tmp_path, "org/one", 2, zh=0.3)
    write(tmp_path, "org/one", 3, zh=0.4)
    done = import_all(tmp_path, out=tmp_path / "runs")
    assert [(one.folder.name, sorted(row.value or 0 for row in one.results.rows)) for one in done] == [
        ("one-lm-eval", [0.4]),
        ("one-lm-eval-2", [0.1, 0.2]),
    ]
    every = import_all(tmp_path, out=tmp_path / "all", every=True)
    assert len(every) == 3


def test_two_models_in_one_folder_are_two(tmp_path: Path) -> None:
    first = write(tmp_path, "org/one", 1, zh=0.1)
    second = write(tmp_path, "org/two", 2, zh=0.2)
    second.rename(first.parent / second.name)
    done = import_all(tmp_path, out=tmp_path / "runs")
    assert [one.results.models[0].model for one in done] == ["one", "two"]


def test_one_name_cannot_be_given_to_several(tmp_path: Path) -> None:
    write(tmp_path, "org/one", 1, zh=0.1)
    write(tmp_path, "org/two", 1, zh=0.1)
    with pytest.raises(ConfigError, match="holds 2 evaluations; name one file"):
        import_all(tmp_path, model="x", out=tmp_path / "runs")
    with pytest.raises(ConfigError, match=r"holds 2 evaluations .*; name one of them"):
        import_lm_eval(tmp_path, out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_half_an_import_is_none(tmp_path: Path) -> None:
    write(tmp_path, "org/one", 1, zh=0.1)
    write(tmp_path, "org/two", 1, zh=0.1).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="not JSON"):
        import_all(tmp_path, out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_the_command_names_every_folder(tmp_path: Path) -> None:
    write(tmp_path, "org/one", 1, zh=0.1)
    write(tmp_path, "org/two", 1, zh=0.1)
    done = CliRunner().invoke(app, ["import", str(tmp_path), "--out", str(tmp_path / "runs")])
    assert done.exit_code == 0, done.output
    runs = tmp_path / "runs"
    assert f"together: `harness report {runs / 'one-lm-eval'} {runs / 'two-lm-eval'}" in done.stdout
