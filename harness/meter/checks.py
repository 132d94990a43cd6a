"""What a measurement must satisfy before a figure may be made of it. Each check raises an error of
its own name; none mends anything.

The speed of shapes (`harness bench`) lets them end the measurement. An evaluation's natural figures
become null, with the error's text as the reason, so that a clock that is missing never costs an
answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.errors import HarnessError
from harness.items import Answer, Generation


class MeasurementError(HarnessError):
    """A measurement that no figure may be made of."""


class CachedTokensError(MeasurementError):
    """Tokens were read from a cache, or from another item's work, where every one had to be
    computed.
    """


class LengthError(MeasurementError):
    """A prompt or an answer has another number of tokens than was asked for."""


class ClockError(MeasurementError):
    """An event time is missing, or the times are out of order."""


class EnergyError(MeasurementError):
    """There are no joules: nothing readable, or the window is invalid."""


class NotFiniteError(MeasurementError):
    """A figure is NaN or infinite."""


def require_finite(name: str, value: float) -> float:
    """The value. Raises NotFiniteError for NaN or an infinity."""
    if not math.isfinite(value):
        raise NotFiniteError(f"{name}: a figure is a finite number, got {value}; the measurement is not kept")
    return value


def require_positive(name: str, value: float) -> float:
    """The value.

    Raises NotFiniteError for NaN or an infinity and ClockError for a time or rate that is not above
    zero.
    """
    if require_finite(name, value) <= 0:
        raise ClockError(
            f"{name}: expected a number above zero, got {value}; the clock did not move or nothing was done"
        )
    return value


def require_lengths(answers: Sequence[Generation], output: int, prompt: int | None = None) -> None:
    """Every answer wrote ``output`` tokens (to a prompt of ``prompt``, where given).

    Raises LengthError with the first that did not.
    """
    for answer in answers:
        if answer.tokens.output != output:
            text = (
                f"{answer.key}: expected {output} output tokens, got {answer.tokens.output} "
                f"(finish: {answer.finish})"
            )
            raise LengthError(
                f"{text}; ask with ignore_eos and a window of at least prompt and output together"
            )

        if prompt is not None and answer.tokens.prompt != prompt:
            raise LengthError(
                f"{answer.key}: expected a prompt of {prompt} tokens, got {answer.tokens.prompt}; pass token "
                "ids, not text"
            )


def require_uncached(answers: Sequence[Answer]) -> None:
    """No prompt token came from a cache.

    Raises CachedTokensError with the first answer that read some.
    """
    for answer in answers:
        if answer.tokens.shared:
            text = (
                f"{answer.key}: {answer.tokens.shared} of {answer.tokens.prompt} prompt tokens were read "
                "from a cache, expected 0"
            )
            raise CachedTokensError(f"{text}; turn the prefix cache off and give every request other tokens")


def require_last(answers: Sequence[Generation]) -> None:
    """Every answer says when its last token came, and an endpoint's when it was asked for.

    Raises ClockError where a time is missing, not finite, or out of order.
    """
    for answer in answers:
        sent, last = answer.sent or 0.0, answer.last_token
        if last is None:
            raise ClockError(f"{answer.key}: the engine gave no time of the last token; latency is unknown")
        if not (math.isfinite(sent) and math.isfinite(last)) or not 0 <= sent <= last:
            raise ClockError(
                f"{answer.key}: expected 0 <= request <= last token in seconds, got {sent} and {last}"
            )


def require_clock(answers: Sequence[Generation]) -> None:
    """Every answer says when its first and last token came.

    Raises ClockError where one is missing, not finite, or out of order.
    """
    for answer in answers:
        first, last, sent = answer.first_token, answer.last_token, answer.sent or 0.0
        if first is None or last is None:
            raise ClockError(
                f"{answer.key}: the engine gave no time of the {'first' if first is None else 'last'} token; "
                "latency is unknown"
            )

        if not (math.isfinite(first) and math.isfinite(last)) or not 0 <= sent <= first <= last:
            raise ClockError(
                f"{answer.key}: expected 0 <= first token <= last token in seconds, got {first} and {last}"
            )
