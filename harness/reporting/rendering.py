"""Anything that is shown, as text in a form of the registry (`harness.reporting.writers`)."""

from __future__ import annotations

from harness.reporting.document import Document, Screen
from harness.reporting.score_document import score_document
from harness.reporting.table import ScoreTable
from harness.reporting.writers import FIRST, find_writer


def render(
    shown: Document | ScoreTable,
    format: str = FIRST,
    *,
    every: bool = False,
    width: int = 100,
    colour: bool = False,
    language: str = "en",
) -> str:
    """A document, or a results table (with ``every`` also the subjects of its groups), as text.

    Raises ConfigError for an unknown format.
    """
    if isinstance(shown, ScoreTable):
        shown = score_document(shown, every=every, language=language)
    return find_writer(format).write(shown.in_language(language), Screen(width, colour))
