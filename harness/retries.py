"""Asking a server again: tenacity's loop with what our HTTP clients share, the reading of
``Retry-After`` and the growing waits.
"""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt


class PassingError(Exception):
    """A failure that may pass; ``wait`` is what the server asked for, in seconds, ``words`` are its
    own.
    """

    def __init__(self, reason: str, wait: float | None = None, words: str = "") -> None:
        super().__init__(reason)
        self.wait, self.words = wait, words


def retrying(
    retries: int,
    most: float,
    *,
    wait: Callable[[PassingError, int], float],
    sleep: Callable[[float], Any],
    noted: Callable[[PassingError], None] = lambda _: None,
    before_sleep: Callable[[PassingError, float], None] = lambda failure, seconds: None,
) -> Retrying:
    """A loop that repeats a call up to ``retries`` times while it raises PassingError, then raises
    the last one; at once where a server asks for more than ``most`` seconds.

    ``wait`` gives the seconds after a failure and the number of failures before it. ``noted`` hears
    of each failure, ``before_sleep`` of each that is followed by a repetition, with the seconds.
    """

    def asks_too_long(state: RetryCallState) -> bool:
        wanted = _failure(state).wait
        return wanted is not None and wanted > most

    # A pause longer than anyone would wait for ends it at once, whatever tries are left.
    return Retrying(
        retry=retry_if_exception_type(PassingError),
        stop=lambda state: stop_after_attempt(retries + 1)(state) or asks_too_long(state),
        wait=lambda state: wait(_failure(state), state.attempt_number - 1),
        after=lambda state: noted(_failure(state)),
        before_sleep=lambda state: before_sleep(_failure(state), state.upcoming_sleep),
        sleep=sleep,
        reraise=True,
    )


def _failure(state: RetryCallState) -> PassingError:
    failure = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(failure, PassingError)
    return failure


def backoff(attempt: int, first: float, most: float) -> float:
    """Seconds before repetition ``attempt`` (0 is the first): doubled each time, capped, and up to
    half of it taken off at random.

    The jitter keeps many clients that failed together from coming back together (exponential
    back-off with equal jitter). tenacity has full jitter only, which may wait for no time at all.
    """
    return float(min(most, first * 2.0**attempt) * random.uniform(0.5, 1.0))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: ``retry-after-ms``, or ``retry-after`` as seconds or as an
    HTTP date (RFC 9110, 10.2.3).
    """
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)

        value = headers.get("retry-after", "")
        if not value:
            return None
        try:
            return max(0.0, float(value))
        except ValueError:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
