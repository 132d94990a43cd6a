"""A format of another package, really installed: one file and one entry point, and every command
that shows tables has it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support.installed import install
from support.runs import HARNESS, ROOT

OUTSIDE = Path(__file__).parent / "outside"
SMOKE = ROOT / "results" / "recorded" / "smoke"
SPEED = {"input": [8], "output": [4], "concurrency": [1], "repeats": 5, "max_repeats": 5, "drift": 0.99}
SPEED |= {"repeat_seconds": 0.01, "calibration_seconds": 0.01, "energy_seconds": 0, "half_width": 0.9}
Harness = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as pip installs it, without a network."""
    return install(OUTSIDE, tmp_path_factory.mktemp("outside"))


@pytest.fixture
def harness(site: Path, tmp_path: Path) -> Harness:
    """The command line with the package installed."""
    (tmp_path / "votes.csv").write_text("model_a,model_b,wins_a,wins_b,ties\na,b|c,6,4,1\n", encoding="utf-8")
    config = {
        "name": "quick",
        "device": "cpu",
        "models": [{"id": "mock/one", "engine": "mock", "engine_args": {"delay": 0.002}}],
        "speed": SPEED,
    }
    (tmp_path / "bench.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, site)))}
        command = [*HARNESS, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False)

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "heading", "cell"),
    [
        (
            ["report", str(SMOKE)],
            "|task |metric |n |chance |tiny-qwen",
            "|zh_arithmetic |acc |160 |0.250 |0.469 ±",
        ),
        (["compare", str(SMOKE)], "|rank |model |tie |score", "|tiny-deepseek-distill |a |0.782"),
        (["arena", "votes.csv"], "|rank |model |rating", "|b{vbar}c |"),
        (["bench", "bench.yaml", "--quiet"], "|model |shape |output tok/s", "|one |8>4 x1 |"),
        (["results", str(SMOKE.parent)], "|run |date |models", "|smoke |"),
        (["models", "--max-params", "1B"], "|name |from |params", "|qwen2.5-0.5b |"),
    ],
)
def test_every_command_writes_it(harness: Harness, command: list[str], heading: str, cell: str) -> None:
    done = harness(*command, "--format", "asciidoc")
    assert done.returncode == 0, done.stderr
    assert heading in done.stdout
    assert cell in done.stdout
    assert done.stdout.count("|===") % 2 == 0


@pytest.mark.slow
def test_a_file_s_ending_means_it_and_its_name_is_told(harness: Harness, tmp_path: Path) -> None:
    done = harness("report", str(SMOKE), "-o", "table.adoc", "--language", "zh")
    assert done.returncode == 0, done.stderr
    assert "|任务 |指标" in (tmp_path / "table.adoc").read_text(encoding="utf-8")
    wrong = harness("report", str(SMOKE), "-f", "asciidocs")
    assert wrong.returncode == 2
    assert wrong.stderr.strip().endswith("terminal, asciidoc")
