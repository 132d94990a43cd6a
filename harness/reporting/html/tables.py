"""The page's tables: cells of text with a style class, made from a comparison.

Nothing here is markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.comparison import Comparison
from harness.analysis.gap import Gap
from harness.analysis.paired import Difference
from harness.analysis.picks import PickCounts
from harness.analysis.published import Match
from harness.analysis.ranking import LEVEL
from harness.analysis.scopes import Scope
from harness.reporting.comparison import NONE, difference, interval, pair_tables, share, signed, star
from harness.reporting.document import Document, Table
from harness.reporting.extras import gap_table, published_table
from harness.reporting.inert import visible
from harness.reporting.scopes import metric_name, scope_name
from harness.texts import Words

STEPS = 10
"""Shades of the heat map and of the difference matrix."""


@dataclass(frozen=True)
class GridCell:
    """A text and how it is shown: h0 … h10 for heat, up0 … down10 for differences, sure or strong
    for bold.
    """

    text: str
    look: str = ""


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of each row is its heading.

    Columns numbered in ``left`` are texts, the others figures.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[GridCell, ...], ...]
    left: frozenset[int] = frozenset({0})


def _row(*texts: str) -> tuple[GridCell, ...]:
    return tuple(GridCell(visible(text)) for text in texts)


def ranking_grid(comparison: Comparison, scope: Scope, words: Words) -> Grid:
    """Models best first: rank interval, tie, score, interval, above chance, n, difference from the
    best of those that were asked the same; those without a score last.
    """
    rows = []
    for place in scope.order:
        score, rank = scope.scores[place], scope.ranks.get(place)
        span = NONE if rank is None else str(rank.low) if rank.low == rank.high else f"{rank.low}–{rank.high}"

        # The best model's difference from itself is no result.
        first = scope.compared[0] if scope.compared else place
        lead = difference(scope, place, first) if place != first else None
        behind = f"{signed(lead.value)}{star(lead)}" if lead is not None else NONE
        standing = (span, rank.tie if rank else NONE)
        marked = share(score.value) + scope.mark(place)
        figures = (marked, interval(score.ci95), share(score.corrected))
        rows.append(_row(comparison.models[place].label, *standing, *figures, f"{score.n:,}", behind))
    rows += [_row(comparison.models[place].label, *[NONE] * 7) for place in sorted(scope.missing)]

    keys = ("model", "rank", "tie", "score", "interval", "corrected", "n", "behind")
    return Grid(tuple(words(f"col_{key}") for key in keys), tuple(rows))


def matrix_grid(comparison: Comparison, scope: Scope, words: Words) -> Grid | None:
    """Row minus column for every pair; the stronger the difference the deeper the shade.

    None where nothing is paired.
    """
    if not scope.pairs:
        return None

    # Shades are of this table alone, so that small differences are told apart, too.
    largest = max(abs(pair.value) for pair in scope.pairs.values()) or 1.0
    rows = []
    for number, a in enumerate(scope.order, 1):
        cells = [
            _difference_cell(difference(scope, a, b), largest, scope.higher_is_better) for b in scope.order
        ]
        rows.append((GridCell(f"{number}. {visible(comparison.models[a].label)}"), *cells))

    headers = (words("col_minus"), *(f"{number}." for number in range(1, len(scope.order) + 1)))
    return Grid(headers, tuple(rows))


def pairs_grids(comparison: Comparison, scope: Scope, words: Words) -> list[Grid]:
    """The pairs in full: difference, interval, p and Holm's p."""
    return [grid_of(table, words) for table in pair_tables(comparison, scope, None, every=False)]


def _difference_cell(pair: Difference | None, largest: float, higher_is_better: bool) -> GridCell:
    if pair is None:
        return GridCell(NONE)
    good = pair.value >= 0 if higher_is_better else pair.value <= 0
    shade = round(abs(pair.value) / largest * STEPS)
    sure = pair.adjusted is not None and pair.adjusted < LEVEL
    return GridCell(
        f"{signed(pair.value)}{star(pair)}", f"{'up' if good else 'down'}{shade}{' sure' if sure else ''}"
    )


