"""Answers out of samples: a run that was kept without its journal can be marked again."""

from __future__ import annotations

from typing import Any

import pytest

from harness.evaluation.samples import sample_row
from harness.items import Answer, Generation, Likelihood, Score, Tokens
from harness.rescoring.answers import answers_of
from harness.tasks.api import SampleMark

COST: dict[str, Any] = {"tokens": Tokens(9, 5, 4, 2), "seconds": 0.25}


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("choice", [Score("3", (-1.0, -2.0), (True, False), (0, 0), **COST, rules=("", "moved"))]),
        ("choice", [Score("3", (-1.0, -2.0), (True, False), (0, 0), truncated=1, **COST)]),
        ("passage", [Likelihood("3", -7.5, **COST)]),
        ("completion", [Generation("3:0", "一", "eos", **COST), Generation("3:1", "二", "length")]),
    ],
)
def test_answers_come_back_as_they_were(kind: str, answers: list[Answer]) -> None:
    mark = SampleMark(
        doc_id=3,
        filter="none",
        prompt="?",
        target="一",
        answer="一",
        metrics={"acc": 1.0},
        keys=tuple(answer.key for answer in answers),
    )

    row = sample_row(mark, {answer.key: answer for answer in answers})
    assert answers_of(row, kind) == answers
