"""When the next request may go: requests and tokens a minute, pauses that the endpoint asks for,
and growing waits after failures.
"""

from __future__ import annotations

import email.utils
import random
import threading
import time
from collections.abc import Mapping


class Throttle:
    """At most ``per_minute`` units a minute, evenly spaced, from any number of threads.

    None is no limit.
    """

    def __init__(self, per_minute: float | None) -> None:
        self._seconds = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def take(self, units: float, now: float) -> float:
        """Books ``units``; returns how many seconds from ``now`` (monotonic clock) to wait before
        they may be spent.
        """
        if not self._seconds:
            return 0.0
        with self._lock:
            start = max(now, self._next)
            self._next = start + units * self._seconds
        return start - now

    def correct(self, units: float) -> None:
        """Books what was really spent beyond the estimate, or gives back what was not."""
        with self._lock:
            self._next += units * self._seconds


class Gate:
    """A pause for all threads: what ``Retry-After`` means is that the endpoint wants no request at
    all for a while.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    def close_for(self, seconds: float) -> None:
        """Closes the gate for so many seconds from now; a longer pause already set stays."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + seconds)

    def wait(self, stop: threading.Event) -> bool:
        """Waits until the gate is open; false when ``stop`` was set meanwhile."""
        while (left := self._until - time.monotonic()) > 0:
            if stop.wait(left):
                return False
        return not stop.is_set()


def backoff(attempt: int, first: float, most: float) -> float:
    """Seconds before repetition ``attempt`` (0 is the first): doubled each time, capped, and a
    random half of it taken off or not.

    The jitter keeps many clients that failed together from coming back together (exponential
    back-off with equal jitter).
    """
    return float(min(most, first * 2.0**attempt) * random.uniform(0.5, 1.0))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait: ``retry-after-ms``, or ``retry-after`` as seconds or
    as an HTTP date (RFC 9110, 10.2.3).
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
