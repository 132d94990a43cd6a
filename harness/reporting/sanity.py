"""What may make a number wrong, as lines under a table: ``MODELS: TASKS: what was found``."""

from __future__ import annotations

from collections.abc import Sequence

from harness.results.sanity import SanityLine, sanity_lines
from harness.results.schema import Results
from harness.texts import say

NAMED = 3
"""Tasks named in one line; of more the first ones and a count."""


def lines_of(results: Sequence[Results]) -> tuple[SanityLine, ...]:
    """The lines of all runs, warnings first; a model of several runs is named once per run's
    line.
    """
    return sanity_lines(row for result in results for row in result.sanity)


def sanity_text(line: SanityLine, language: str = "en") -> str:
    """``Warning: MODELS: TASKS: sentence``."""
    comma = say("common.comma", language)
    tasks = comma.join(line.tasks[:NAMED])
    if len(line.tasks) > NAMED:
        tasks = say("sanity.line_more", language, tasks=tasks, n=len(line.tasks) - NAMED)

    # A finding of a whole model has no task, and an empty part would leave a colon behind.
    level = say(f"sanity.line_{line.level}", language)
    parts = [level, comma.join(line.models), tasks, line.text(language)]
    return say("common.colon", language).join(part for part in parts if part)
