"""A comparison as tables for people: ranking and pairs of each average, then all tasks."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import combinations, pairwise

from harness.analysis.comparison import Comparison
from harness.analysis.paired import Difference
from harness.analysis.scopes import Scope
from harness.reporting.document import NONE as NONE
from harness.reporting.document import Column, Table, TableCell, keys, numbers, texts
from harness.reporting.scopes import main_scopes, mark_notes
from harness.reporting.texts import Phrase

MOST_PAIRS = 28
"""Pairs that are all shown (those of eight models); of more each model against the next one in
rank.
"""
LEGEND = (
    Phrase(
        "Differences are paired on the same items; intervals hold 95 %. p is McNemar's exact p "
        "where scores are right or wrong and items "
        "independent, the sign-flip test's where a few items or sources decide, else Student's "
        "t; Holm's p is adjusted over all pairs of one "
        "table."
    ),
    Phrase(
        "rank: 1 + models surely better to n − models surely worse (Holm's p < 0.05). tie: two "
        "models share a letter exactly where neither "
        "is surely better. r: correlation of item scores. detects: the smallest true difference "
        "found with 80 % power."
    ),
)


def tables(
    comparison: Comparison, *, baseline: int | None = None, tasks: str | None = None, every: bool = False
) -> list[Table]:
    """Ranking and pairs of each language's average (of the tasks that ``tasks`` names, where
    given), then all tasks in one table.

    Raises nothing; a pattern that fits no task gives no tables.
    """
    chosen = main_scopes(comparison)
    if tasks is not None:
        chosen = [scope for scope in comparison.scopes if fnmatchcase(scope.name, tasks)]

    shown = []
    for scope in chosen:
        shown += [
            ranking_table(comparison, scope, baseline),
            *pair_tables(comparison, scope, baseline, every=every),
        ]
    if tasks is None:
        shown += _task_tables(comparison, every=every)
    return shown


def ranking_table(comparison: Comparison, scope: Scope, baseline: int | None = None) -> Table:
    """Models best first, with score, interval, rank and tie group, and the difference from the
    baseline or else from the best of those that were asked the same; those without a score last.
    """
    compared = scope.compared
    lead = baseline if baseline in scope.scores else (compared[0] if compared else None)
    corrected = any(score.corrected is not None for score in scope.scores.values())
    labels = [model.label for model in comparison.models]
    rows = [_ranked_row(scope, place, labels[place], lead, corrected=corrected) for place in scope.order]

    # Without a chance level known to anyone the column would be empty.
    figures = ["score", "95 % interval", *(["above chance"] if corrected else []), "n"]
    for place in sorted(scope.missing):
        empty = [TableCell(NONE) for _ in (*figures, "vs")]
        rows.append([TableCell(NONE), TableCell(labels[place]), TableCell(""), *empty])

    against = Phrase("vs {model}", model=labels[lead]) if lead is not None else Phrase("vs best")
    columns = [
        *numbers("rank"),
        *keys("model"),
        *texts("tie"),
        *numbers(*figures),
        Column(against, number=True),
    ]
    return Table.of(_ranking_title(comparison, scope), columns, rows, mark_notes(scope, labels))


def _ranked_row(
    scope: Scope, place: int, label: str, lead: int | None, *, corrected: bool
) -> list[TableCell]:
    score, rank = scope.scores[place], scope.ranks.get(place)
    cells = [TableCell(_span(rank.low, rank.high), rank.low) if rank else TableCell(NONE)]
    cells += [TableCell(label), TableCell(rank.tie if rank else "")]
    cells += [score_cell(scope, place), TableCell(interval(score.ci95))]
    cells += [share_cell(score.corrected)] if corrected else []
    return [*cells, TableCell(f"{score.n:,}", score.n), _against(scope, place, lead)]


def _ranking_title(comparison: Comparison, scope: Scope) -> Phrase:
    """With how many of the models are compared, where these are not all."""
    count, of = len(scope.compared), len(comparison.models)
    if count == of:
        return Phrase("{scope}: ranking", scope=_title(scope))
    return Phrase("{scope}: ranking ({n} of {of} models compared)", scope=_title(scope), n=count, of=of)


def _against(scope: Scope, place: int, lead: int | None) -> TableCell:
    if lead is None or place == lead:
        return TableCell(NONE)
    pair = difference(scope, place, lead)
    return TableCell(f"{signed(pair.value)}{star(pair)}", pair.value) if pair is not None else TableCell(NONE)


def difference(scope: Scope, a: int, b: int) -> Difference | None:
    """a − b, whichever way it is kept."""
    if (a, b) in scope.pairs:
        return scope.pairs[a, b]
    return scope.pairs[b, a].flipped() if (b, a) in scope.pairs else None


def pair_tables(
    comparison: Comparison, scope: Scope, baseline: int | None, *, every: bool
) -> Iterator[Table]:
    """The pairs of a scope: with the baseline, or all, or (of many models) neighbours in rank."""
    order = scope.order
    chosen = [(a, b) for position, a in enumerate(order) for b in order[position + 1 :]]
    notes: tuple[str, ...] = ()
    if baseline is not None:
        chosen = [(place, baseline) for place in order if place != baseline]
    elif len(chosen) > MOST_PAIRS and not every:
        notes = (
            Phrase(
                "Each model against the next; --all shows all {n} pairs, -f csv and json hold them.",
                n=len(chosen),
            ),
        )
        alone = [place for place in order if place in scope.apart]
        chosen = [*pairwise(scope.compared), *combinations(alone, 2)]
    pairs = [(a, b, pair) for a, b in chosen if (pair := difference(scope, a, b)) is not None]
    if not pairs:
        return

    # Counts of items that only one got right exist only where every score is right or wrong.
    discordant = any(pair.only_a is not None for _, _, pair in pairs)
    rows = [_pair_row(comparison, a, b, pair, discordant) for a, b, pair in pairs]
    figures = ["difference", "95 % interval", "p", "Holm p", "n", "r", "detects"]
    figures += ["only it", "only other"] if discordant else []
    title = "{scope}: paired differences (Holm over {n} pairs)"
    if len(scope.pairs) == 1:
        title = "{scope}: paired differences (Holm over {n} pair)"
    yield Table.of(
        Phrase(title, scope=_title(scope), n=len(scope.pairs)),
        [*keys("model", "against"), *numbers(*figures)],
        rows,
        notes,
    )


def _pair_row(comparison: Comparison, a: int, b: int, pair: Difference, discordant: bool) -> list[TableCell]:
    cells = [
        TableCell(comparison.models[a].label),
        TableCell(comparison.models[b].label),
        TableCell(f"{signed(pair.value)}{star(pair)}", pair.value),
        TableCell(interval(pair.ci95, sign=True)),
        TableCell(p_text(pair.p), pair.p),
        TableCell(p_text(pair.adjusted), pair.adjusted),
        TableCell(f"{pair.n:,}", pair.n),
        TableCell(_plain(pair.correlation, 2), pair.correlation),
        TableCell(_plain(pair.detectable, 3), pair.detectable),
    ]

    if discordant:
        cells += [
            TableCell(str(count) if count is not None else NONE, count)
            for count in (pair.only_a, pair.only_b)
        ]
    return cells


def _task_tables(comparison: Comparison, *, every: bool) -> list[Table]:
    """All tasks: score and rank interval per model, and the smallest and largest difference that
    each can detect.
    """
    scopes = [
        scope
        for scope in comparison.scopes
        if scope.kind != "average" and (every or scope.kind != "subject") and scope.scores
    ]
    if not scopes:
        return []
    rows = []
    for scope in scopes:
        indent = "  " if scope.kind == "subject" else ""
        cells = [TableCell(f"{indent}{scope.name}"), TableCell(_metric(scope)), TableCell(_detects(scope))]
        rows.append([*cells, *(_rated(scope, place) for place in range(len(comparison.models)))])

    columns = [*keys("task"), *texts("metric"), *numbers("detects")]
    columns += [Column(model.label, number=True) for model in comparison.models]
    return [Table.of(Phrase("Tasks: score and, in brackets, rank interval"), columns, rows)]


def _rated(scope: Scope, place: int) -> TableCell:
    """A model's score on a task, with its rank interval where pairs were tested."""
    score, rank = scope.scores.get(place), scope.ranks.get(place)
    if score is None:
        return TableCell(NONE)
    rated = f" ({_span(rank.low, rank.high)})" if rank else ""
    return TableCell(share(score.value) + scope.mark(place) + rated, score.value)


