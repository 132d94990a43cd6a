"""Three users' first hour, walked as `scripts/walk_first_hour.py` does, from an installed package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from first_hour import analyst, engineer, student
from first_hour.steps import Step, plain, walk, width
from support.endpoint import Behaviour, Server, load
from support.installed import install_harness


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder to import the installed package from."""
    return install_harness(tmp_path_factory.mktemp("package"))


def complaints(steps: list[Step], folder: Path, package: Path) -> dict[str, list[str]]:
    """What each step lacked, with its screen for whoever reads the failure."""
    environment = {**os.environ, "PYTHONPATH": str(package), "HARNESS_CACHE": str(folder / "cache")}
    environment.pop("HARNESS_MIRROR", None)
    outcomes = walk(steps, [sys.executable, "-m", "harness"], folder, environment)
    return {outcome.name: [*outcome.missing, outcome.screen] for outcome in outcomes if outcome.missing}


@pytest.mark.slow
def test_a_student(tmp_path: Path, package: Path) -> None:
    assert complaints(student.steps(["tiny-qwen", "tiny-llama"], tmp_path), tmp_path, package) == {}


@pytest.mark.slow
def test_an_engineer(tmp_path: Path, package: Path) -> None:
    with Server(load("tiny-deepseek-distill"), "served", Behaviour(streams=True)) as server:
        assert complaints(engineer.steps("served", server.url, tmp_path, limit=6), tmp_path, package) == {}


@pytest.mark.slow
def test_an_analyst(tmp_path: Path, package: Path) -> None:
    assert complaints(analyst.steps(tmp_path, limit=20), tmp_path, package) == {}


def test_a_screen_is_what_stays_of_progress() -> None:
    assert plain("a\r\n\x1b[2Kone\r\x1b[1A\x1b[2Kb\r\n\x1b[32mtwo\x1b[0m\r\n") == "b\ntwo\n"
    assert plain("10 %\r20 %\r\n") == "20 %\n"
    assert width("第a章") == 5
