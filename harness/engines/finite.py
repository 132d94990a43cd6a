"""Whether an answer's numbers are numbers: a NaN or an infinity says that the model is broken, and
would still give a score.

A log-probability is finite and not above 0. NaN comes from spoilt weights or from a number format
that overflows; +inf likewise. -inf says that the model cannot write the token at all, which a
softmax over finite logits never does: of a masked vocabulary, or of logits that overflowed, it is
refused like the others. Generated text has no number of its own, so the engine says where choosing
a token met one (`Generation.broken`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.errors import ModelError
from harness.items import Answer, Generation, Likelihood, Score

ROUNDING = 0.01
"""A log-probability may be above 0 by rounding: far less than this in fp32 sums."""
_TOLD = 3


@dataclass(frozen=True)
class Fault:
    """The first number of an answer that is none: where, and what stands there."""

    key: str
    where: str
    value: str

    def __str__(self) -> str:
        return ", ".join(part for part in (f"item {self.key}", self.where) if part) + f": {self.value}"


def find_fault(answer: Answer) -> Fault | None:
    """The first thing wrong with an answer's numbers, None where all are right."""
    if isinstance(answer, Generation):
        return None if answer.broken is None else Fault(answer.key, "", answer.broken)
    if isinstance(answer, Likelihood):
        return None if _right(answer.logprob) else Fault(answer.key, "", f"{answer.logprob:g}")
    for index, value in enumerate(answer.logprobs):
        if not _right(value):
            return Fault(answer.key, f"option {index + 1} of {len(answer.logprobs)}", f"{value:g}")
    return None


def _right(value: float) -> bool:
    return math.isfinite(value) and value <= ROUNDING


def is_kept(answer: Answer) -> bool:
    """Whether an answer that a journal holds may be used.

    Its numbers are right, and no option was called certain because it had no token, as earlier
    versions did.
    """
    certain = isinstance(answer, Score) and any(
        size == 0 and value == 0.0 for size, value in zip(answer.lengths, answer.logprobs, strict=False)
    )
    return find_fault(answer) is None and not certain


@dataclass
class Faults:
    """The faults among a cell's answers. ``of``: how many answers there are in all."""

    of: int
    found: list[Fault] = field(default_factory=list)

    def take(self, answer: Answer) -> bool:
        """Whether the answer is wrong; a wrong one is counted."""
        fault = find_fault(answer)
        if fault is not None:
            self.found.append(fault)
        return fault is not None

    def raise_any(self, causes: Iterable[str] = ()) -> None:
        """Raises ModelError, one line, where any answer was wrong.

        ``causes``: what is known of why.
        """
        if not self.found:
            return

        first = "; ".join(map(str, self.found[:_TOLD])) + ("; …" if len(self.found) > _TOLD else "")
        why = (
            "; ".join(causes)
            or "spoilt weights, or a number format that overflows (try dtype: bfloat16 or float32)"
        )
        raise ModelError(
            f"{len(self.found)} of {self.of} answers are not finite numbers, the first: {first}; {why}"
        )
