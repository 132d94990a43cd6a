"""The document of whatever Python hands over: runs, a comparison, or what a bench left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.analysis.comparison import Comparison
from harness.errors import ConfigError
from harness.reporting.document import Document
from harness.results.schema import Results
from harness.results.speed import SpeedResults


def document_of(shown: Sequence[Any], language: str) -> Document:
    """Tables of run folders (joined), of one comparison, or of what one run, bench or plan gave.

    Those are known by what they hold, since their own classes belong to rooms beside or above.
    Raises ConfigError where nothing, or things of different kinds, are given.
    """
    if shown and all(isinstance(one, str | Path) for one in shown):
        from harness.reporting.score_document import score_document
        from harness.reporting.table import make_table
        from harness.results.query import read_results

        return score_document(make_table([read_results(str(run)) for run in shown]), language=language)

    first: Any = shown[0] if len(shown) == 1 else None
    if isinstance(first, Comparison):
        from harness.reporting.comparison_document import comparison_document

        return comparison_document(first)
    results = getattr(first, "results", None)
    if isinstance(results, SpeedResults):
        from harness.reporting.speed import speed_document

        return speed_document(results)

    if isinstance(results, Results):
        from harness.reporting.score_document import score_document
        from harness.reporting.table import make_table

        return score_document(make_table([results]), language=language)
    if hasattr(first, "cells") and hasattr(first, "warnings"):
        from harness.reporting.plan import plan_document

        return plan_document(first)

    kinds = ", ".join(type(one).__name__ for one in shown) or "nothing"
    raise ConfigError(f"report: expected run folders, or one comparison, run, bench or plan; got {kinds}")


def fragment_of(shown: object) -> str:
    """The tables of one thing as HTML without a page round them, for a notebook's cell."""
    from harness.reporting.writers.html import fragment

    return fragment(shown if isinstance(shown, Document) else document_of([shown], "en"))