def heat_grid(comparison: Comparison, words: Words) -> Grid:
    """Tasks and groups by models: scores, shaded from chance (or 0) to 1; figures that are no
    shares are not shaded.
    """
    rows = []
    for scope in comparison.scopes:
        if scope.kind == "subject":
            continue
        cells = [_heat_cell(scope, place) for place in range(len(comparison.models))]
        strong = "strong" if scope.kind == "average" else ""
        rows.append((GridCell(scope_name(scope, words), strong), *cells, GridCell(metric_name(scope, words))))

    labels = [visible(model.label) for model in comparison.models]
    headers = (words("col_task"), *labels, words("col_metric"))
    return Grid(headers, tuple(rows), left=frozenset({0, len(labels) + 1}))


def _heat_cell(scope: Scope, place: int) -> GridCell:
    score = scope.scores.get(place)
    if score is None:
        return GridCell(NONE)
    text = share(score.value) + scope.mark(place)
    if not scope.shares:
        return GridCell(text)
    above = score.corrected if score.corrected is not None else score.value
    return GridCell(text, f"h{round(min(1.0, max(0.0, above)) * STEPS)}")


def grid_of(table: Table, words: Words) -> Grid:
    """A table of any command as the page shows it, in the page's language."""
    shown = Document("", (table,)).in_language(words.language).tables[0]
    left = frozenset(position for position, column in enumerate(shown.columns) if not column.number)
    return Grid(tuple(map(visible, shown.headings)), tuple(_row(*row) for row in shown.texts), left)


def gap_grid(comparison: Comparison, gaps: Sequence[Gap], words: Words) -> Grid:
    """One row per model and pair of parallel tasks, and the model's mean over all of them."""
    return grid_of(gap_table(comparison, gaps), words)


def published_grid(comparison: Comparison, pairs: Sequence[Match], words: Words) -> Grid:
    """Measured beside published, with what is known to differ and where the figure was read."""
    return grid_of(published_table(comparison, pairs), words)


def picks_grid(counts: PickCounts, labels: Sequence[str], words: Words) -> Grid:
    """How often each answer is right, and how often each model gave it."""
    whole = sum(counts.keys.values())
    rows = [
        _row(
            words("picks_right"), *(f"{counts.keys.get(label, 0):,}" for label in counts.labels), f"{whole:,}"
        )
    ]
    for index, mine in counts.answers.items():
        figures = (f"{mine.get(label, 0):,}" for label in counts.labels)
        rows.append(_row(labels[index], *figures, f"{counts.of[index]:,}"))
    headers = (words("col_model"), *map(visible, counts.labels), words("col_n"))
    return Grid(headers, tuple(rows))


def scores_grid(comparison: Comparison, words: Words) -> Grid:
    """Every task and model in full: score, standard error, interval, n, chance, above chance,
    shares of bad answers.
    """
    keys = [
        "task",
        "model",
        "metric",
        "score",
        "stderr",
        "interval",
        "n",
        "chance",
        "corrected",
        "truncated",
        "empty",
        "unparsable",
    ]
    headers = tuple(words(f"col_{key}") for key in keys)
    return Grid(headers, tuple(_score_rows(comparison)), left=frozenset({0, 1, 2}))


def _score_rows(comparison: Comparison) -> Iterator[tuple[GridCell, ...]]:
    for contest in comparison.contests:
        for place in sorted(contest.cells):
            row = contest.row(place)
            metric = contest.metric if contest.filter == "none" else f"{contest.metric} ({contest.filter})"
            label = comparison.models[place].label

            mark = "†" if place in contest.others else ""
            score = (share(row.value) + mark, share(row.stderr), interval(row.ci95), f"{row.n:,}")
            guessing = (share(row.chance), share(row.corrected))
            rates = (_rate(value) for value in (row.rate_truncated, row.rate_empty, row.rate_unparsable))
            yield _row(contest.task, label, metric, *score, *guessing, *rates)


def _rate(value: float | None) -> str:
    return "?" if value is None else f"{value:.1%}"
