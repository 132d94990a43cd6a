"""The script that compares two commits: its ratio, and what it calls different answers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from harness.items import Generation, Score

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "compare_commits.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("compare_commits", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_constant_factor_is_found_beneath_a_load_that_both_share(script: ModuleType) -> None:
    load = [1.0, 3.0, 2.0, 5.0, 1.5, 4.0]
    figures = script.ratio(load, [1.1 * seconds for seconds in load])
    assert figures["ratio"] == pytest.approx(1.1)
    assert (figures["low"], figures["high"]) == (pytest.approx(1.1), pytest.approx(1.1))


def test_noise_widens_the_interval_around_one(script: ModuleType) -> None:
    figures = script.ratio([1.0, 1.2, 0.9, 1.1, 1.0], [1.1, 0.9, 1.2, 1.0, 1.0])
    assert figures["low"] < 1 < figures["high"]


def test_the_last_bit_of_a_log_probability_counts(script: ModuleType) -> None:
    one = Score("k", (-1.0, -2.0), (True, False), (1, 1))
    other = Score("k", (-1.0, -2.0000000000000004), (True, False), (1, 1))
    assert script._facts(one) == script._facts(one)
    assert script._facts(one) != script._facts(other)
    assert script._facts(Generation("k", "text", "eos")) == ["k", "text"]
