"""What may make a number wrong, as lines under a table: ``MODELS: TASKS: what was found``."""

from __future__ import annotations

from collections.abc import Sequence

from harness.results.sanity import SanityLine, sanity_lines
from harness.results.schema import Results

NAMED = 3
"""Tasks named in one line; of more the first ones and a count."""
_WORDS = {
    "en": {"colon": ": ", "comma": ", ", "more": " and {n} more tasks", "warning": "Warning", "note": "Note"},
    "zh": {"colon": "：", "comma": "、", "more": "等另外 {n} 项任务", "warning": "警告", "note": "说明"},
}


def lines_of(results: Sequence[Results]) -> tuple[SanityLine, ...]:
    """The lines of all runs, warnings first; a model of several runs is named once per run's
    line.
    """
    return sanity_lines(row for result in results for row in result.sanity)


def sanity_text(line: SanityLine, language: str = "en") -> str:
    """``Warning: MODELS: TASKS: sentence``."""
    words = _WORDS[language]
    tasks = words["comma"].join(line.tasks[:NAMED])
    if len(line.tasks) > NAMED:
        tasks += words["more"].format(n=len(line.tasks) - NAMED)
    parts = [words[line.level], words["comma"].join(line.models), tasks, line.text(language)]
    return words["colon"].join(part for part in parts if part)
