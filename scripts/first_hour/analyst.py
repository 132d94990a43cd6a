"""An analyst: what others published, the articles' claims, votes, and two runs of an own."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from first_hour.steps import Step, holds

STRENGTH = {"qwen": 0.9, "deepseek": 0.6, "llama": 0.2, "gemma": -0.4}


def steps(folder: Path, limit: int = 40) -> list[Step]:
    """The steps; writes votes into ``folder``."""
    votes(folder / "votes.csv")
    return [
        Step("what others published", ["published", "list"], sees=["lmarena-text", r"20\d\d-\d\d-\d\d"]),
        Step(
            "one claim and its verdict",
            ["study", "C1"],
            sees=["C1", "verdict|supported|contradicted|mixed|undecided"],
        ),
        Step(
            "all claims as a page",
            ["study", "--all", "--no-png", "--out", "studies"],
            looks=[holds("studies/studies.en.html", "C1", 'name="viewport"', "prefers-color-scheme")],
        ),
        Step(
            "ratings from votes",
            ["arena", "votes.csv", "--bootstrap", "50"],
            sees=["qwen.*deepseek.*llama.*gemma", "95"],
        ),
        Step(
            "what a page of Chinese costs in tokens",
            ["tokenizers", "tiny-qwen", "tiny-llama"],
            sees=["tiny-qwen", "tiny-llama"],
        ),
        Step(
            "two models of an own", ["run", "smoke", "--limit", str(limit)], sees=["zh_arithmetic", "average"]
        ),
        Step(
            "which of them is really ahead",
            ["compare", "results/smoke"],
            sees=["p", "Chinese", "interval"],
        ),
        Step(
            "pictures for the article",
            ["report", "results/smoke", "--plots", "pictures", "--format", "svg"],
            looks=[lambda _, path: None if any((path / "pictures").glob("*.svg")) else "no picture"],
        ),
    ]


def votes(path: Path, count: int = 600) -> None:
    """Battles of four models of known strength."""
    draw = random.Random(3)
    rows = []
    for _ in range(count):
        first, second = draw.sample(list(STRENGTH), 2)
        wins = draw.random() < 1 / (1 + 2.718 ** (STRENGTH[second] - STRENGTH[first]))
        rows.append((first, second, "model_a" if wins else "model_b"))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model_a", "model_b", "winner"])
        writer.writerows(rows)
