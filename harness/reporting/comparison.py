"""A comparison as sheets for people (`sheets`), as tidy records for CSV (`records`) and as data for
JSON (`as_data`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from harness.analysis.comparison import Comparison
from harness.analysis.paired import Difference
from harness.analysis.scopes import Scope
from harness.reporting.sheets import Sheet
from harness.wording import plural

MOST_PAIRS = 28
"""Pairs that are all shown (those of eight models); of more each model against the next one in
rank.
"""
NONE = "–"
LEGEND = (
    "Differences are paired on the same items; intervals hold 95 %. p is McNemar's exact p where scores are right or wrong and items "
    "independent, the sign-flip test's where a few items or sources decide, else Student's t; Holm's p is adjusted over all pairs of one "
    "table.",
    "rank: 1 + models surely better to n − models surely worse (Holm's p < 0.05). tie: two models share a letter exactly where neither "
    "is surely better. r: correlation of item scores. detects: the smallest true difference found with 80 % power.",
)


def sheets(
    comparison: Comparison, *, baseline: int | None = None, tasks: str | None = None, every: bool = False
) -> list[Sheet]:
    """Ranking and pairs of each language's average (of the tasks that ``tasks`` names, where
    given), then all tasks on one sheet.

    Raises nothing; a pattern that fits no task gives no sheets.
    """
    chosen = [scope for scope in comparison.scopes if scope.kind == "average"]
    if tasks is not None:
        chosen = [scope for scope in comparison.scopes if fnmatchcase(scope.name, tasks)]
    elif not chosen:
        chosen = [scope for scope in comparison.scopes if scope.kind != "subject"]
    made = []
    for scope in chosen:
        made += [
            ranking_sheet(comparison, scope, baseline),
            *pair_sheets(comparison, scope, baseline, every=every),
        ]
    if tasks is None:
        made += _task_sheets(comparison, every=every)
    return made


def ranking_sheet(comparison: Comparison, scope: Scope, baseline: int | None = None) -> Sheet:
    """Models best first, with score, interval, rank and tie group, and the difference from the
    baseline or else from the best.
    """
    order = scope.order
    lead = baseline if baseline in scope.scores else (order[0] if order else None)
    corrected = any(score.corrected is not None for score in scope.scores.values())
    rows = []
    for place in order:
        score, rank = scope.scores[place], scope.ranks.get(place)
        cells = [
            _span(rank.low, rank.high) if rank else NONE,
            comparison.models[place].label,
            rank.tie if rank else "",
        ]
        cells += [
            share(score.value),
            interval(score.ci95),
            *([share(score.corrected)] if corrected else []),
            f"{score.n:,}",
        ]
        rows.append((*cells, _against(scope, place, lead)))
    title = f"{_title(scope)}: ranking"
    against = f"vs {comparison.models[lead].label}" if lead is not None else "vs best"
    headers = (
        "rank",
        "model",
        "tie",
        "score",
        "95 % interval",
        *(["above chance"] if corrected else []),
        "n",
        against,
    )
    missing = tuple(
        f"{comparison.models[place].label}: {reason}" for place, reason in sorted(scope.missing.items())
    )
    return Sheet(title, headers, tuple(rows), frozenset({1, 2}), missing)


def _against(scope: Scope, place: int, lead: int | None) -> str:
    if lead is None or place == lead:
        return NONE
    found = difference(scope, place, lead)
    return f"{signed(found.value)}{star(found)}" if found is not None else NONE


def difference(scope: Scope, a: int, b: int) -> Difference | None:
    """a − b, whichever way it is kept."""
    if (a, b) in scope.pairs:
        return scope.pairs[a, b]
    return scope.pairs[b, a].flipped() if (b, a) in scope.pairs else None


def pair_sheets(
    comparison: Comparison, scope: Scope, baseline: int | None, *, every: bool
) -> Iterator[Sheet]:
    """The pairs of a scope: with the baseline, or all, or (of many models) neighbours in rank."""
    order = scope.order
    keys = [(a, b) for place, a in enumerate(order) for b in order[place + 1 :]]
    notes: tuple[str, ...] = ()
    if baseline is not None:
        keys = [(place, baseline) for place in order if place != baseline]
    elif len(keys) > MOST_PAIRS and not every:
        notes = (
            f"Each model against the next; --all shows all {len(keys)} pairs, --csv and --json hold them.",
        )
        keys = list(pairwise(order))
    found = [(a, b, pair) for a, b in keys if (pair := difference(scope, a, b)) is not None]
    if not found:
        return
    discordant = any(pair.only_a is not None for _, _, pair in found)
    rows = tuple(_pair_row(comparison, a, b, pair, discordant) for a, b, pair in found)
    headers = ["model", "against", "difference", "95 % interval", "p", "Holm p", "n", "r", "detects"]
    headers += ["only it", "only other"] if discordant else []
    title = f"{_title(scope)}: paired differences (Holm over {plural(len(scope.pairs), 'pair')})"
    yield Sheet(title, tuple(headers), rows, frozenset({0, 1}), notes)


def _pair_row(comparison: Comparison, a: int, b: int, pair: Difference, discordant: bool) -> tuple[str, ...]:
    cells = [
        comparison.models[a].label,
        comparison.models[b].label,
        f"{signed(pair.value)}{star(pair)}",
        interval(pair.ci95, sign=True),
    ]
    cells += [
        p_text(pair.p),
        p_text(pair.adjusted),
        f"{pair.n:,}",
        _plain(pair.correlation, 2),
        _plain(pair.detectable, 3),
    ]
    if discordant:
        cells += [str(count) if count is not None else NONE for count in (pair.only_a, pair.only_b)]
    return tuple(cells)


def _task_sheets(comparison: Comparison, *, every: bool) -> list[Sheet]:
    """All tasks: score and rank interval a model, and the smallest and largest difference that each
    can detect.
    """
    shown = [
        scope
        for scope in comparison.scopes
        if scope.kind != "average" and (every or scope.kind != "subject") and scope.pairs
    ]
    if not shown:
        return []
    rows = []
    for scope in shown:
        cells = [f"{'  ' if scope.kind == 'subject' else ''}{scope.name}", _metric(scope), _detects(scope)]
        for place in range(len(comparison.models)):
            score, rank = scope.scores.get(place), scope.ranks.get(place)
            cells.append(
                f"{share(score.value)} ({_span(rank.low, rank.high)})"
                if score and rank
                else share(score.value)
                if score
                else NONE
            )
        rows.append(tuple(cells))
    headers = ("task", "metric", "detects", *(model.label for model in comparison.models))
    return [Sheet("Tasks: score and, in brackets, rank interval", headers, tuple(rows), frozenset({0, 1}))]


def _detects(scope: Scope) -> str:
    """The smallest differences that its pairs can detect, as a range."""
    known = [pair.detectable for pair in scope.pairs.values() if pair.detectable is not None]
    if not known:
        return NONE
    low, high = _plain(min(known), 3), _plain(max(known), 3)
    return low if low == high else f"{low}–{high}"


def records(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """One flat row a scope and pair, in `record_fields`' order."""
    for scope in comparison.scopes:
        for (a, b), pair in scope.pairs.items():
            labels = {"model_a": comparison.models[a].label, "model_b": comparison.models[b].label}
            facts = {
                "scope": scope.name,
                "kind": scope.kind,
                "language": scope.language,
                "metric": scope.metric,
                "filter": scope.filter,
            }
            yield {**facts, **labels, **_flat(pair)}


