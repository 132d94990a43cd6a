"""The main job as a person runs it, and what its table must say: models above chance in both
languages, and real differences.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.runs import ROOT, harness, read_samples, results

MODELS = ("tiny-qwen", "tiny-llama", "tiny-deepseek-distill")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("smoke")
    done = harness("run", ROOT / "configs" / "smoke.yaml", "--out", folder / "run", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [model["model"] for model in results(folder / "run")["models"]] == list(MODELS)
    assert "zh_word_problems" in done.stdout
    return folder / "run"


@pytest.mark.slow
def test_models_are_above_chance_in_both_languages(smoke: Path) -> None:
    good: dict[str, dict[str, set[str]]] = {model: {"zh": set(), "en": set()} for model in MODELS}
    for row in results(smoke)["rows"]:
        chance = row["chance"] if row["chance"] is not None else 0.0
        if (
            row["higher_is_better"]
            and row["ci95"]
            and row["metric"] in ("acc", "exact_match")
            and row["ci95"][0] > chance
        ):
            good[row["model"]][row["language"]].add(row["task"])

    enough = [model for model in MODELS if len(good[model]["zh"]) >= 2 and len(good[model]["en"]) >= 2]
    assert len(enough) >= 2, good


@pytest.mark.slow
def test_models_differ_significantly(smoke: Path) -> None:
    """Exact McNemar test on the same items, by scipy, Holm-corrected over all pairs and tasks."""
    from scipy.stats import binomtest

    samples = read_samples(smoke)
    values = []
    for one, other in ((MODELS[0], MODELS[1]), (MODELS[0], MODELS[2]), (MODELS[1], MODELS[2])):
        for task in (
            "zh_arithmetic",
            "en_arithmetic",
            "zh_reading",
            "en_reading",
            "zh_letters",
            "en_letters",
        ):
            pairs = list(
                zip(scores(samples[f"{one}/{task}"]), scores(samples[f"{other}/{task}"]), strict=True)
            )
            # Items that both answer alike say nothing of a difference.
            only_one, only_other = sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)
            values.append(binomtest(only_one, only_one + only_other).pvalue if only_one + only_other else 1.0)
    assert min(values) * len(values) < 0.05


def scores(rows: list[dict[str, Any]]) -> list[float]:
    return [row["score"] for row in rows]


@pytest.mark.slow
def test_the_distill_ends_its_thoughts(smoke: Path) -> None:
    rows = read_samples(smoke)["tiny-deepseek-distill/zh_word_problems"]
    closed = [row for row in rows if "</think>" in row["responses"][0]]
    assert len(closed) > 0.8 * len(rows)
    assert not any("think" in row["answer"] for row in rows)
