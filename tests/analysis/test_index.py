"""The composite index: published check figures, its interval, and refusal where a part is
missing.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analysis.comparison import compare
from harness.analysis.index import PACKAGED, ends, floored, indices, load_weights
from harness.analysis.strata import Stratum
from harness.errors import ConfigError


def coins(seed: int, n: int, p: float) -> list[float]:
    source = random.Random(seed)
    return [float(source.random() < p) for _ in range(n)]


def test_the_leaderboards_own_examples() -> None:
    """Open LLM Leaderboard 2: GPQA .6 with chance 1/4; MuSR's three subtasks and their mean."""
    assert floored(0.6, 0.25) == pytest.approx(46.67, abs=0.01)
    parts = [floored(value, chance) for value, chance in ((0.7, 0.5), (0.4, 0.2), (0.6, 1 / 3))]
    assert parts == pytest.approx([40, 25, 40])
    assert sum(parts) / 3 == pytest.approx(35)
    assert floored(0.1, 0.25) == 0
    with pytest.raises(ValueError, match=r"\[0, 1\), got 1"):
        floored(0.5, 1)


WEIGHTS = """
name: mine
version: 3
languages:
  zh:
    knowledge: {weight: 3, tasks: [zh_a, zh_b]}
    maths: {weight: 1, tasks: [zh_c]}
"""


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(WEIGHTS, encoding="utf-8")
    return path


def test_the_index_is_the_weighted_mean_of_its_parts(make: Any, weights: Path) -> None:
    scores = {
        ("a", "zh_a"): coins(1, 200, 0.8),
        ("a", "zh_b"): coins(2, 200, 0.6),
        ("a", "zh_c"): coins(3, 100, 0.3),
    }
    found = compare([make("run", scores, {("a", "zh_c"): {"chance": None}})])
    (index,) = indices(found, load_weights(str(weights)))[0]
    one, other, third = (float(np.mean(values)) for values in scores.values())
    knowledge = (floored(one, 0.25) + floored(other, 0.25)) / 2
    assert index.parts == pytest.approx({"knowledge": knowledge, "maths": 100 * third})
    assert index.value == pytest.approx((3 * knowledge + 100 * third) / 4)
    assert index.from_zero == ("zh_c",)
    assert index.ci95 is not None
    assert index.ci95[0] < index.value < index.ci95[1]  # type: ignore[operator]


def test_a_missing_part_leaves_no_index_and_is_named(make: Any, weights: Path) -> None:
    scores = {(m, task): coins(5, 40, 0.5) for m in "ab" for task in ("zh_a", "zh_b", "zh_c")}
    del scores["b", "zh_b"]
    found = indices(compare([make("run", scores)]), load_weights(str(weights)))
    assert found[0][0].value is not None
    assert (found[1][0].value, found[1][0].ci95, found[1][0].missing) == (None, None, ("knowledge (zh_b)",))


def test_the_interval_is_as_wide_as_the_items_make_it(make: Any, weights: Path) -> None:
    """For tasks far from the floor the bootstrap agrees with the delta method to a few per cent."""
    scores = {
        ("a", "zh_a"): coins(1, 300, 0.7),
        ("a", "zh_b"): coins(2, 300, 0.7),
        ("a", "zh_c"): coins(3, 300, 0.7),
    }
    (index,) = indices(compare([make("run", scores)]), load_weights(str(weights)))[0]
    variances = [np.var(values) / 300 * (100 / 0.75) ** 2 for values in scores.values()]
    error = np.sqrt((3 / 4) ** 2 * (variances[0] + variances[1]) / 4 + (1 / 4) ** 2 * variances[2])
    assert index.ci95 is not None
    assert index.ci95[1] - index.ci95[0] == pytest.approx(2 * 1.96 * error, rel=0.08)


@pytest.mark.parametrize("p", [0.25, 0.98])
def test_a_guessing_and_a_nearly_perfect_model_are_covered(p: float) -> None:
    """Six tasks of 100 items: the bootstrap held a guessing model's true index of 0 in 20 % of
    draws (scripts/coverage.py).
    """
    rng, hits, rounds = np.random.default_rng(14), 0, 400
    truth = floored(p, 0.25)
    for _ in range(rounds):
        values = rng.binomial(100, p, 6) / 100
        strata = {
            str(place): (100 / 0.75 / 6, Stratum(value, 100.0)) for place, value in enumerate(values.tolist())
        }
        value = float(np.mean([floored(one, 0.25) for one in values.tolist()]))
        low, high = ends(value, 100 * float((values.mean() - 0.25) / 0.75), strata)
        assert low <= value <= high
        hits += low <= truth <= high
    assert hits / rounds >= 0.93


def test_a_guessing_models_interval_reaches_zero(make: Any, weights: Path) -> None:
    """What is cut off at 0 raises the index, not what is sure of it."""
    scores = {
        ("a", task): [1.0] * right + [0.0] * (40 - right)
        for task, right in (("zh_a", 13), ("zh_b", 7), ("zh_c", 9))
    }
    (index,) = indices(compare([make("run", scores)]), load_weights(str(weights)))[0]
    assert index.value == pytest.approx(3 / 4 * (floored(13 / 40, 0.25) + 0) / 2)
    assert index.ci95 is not None
    assert index.ci95[0] == 0.0
    assert index.ci95[1] > index.value  # type: ignore[operator]


def test_all_right_is_no_certain_hundred(make: Any, weights: Path) -> None:
    scores = {("a", task): [1.0] * 20 for task in ("zh_a", "zh_b", "zh_c")}
    (index,) = indices(compare([make("run", scores)]), load_weights(str(weights)))[0]
    assert index.value == pytest.approx(100)
    assert index.ci95 is not None
    assert index.ci95[0] < 97
    assert index.ci95[1] == 100


def test_a_task_that_is_no_share_is_missing(make: Any, weights: Path) -> None:
    scores = {("a", task): coins(5, 40, 0.5) for task in ("zh_a", "zh_b")} | {("a", "zh_c"): [3.0, 7.0, 5.0]}
    (index,) = indices(compare([make("run", scores)]), load_weights(str(weights)))[0]
    assert (index.value, index.missing) == (None, ("maths (zh_c)",))


def test_packaged_weights_are_versioned_and_keep_languages_apart() -> None:
    for path in PACKAGED.glob("*.yaml"):
        found = load_weights(path.stem)
        assert (found.name, found.version >= 1) == (path.stem, True)
        assert set(found.languages) == (
            {"en"} if path.stem == "open-llm-v2" else {"zh", "en"}
        )  # that leaderboard is English
        tasks = [
            {task for part in parts.values() for task in part.tasks} for parts in found.languages.values()
        ]
        assert len(set.union(*tasks)) == sum(map(len, tasks))


def test_wrong_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="expected one of bilingual, generated, open-llm-v2, smoke, or a YAML file"
    ):
        load_weights("nothing")
    for text, message in (
        ("name: [", "not YAML"),
        (WEIGHTS.replace("weight: 3", "weight: -3"), "greater than 0"),
        (WEIGHTS + "more: 1\n", "more: Extra inputs"),
    ):
        (tmp_path / "wrong.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=message) as error:
            load_weights(str(tmp_path / "wrong.yaml"))
        assert "\n" not in str(error.value)