def _flat(pair: Difference) -> dict[str, Any]:
    data = dataclasses.asdict(pair)
    low, high = data.pop("ci95") or (None, None)
    for inner in ("variances", "tosses", "worth"):
        del data[inner]
    return {**data, "ci95_lo": low, "ci95_hi": high}


def record_fields() -> tuple[str, ...]:
    """The columns of `records`."""
    empty = Difference(0, 0.0, None, 0.0, None, None)
    return ("scope", "kind", "language", "metric", "filter", "model_a", "model_b", *_flat(empty))


def as_data(comparison: Comparison) -> dict[str, Any]:
    """Everything: models with their runs, scopes with scores, ranks and pairs, notes.

    Numbers are not rounded.
    """
    labels = [model.label for model in comparison.models]
    models = [
        {"label": one.label, "runs": one.runs, **one.model.model_dump(mode="json")}
        for one in comparison.models
    ]
    return {
        "name": comparison.name,
        "models": models,
        "scopes": [_scope(scope, labels) for scope in comparison.scopes],
        "notes": comparison.notes,
    }


def _scope(scope: Scope, labels: Sequence[str]) -> dict[str, Any]:
    facts = {
        name: getattr(scope, name)
        for name in ("name", "kind", "language", "metric", "filter", "chance", "higher_is_better", "parts")
    }
    pairs = [{"a": labels[a], "b": labels[b], **_flat(pair)} for (a, b), pair in scope.pairs.items()]
    return {
        **facts,
        "scores": {labels[place]: dataclasses.asdict(score) for place, score in scope.scores.items()},
        "ranks": {labels[place]: dataclasses.asdict(rank) for place, rank in scope.ranks.items()},
        "missing": {labels[place]: reason for place, reason in scope.missing.items()},
        "pairs": pairs,
    }


def _title(scope: Scope) -> str:
    return (
        f"{scope.name} (mean of {scope.parts})"
        if scope.kind == "average"
        else f"{scope.name} ({_metric(scope)})"
        if scope.metric
        else scope.name
    )


def _metric(scope: Scope) -> str:
    if scope.metric is None:
        return ""
    name = scope.metric if scope.filter in (None, "none") else f"{scope.metric} ({scope.filter})"
    return name if scope.higher_is_better else f"{name} ↓"


def share(value: float | None) -> str:
    """Three decimals, or nothing."""
    return _plain(value, 3)


def signed(value: float) -> str:
    """Three decimals with their sign: +0.031, −0.031."""
    return f"{value:+.3f}".replace("-", "−")


def interval(ends: tuple[float, float] | None, *, sign: bool = False) -> str:
    """``0.412 … 0.563``; with ``sign`` both ends carry theirs."""
    if ends is None:
        return NONE
    return " … ".join(signed(end) if sign else share(end) for end in ends)


def p_text(value: float | None) -> str:
    """Three decimals; ``<0.001`` below."""
    return NONE if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def star(pair: Difference) -> str:
    """* where the difference is sure."""
    return "*" if pair.adjusted is not None and pair.adjusted < 0.05 else ""


def _plain(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}".replace("-", "−")


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"
