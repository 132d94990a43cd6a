"""The workflows of docs/ci.md, run as they are printed from an installed wheel in an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from support.installed import install_harness
from support.runs import ROOT

BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


def blocks() -> list[dict[str, Any]]:
    """Every YAML block of the page."""
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in BLOCK.findall(text)]


def workflow() -> dict[str, Any]:
    return next(block for block in blocks() if "jobs" in block)


def config() -> dict[str, Any]:
    return next(block for block in blocks() if "models" in block and "tasks" in block)


def test_both_workflows_say_the_same_commands() -> None:
    gitlab = next(block["models"] for block in blocks() if "script" in (block.get("models") or {}))
    commands = {
        command.strip()
        for line in [*gitlab["script"], *gitlab["after_script"]]
        for command in re.findall(r"(?:pip|harness) [^;|]+", line)
    }
    steps = "\n".join(step.get("run", "") for step in workflow()["jobs"]["models"]["steps"])
    assert commands
    assert all(command in steps for command in commands), commands
    assert gitlab["artifacts"]["reports"]["junit"] == "junit/*.xml"


def test_the_examples_of_expectations_are_right(tmp_path: Path) -> None:
    """The block of thresholds, under the page's own config."""
    from harness.config import load_config
    from harness.evaluation.names import check_names

    examples = next(block["expect"] for block in blocks() if set(block) == {"expect"})
    # An average needs a second Chinese task.
    tasks = [*config()["tasks"], "zh_word_problems"]
    file = tmp_path / "ci.yaml"
    file.write_text(yaml.safe_dump(config() | {"tasks": tasks, "expect": examples}), encoding="utf-8")
    check_names(load_config(file))


@pytest.mark.slow
def test_the_steps_run_from_a_wheel(tmp_path: Path) -> None:
    """Install is a wheel built from this tree; every other step runs as printed, without a network."""
    wheel = install(tmp_path / "wheel")
    work = tmp_path / "work"
    work.mkdir()
    (work / "ci.yaml").write_text(yaml.safe_dump(config()), encoding="utf-8")
    steps = [step for step in workflow()["jobs"]["models"]["steps"] if "run" in step]
    assert steps[0]["name"] == "Install"

    for step in steps[1:]:
        done = step_run(step["run"], work, wheel)
        assert done.returncode == 0, (step["name"], done.stdout, done.stderr)
    summary = (work / "summary.md").read_text(encoding="utf-8")
    assert "| zh_arithmetic |" in summary
    assert "Expectations: 4 of 4 hold" in summary
    assert ElementTree.parse(work / "junit" / "run.xml").getroot().get("failures") == "0"
    assert (work / "results" / "ci" / "report.html").stat().st_size > 10_000

    # With a baseline, the gate step asks it: it is as good as itself.
    baseline = work / "baseline"
    shutil.copytree(work / "results" / "ci" / "samples", baseline / "samples")
    shutil.copy(work / "results" / "ci" / "results.json", baseline)
    gate = next(step for step in steps if "--fail-if-worse" in step["run"])
    assert step_run(gate["run"], work, wheel).returncode == 0
    assert (work / "junit" / "gate.xml").exists()


def install(folder: Path) -> Path:
    """The package as a wheel puts it there, and a `harness` command that knows nothing else."""
    assert install_harness(folder) == folder / "site"
    script = folder / "bin" / "harness"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m harness "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return folder


def step_run(command: str, work: Path, wheel: Path) -> subprocess.CompletedProcess[str]:
    """A step as a runner starts it: bash, and an error ends it."""
    env = {
        **os.environ,
        "PATH": f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(wheel / "site"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(work),
        "GITHUB_STEP_SUMMARY": str(work / "summary.md"),
        "HF_HUB_OFFLINE": "1",
        "HARNESS_MIRROR": "",
    }
    shell = ["bash", "-e", "-o", "pipefail", "-c", command]
    return subprocess.run(shell, cwd=work, env=env, capture_output=True, text=True, timeout=240, check=False)
