"""`harness parity` on real models: fp32 against bf16, against an endpoint that is right, nearly
right and wrong, against a mock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from support.endpoint import Behaviour, Server, load
from support.runs import harness, write_config, write_task
from support.runs import test_env as run_env

from harness.engines.transformers.compute import has_hardware

pytestmark = pytest.mark.slow
TASKS: list[Any] = [
    {"task": "zh_arithmetic", "limit": 40},
    {"task": "en_word_problems", "limit": 10},
    {"task": "en_passages", "limit": 5},
]


def parity(folder: Path, *args: Any) -> tuple[int, dict[str, Any], str]:
    done = harness("parity", *args, "--json", cwd=folder)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else {}, done.stderr


def test_fp32_against_bf16(tmp_path: Path) -> None:
    """On a CPU without bf16 products the rounded weights are computed in fp32, so even equal
    figures are right. With them the tiny models, whose every number is rounded to eight bits, may
    differ by more than the tolerance: then the verdict says so.
    """
    exact = not has_hardware(torch.bfloat16)
    config = write_config(tmp_path, TASKS, ["tiny-llama", {"preset": "tiny-qwen", "dtype": "float32"}])

    code, report, err = parity(tmp_path, config, "--against", "dtype=bfloat16")
    assert code == (3 if report.get("verdict") == "no" else 0), err
    assert report["verdict"] in ("yes", "within noise") or not exact
    assert (report["first"], report["second"]) == (
        "transformers float32 on cpu",
        "transformers bfloat16 on cpu",
    )
    assert len(report["cells"]) == 6
    assert {cell["tolerance"] for cell in report["cells"]} == {0.05}
    scored = [cell["logprobs"] for cell in report["cells"] if cell["logprobs"]]
    assert sorted(spread["n"] for spread in scored)[:2] == [5, 5]
    assert all(0 <= spread["mean"] <= spread["max"] <= (0.05 if exact else 0.25) for spread in scored)

    # Two folders that are there already are compared without an engine.
    folders = [tmp_path / "results/parity/test" / name for name in ("as-configured", "dtype_bfloat16")]
    shown = harness("parity", *folders, cwd=tmp_path)
    assert shown.returncode == code
    assert f"Can this backend be trusted? {report['verdict']}" in shown.stdout
    program = (
        f"import sys\nfrom harness.cli.main import main\nsys.argv = ['harness', 'parity', {str(folders[0])!r}, {str(folders[1])!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    print('heavy:', sorted({'torch', 'transformers', 'lm_eval', 'vllm'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=run_env(), check=True
    )
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_an_endpoint_that_is_right_nearly_right_and_wrong(tmp_path: Path) -> None:
    engine = load()
    config = write_config(tmp_path, [TASKS[0], TASKS[2]], ["tiny-qwen"])
    for wrong, code, verdicts in ((0.0, 0, {"yes"}), (0.015, 0, {"yes", "within noise"}), (1.0, 3, {"no"})):
        with Server(engine, "bundled/tiny-qwen", Behaviour(wrong=wrong, max_model_len=4096)) as server:
            changes = ["engine=openai", f"base_url={server.url}", "tokenizer=bundled/tiny-qwen"]
            against = [part for change in changes for part in ("--against", change)]
            status, report, err = parity(tmp_path, config, *against, "--out", "out")

        assert status == code, err
        assert report["verdict"] in verdicts
        largest = max(cell["logprobs"]["max"] for cell in report["cells"])
        assert (largest < 1e-3) if wrong == 0 else (largest > wrong / 2)
        assert report["second"] == "openai on endpoint"


def test_a_wrong_engine_is_not_to_be_trusted(tmp_path: Path) -> None:
    config = write_config(tmp_path, TASKS, ["tiny-qwen"])
    code, report, err = parity(tmp_path, config, "--against", "engine=mock", "--limit", "8")
    assert code == 3, err
    assert len(report["cells"]) == 3
    assert {cell["verdict"] for cell in report["cells"]} == {"no"}
    first = report["cells"][0]
    assert first["argmax_flips"] > 0
    assert len(first["differing"]) > 0

    again = harness(
        "parity", config, "--against", "engine=mock", "--limit", "8", "--items", "2", cwd=tmp_path
    )
    assert again.returncode == 3
    assert "trusted? no" in again.stdout
    assert "item " in again.stdout
    assert "loaded in" not in again.stderr, "what was answered is not asked again"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "name a config and what to set it --against"),
        (["--against", "bfloat16"], "expected KEY=VALUE"),
        (["--against", "dtyp=bfloat16"], "did you mean 'dtype'"),
        (["--against", "engine=mock"], "says that already"),
        (["results/other"], "is a config, not a run"),
    ],
)
def test_mistakes_are_lines(tmp_path: Path, args: list[str], words: str) -> None:
    config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "picks", 3))}])
    done = harness("parity", config, *args, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_without_its_journal_is_said(tmp_path: Path) -> None:
    config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "picks", 3))}])
    assert harness("run", config, "--out", "one", cwd=tmp_path).returncode == 0
    (tmp_path / "one/journal.sqlite").unlink()
    done = harness("parity", "one", "one", cwd=tmp_path)
    assert done.returncode == 1
    assert "holds no journal" in done.stderr
