"""Expectations of runs as sentences: what was expected, what was met, and whether it held."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting.document import Points
from harness.reporting.texts import Phrase
from harness.results.schema import ExpectationRow

SHOWN = 20
"""Expectations that held are listed up to so many, beyond them counted; what failed is always shown."""


def expectation_points(rows: Sequence[ExpectationRow]) -> Points | None:
    """All outcomes as a list, those that failed first; None where nothing was expected."""
    if not rows:
        return None
    failing = [row for row in rows if not row.held]
    passing = [row for row in rows if row.held]
    lines = [outcome_text(row) for row in (*failing, *passing[:SHOWN])]
    if len(passing) > SHOWN:
        lines.append(Phrase("… and {n} more that hold", n=len(passing) - SHOWN))

    title = Phrase("Expectations: {n} of {of} hold", n=len(passing), of=len(rows))
    return Points(title, tuple(lines), frozenset(range(len(failing))))


def outcome_text(row: ExpectationRow) -> str:
    """One outcome on one line: ``failed: one on zh_arithmetic: acc is 0.31; expected ≥ 0.4``."""
    template = "held: {what} is {got}; expected {bounds}"
    if not row.held:
        template = "failed: {what} is {got}; expected {bounds}"
    return Phrase(template, what=subject_text(row), got=_got(row), bounds=_bounds(row))


def subject_text(row: ExpectationRow) -> str:
    """What an expectation is about: ``one on zh_arithmetic: acc``."""
    model = row.model or Phrase("all models")
    where = row.task or row.language
    what = "sanity" if row.sanity else row.figure or row.metric or Phrase("score")
    if row.filter not in (None, "none"):
        what = f"{what} ({row.filter})"
    if row.language is not None and row.figure is None:
        what = Phrase("average")
    return (
        Phrase("{model} on {where}: {what}", model=model, where=where, what=what)
        if where
        else (Phrase("{model}: {what}", model=model, what=what))
    )


def _got(row: ExpectationRow) -> str:
    if row.value is None:
        return Phrase("unknown ({why})", why=row.reason or "")
    if isinstance(row.value, str):
        return row.value
    value = f"{row.value:.4g}"
    interval = f" [{row.ci95[0]:.4g}, {row.ci95[1]:.4g}]" if row.sure and row.ci95 is not None else ""
    return f"{value}{interval}{f' ({row.reason})' if row.reason else ''}"


def _bounds(row: ExpectationRow) -> str:
    if row.sanity is not None:
        return row.sanity
    low = [f"≥ {row.min:g}"] if row.min is not None else []
    high = [f"≤ {row.max:g}"] if row.max is not None else []
    bounds = ", ".join(low + high)
    return Phrase("{bounds} (95 % interval)", bounds=bounds) if row.sure else bounds
