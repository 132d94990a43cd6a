"""Published figures: each with its source, matched by model and task, and whether the setting is
the same.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.analysis.comparison import compare
from harness.analysis.published import PublishedFigure, claims, matches, read_claims

GOOD = """
- source: https://example.org/report
  date: 2024-09-19
  figures:
    - {model: org/a, task: zh_x, percent: 61.5, fewshot: 0, setting: zero-shot}
"""


def coins(n: int) -> list[float]:
    source = random.Random(0)
    return [float(source.random() < 0.6) for _ in range(n)]


def test_every_packaged_figure_has_a_source_a_date_and_a_setting() -> None:
    known = claims()
    assert len(known) > 80
    for claim in known:
        assert claim.source.startswith("https://")
        assert 2023 <= claim.date.year <= 2026
        assert 0 < claim.value < 1
    families = (
        "Qwen/Qwen2.5",
        "Qwen/Qwen3",
        "meta-llama/Llama-3.1",
        "meta-llama/Llama-3.2",
        "DeepSeek-R1-Distill",
        "01-ai/Yi-1.5",
        "gpt-oss",
    )
    for family in families:
        assert any(family in claim.model for claim in known), family
    assert len({(claim.model, claim.task, claim.setting) for claim in known}) == len(known)


def test_every_packaged_figure_names_a_task_and_a_model_that_exist() -> None:
    from harness.config.presets import presets
    from harness.tasks import Catalogue

    ids = {preset.id.lower() for preset in presets().values()}
    names = {entry.name for entry in Catalogue().names()}
    assert {claim.task for claim in claims()} <= names
    unknown = {claim.model for claim in claims() if claim.model.lower() not in ids}
    assert len(unknown) <= 3, unknown


@pytest.mark.parametrize(
    "line", ["source: https://example.org/report", "date: 2024-09-19", "setting: zero-shot"]
)
def test_a_figure_without_source_date_or_setting_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "figures.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert len(read_claims(path)) == 1
    key = line.partition(":")[0]
    text = (
        GOOD.replace(f", {line}", "")
        if key == "setting"
        else GOOD.replace(line, f"{key}:" if key == "source" else "note: 1", 1)
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValidationError):
        read_claims(path)


def claim(**more: Any) -> PublishedFigure:
    kept = {
        "model": "org/a",
        "task": "zh_x",
        "value": 0.5,
        "setting": "zero-shot",
        "fewshot": 0,
        "source": "https://x.org",
        "date": "2024-01-01",
    }
    return PublishedFigure.model_validate(kept | more)


def test_measured_minus_published(make: Any) -> None:
    comparison = compare([make("run", {("a", "zh_x"): coins(50), ("b", "zh_x"): coins(50)})])
    (match,) = matches(comparison, (claim(how="lm-eval"), claim(task="zh_other"), claim(model="org/other")))
    assert (match.place, match.same, match.differs) == (0, True, "")
    assert match.delta == pytest.approx(sum(coins(50)) / 50 - 0.5)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "their own evaluation"),
        ({"fewshot": 5, "how": "lm-eval"}, "examples 0 here, 5 there"),
        ({"fewshot": None, "how": "lm-eval"}, "examples 0 here, not said there"),
    ],
)
def test_another_setting_is_told(make: Any, more: dict[str, Any], said: str) -> None:
    (match,) = matches(compare([make("run", {("a", "zh_x"): coins(50)})]), (claim(**more),))
    assert not match.same
    assert match.differs == said


def test_a_limited_run_is_not_the_same(make: Any) -> None:
    run = make("run", {("a", "zh_x"): coins(50)}, manifest={"config": {"limit": 50}})
    (match,) = matches(compare([run]), (claim(how="lm-eval"),))
    assert match.differs == "not all items here"
