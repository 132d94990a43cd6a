"""When the next request may go: requests and tokens per minute, and pauses that the endpoint asks
for.

Growing waits after failures are `harness.retries`. tenacity repeats one call; neither a budget per
minute nor a pause for every thread is a part of it, so these two are ours.
"""

from __future__ import annotations

import threading
import time


class Throttle:
    """At most ``per_minute`` units per minute, evenly spaced, from any number of threads.

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
