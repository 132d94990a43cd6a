"""Sheets beside a comparison: Chinese against English, the composite index, published figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.comparison import Comparison
from harness.analysis.gap import Gap, overall
from harness.analysis.index import Index, Weights
from harness.analysis.paired import Difference
from harness.analysis.published import Match, PublishedFigure
from harness.reporting.comparison import NONE, interval, p_text, share, signed
from harness.reporting.sheets import Sheet


def gap_sheet(comparison: Comparison, found: Sequence[Gap]) -> Sheet | None:
    """One row a model and pair of tasks, then the model's mean over all pairs; None where no
    parallel tasks were asked.
    """
    if not found:
        return None
    rows: list[tuple[str, ...]] = []
    for place, model in enumerate(comparison.models):
        for gap in (gap for gap in found if place in gap.differences):
            names = (
                model.label,
                f"{gap.zh_task} − {gap.en_task}",
                share(gap.zh[place]),
                share(gap.en[place]),
            )
            rows.append((*names, *_gap_cells(gap.differences[place])))
        whole = overall(found, place)
        if whole is not None:
            rows.append((model.label, f"mean of {len(found)}", "", "", *_gap_cells(whole)))
    headers = ("model", "tasks", "Chinese", "English", "difference", "95 % interval", "p", "n")
    note = "The same items in both languages, paired; items that share a source are one cluster. Below 0: worse in Chinese."
    return Sheet("Chinese against English", headers, tuple(rows), frozenset({0, 1}), (note,))


def _gap_cells(pair: Difference) -> tuple[str, ...]:
    return signed(pair.value), interval(pair.ci95, sign=True), p_text(pair.p), f"{pair.n:,}"


def index_sheets(
    comparison: Comparison, found: Mapping[int, Sequence[Index]], weights: Weights
) -> list[Sheet]:
    """One sheet a language: the index with its interval, its parts, and what is missing."""
    made = []
    for number, (language, parts) in enumerate(weights.languages.items()):
        rows, missing = [], []
        for place, mine in found.items():
            index, label = mine[number], comparison.models[place].label
            value = NONE if index.value is None else f"{index.value:.1f}"
            ends = NONE if index.ci95 is None else f"{index.ci95[0]:.1f} … {index.ci95[1]:.1f}"
            values = (f"{index.parts[name]:.1f}" if name in index.parts else NONE for name in parts)
            rows.append((index.value or -1.0, (label, value, ends, *values)))
            if index.missing:
                missing.append(f"{label}: no index: nothing on {'; '.join(index.missing)}")
        if zero := dict.fromkeys(task for mine in found.values() for task in mine[number].from_zero):
            missing.append(
                f"Counted from 0, because no chance level is known (generated answers, or imports): {', '.join(zero)}"
            )
        rows.sort(key=lambda row: -row[0])
        names = {"zh": "Chinese", "en": "English"}
        title = f"{names[language]} index ({weights.name}, version {weights.version}), 0–100"
        shares = sum(part.weight for part in parts.values())
        headers = (
            "model",
            "index",
            "95 % interval",
            *(f"{name} {part.weight / shares:.0%}" for name, part in parts.items()),
        )
        made.append(Sheet(title, headers, tuple(row for _, row in rows), frozenset({0}), tuple(missing)))
    return made


def published_sheet(comparison: Comparison, found: Sequence[Match]) -> Sheet | None:
    """Measured beside published, with what differs between the settings; None where nothing is
    published of what was measured.
    """
    if not found:
        return None
    rows = []
    for match in found:
        claim = match.claim
        same = "yes" if match.same else f"no: {match.differs}"
        cells = (
            comparison.models[match.place].label,
            match.task,
            share(match.measured),
            interval(match.ci95),
            share(claim.value),
        )
        rows.append((*cells, signed(match.delta), same, claim.setting, f"{claim.source}, {claim.date}"))
    headers = (
        "model",
        "task",
        "measured",
        "95 % interval",
        "published",
        "delta",
        "same setting",
        "published setting",
        "source",
    )
    return Sheet("Published figures", headers, tuple(rows), frozenset({0, 1, 6, 7, 8}))


def as_data(
    comparison: Comparison, found: Sequence[Gap], claims: Sequence[Match], index: dict[str, Any] | None
) -> dict[str, Any]:
    """For JSON, beside the comparison's own data."""
    labels = [model.label for model in comparison.models]
    return {
        "language_gap": [_gap(gap, labels) for gap in found],
        "published": [_match(match, labels) for match in claims],
        "index": index,
    }


def _gap(gap: Gap, labels: Sequence[str]) -> dict[str, Any]:
    facts = {"zh_task": gap.zh_task, "en_task": gap.en_task, "metric": gap.metric, "how": gap.how}
    inner = ("tosses", "worth")
    models = {
        labels[place]: {"zh": gap.zh[place], "en": gap.en[place]}
        | {key: value for key, value in dataclasses.asdict(pair).items() if key not in inner}
        for place, pair in gap.differences.items()
    }
    return {**facts, "models": models}


def _match(match: Match, labels: Sequence[str]) -> dict[str, Any]:
    claim: PublishedFigure = match.claim
    facts = {
        "model": labels[match.place],
        "task": match.task,
        "measured": match.measured,
        "ci95": match.ci95,
        "delta": match.delta,
    }
    return {
        **facts,
        "same_setting": match.same,
        "differs": match.differs,
        "published": claim.model_dump(mode="json"),
    }