def score_cell(scope: Scope, place: int) -> TableCell:
    """A score with its marks."""
    value = scope.scores[place].value
    return TableCell(share(value) + scope.mark(place), value)


def _detects(scope: Scope) -> str:
    """The smallest differences that its pairs can detect, as a range."""
    gaps = [pair.detectable for pair in scope.pairs.values() if pair.detectable is not None]
    if not gaps:
        return NONE
    low, high = _plain(min(gaps), 3), _plain(max(gaps), 3)
    return low if low == high else f"{low}–{high}"


def _title(scope: Scope) -> str:
    if scope.kind == "average":
        return Phrase("{average} (mean of {n})", average=Phrase(scope.name), n=scope.parts)
    return f"{scope.name} ({_metric(scope)})" if scope.metric else scope.name


def _metric(scope: Scope) -> str:
    if scope.metric is None:
        return ""
    name = scope.metric if scope.filter in (None, "none") else f"{scope.metric} ({scope.filter})"
    return name if scope.higher_is_better else f"{name} ↓"


def share(value: float | None) -> str:
    """Three decimals, or nothing."""
    return _plain(value, 3)


def share_cell(value: float | None) -> TableCell:
    """Three decimals, or nothing, with the figure itself behind it."""
    return TableCell(share(value), value)


def signed(value: float) -> str:
    """Three decimals with their sign: +0.031, −0.031; a zero whose sign was turned is +0.000."""
    return f"{round(value, 9) + 0.0:+.3f}".replace("-", "−")


def interval(ends: tuple[float, float] | None, *, sign: bool = False) -> str:
    """``0.412 … 0.563``; with ``sign`` both ends carry theirs."""
    if ends is None:
        return NONE
    return " … ".join(signed(end) if sign else share(end) for end in ends)


def p_text(value: float | None) -> str:
    """Three decimals; ``<0.001`` below."""
    return NONE if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def p_said(value: float) -> str:
    """A p value in a sentence: ``= 0.031``, ``< 0.001``."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def star(pair: Difference) -> str:
    """* where the difference is sure."""
    return "*" if pair.adjusted is not None and pair.adjusted < 0.05 else ""


def _plain(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}".replace("-", "−")


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"
