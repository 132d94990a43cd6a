"""From a cell's marks and answers to its samples file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.evaluation.rows import is_truncated
from harness.items import Answer, Generation, Likelihood, Score, Tokens
from harness.results.samples import SampleRow, write_rows

if TYPE_CHECKING:
    from harness.tasks.api import Marks, SampleMark


def write_samples(path: Path, marks: Marks, answers: Mapping[str, Answer]) -> None:
    """Writes one row per (document, filter) of a marked cell. Raises RunFolderError."""
    write_rows(path, [sample_row(mark, answers) for mark in marks.samples])


def sample_row(mark: SampleMark, answers: Mapping[str, Answer]) -> SampleRow:
    """A document's sample; answers that are not there leave their lists shorter."""
    own = [answers[key] for key in mark.keys if key in answers]
    texts = [answer for answer in own if isinstance(answer, Generation)]
    scores = [answer for answer in own if isinstance(answer, Score)]
    tokens = sum((answer.tokens for answer in own), Tokens())

    # A passage has one log-probability, that of its whole text; a choice has one per option.
    logprobs: list[float] = []
    for answer in own:
        if isinstance(answer, Score):
            logprobs += answer.logprobs
        elif isinstance(answer, Likelihood):
            logprobs.append(answer.logprob)
    return SampleRow(
        doc_id=mark.doc_id,
        filter=mark.filter,
        prompt=mark.prompt,
        answer=mark.answer,
        target=mark.target,
        score=next((value for value in mark.metrics.values() if value is not None), None),
        metrics=json.dumps(mark.metrics, ensure_ascii=False),
        responses=tuple(answer.text for answer in texts),
        logprobs=tuple(logprobs),
        greedy=tuple(flag for answer in scores for flag in answer.greedy),
        finish=tuple(answer.finish for answer in texts),
        truncated=is_truncated(mark, answers),
        empty=mark.empty,
        unparsable=mark.unparsable,
        tied=mark.tied,
        tokens_prompt=tokens.prompt,
        tokens_computed=tokens.computed,
        tokens_shared=tokens.shared,
        tokens_output=tokens.output,
        seconds=sum(answer.seconds for answer in own),
        item=mark.item or str(mark.doc_id),
        cluster=mark.cluster,
        reading=mark.reading,
        rules=tuple(rule for answer in scores for rule in answer.rules),
    )
