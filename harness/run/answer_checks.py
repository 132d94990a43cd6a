"""What a cell's kept answers show of themselves: told from the journal, so a run that went on later loses none of it."""

from __future__ import annotations

from collections.abc import Iterable

from harness.items import Answer, Generation, Score
from harness.sanity import Finding

_MANY = 0.5
"""Part of the questions with equal options from which on the figures are nobody's; a repeated option or a rounding makes a few."""


def answer_findings(answers: Iterable[Answer]) -> list[Finding]:
    """Options that are all alike, answers that a filter cut off, answers without a reason for their end."""
    scores = generated = alike = filtered = untold = 0
    for answer in answers:
        if isinstance(answer, Score) and len(answer.logprobs) > 1 and all(answer.lengths):
            scores += 1
            alike += len(set(answer.logprobs)) == 1
        elif isinstance(answer, Generation):
            generated += 1
            filtered += answer.finish == "filter"
            untold += answer.finish == "unknown"
    found = []
    if alike > _MANY * scores:
        found.append(Finding("constant_logprobs", alike, scores))
    if filtered:
        found.append(Finding("answers_filtered", filtered, generated))
    if untold:
        found.append(Finding("endings_unknown", untold, generated))
    return found
