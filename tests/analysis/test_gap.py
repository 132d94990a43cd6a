"""Chinese against English on the same items."""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest
import yaml

from harness.analysis.comparison import compare
from harness.analysis.gap import PARALLEL, gaps, overall


def coins(seed: int, n: int, p: float) -> list[float]:
    source = random.Random(seed)
    return [float(source.random() < p) for _ in range(n)]


def test_items_are_matched_by_their_key_not_their_place(make: Any) -> None:
    """The English file holds the same items the other way round, and one that the Chinese lacks."""
    zh, items = coins(1, 60, 0.5), [f"item-{place}" for place in range(60)]
    en = [1.0 - score if place < 10 else score for place, score in enumerate(zh)]
    scores = {("a", "xquad_zh"): zh, ("a", "xquad_en"): [0.0, *reversed(en)]}
    options = {
        ("a", "xquad_zh"): {"items": items},
        ("a", "xquad_en"): {"items": ["only here", *reversed(items)]},
    }
    (gap,) = gaps(compare([make("run", scores, options)]).contests)
    pair = gap.differences[0]
    assert (gap.zh_task, gap.en_task, pair.n) == ("xquad_zh", "xquad_en", 60)
    assert pair.only_a + pair.only_b == 10  # type: ignore[operator]
    assert pair.value == pytest.approx(np.mean(zh) - np.mean(en))
    assert (gap.zh[0], gap.en[0]) == pytest.approx((np.mean(zh), np.mean(en)))


def test_sources_in_either_language_cluster_the_difference(make: Any) -> None:
    zh = [score for score in coins(1, 20, 0.6) for _ in range(3)]
    en = [score for score in coins(2, 20, 0.6) for _ in range(3)]
    labels = [str(place // 3) for place in range(60)]
    scores = {("a", "xquad_zh"): zh, ("a", "xquad_en"): en}
    alone = gaps(compare([make("alone", scores)]).contests)[0].differences[0]
    for task in ("xquad_zh", "xquad_en"):
        one = gaps(compare([make(task, scores, {("a", task): {"clusters": labels}})]).contests)[
            0
        ].differences[0]
        assert one.clusters == 20
        assert one.stderr == pytest.approx((alone.stderr or 0) * 3**0.5, rel=0.03)


def test_a_glob_pairs_every_subject(make: Any) -> None:
    names = ("stem", "medical")
    scores = {
        ("a", f"global_mmlu_{language}_{name}"): coins(len(language + name), 30, 0.5)
        for language in ("zh", "en")
        for name in names
    }
    found = gaps(compare([make("run", scores)]).contests)
    assert {(gap.zh_task, gap.en_task) for gap in found} == {
        (f"global_mmlu_zh_{name}", f"global_mmlu_en_{name}") for name in names
    }
    whole = overall(found, 0)
    assert whole is not None
    assert whole.value == pytest.approx(sum(gap.differences[0].value for gap in found) / 2)
    assert overall(found[:1], 0) is None


def test_one_language_alone_has_no_gap(make: Any) -> None:
    assert gaps(compare([make("run", {("a", "xquad_zh"): coins(1, 20, 0.5)})]).contests) == []


def test_the_parallel_suite_is_in_the_table() -> None:
    """Every pair of the suite but the perplexities, and every entry says how its items came to be
    the same.
    """
    table = yaml.safe_load(PARALLEL.read_text(encoding="utf-8"))
    assert all(set(entry) == {"zh", "en", "how"} for entry in table)
    suite = yaml.safe_load((PARALLEL.parent / "suites" / "parallel.yaml").read_text(encoding="utf-8"))
    tasks = [entry["task"] for entry in suite["tasks"] if not entry["task"].startswith("passages_")]
    patterns = [entry[side] for entry in table for side in ("zh", "en")]
    for task in tasks:
        assert any(fnmatchcase(task, pattern) or pattern.startswith(task) for pattern in patterns), task
