"""How far a download is: huggingface_hub's own progress, sent on to whoever watches."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

PATIENCE = 2.0
"""Seconds before a download is worth a line."""
EVERY = 1.0
"""Seconds between two events."""


Report = Callable[[int, int], None]
"""Takes (bytes done, bytes of all; 0 where that is not known)."""


class DownloadMeter:
    """Adds up the byte bars of one model's downloads and sends what they come to, now and then.

    ``expected``: bytes of all files where that is known, for the hub's client learns sizes file by
    file.
    """

    def __init__(self, report: Report, expected: int | None) -> None:
        self._report, self._expected = report, expected or 0
        self._bars: list[Any] = []
        self._next = time.monotonic() + PATIENCE
        self._lock = threading.Lock()

    def bar_class(self) -> type[Any]:
        """What ``snapshot_download`` takes as ``tqdm_class``: bars that report here and draw nothing."""
        from tqdm.std import tqdm

        meter = self

        class MeteredBar(tqdm):  # type: ignore[misc]
            monitor_interval = 0  # no thread that looks whether a bar should be drawn again

            def __init__(self, *args: Any, **options: Any) -> None:
                # A worker's standard error is its log, where a bar would be thousands of lines.
                super().__init__(*args, **{**options, "file": io.StringIO(), "disable": False})
                if self.unit == "B":
                    meter.add(self)

            def display(self, *_: Any, **__: Any) -> bool:
                return True

            def update(self, n: float | None = 1) -> bool | None:
                result: bool | None = super().update(n)
                meter.report()
                return result

        return MeteredBar

    def add(self, bar: Any) -> None:
        """Takes one more bar into account."""
        with self._lock:
            self._bars.append(bar)

    def report(self) -> None:
        """Sends an event, but none within the first two seconds and one per second after them."""
        with self._lock:
            if (now := time.monotonic()) < self._next:
                return
            self._next = now + EVERY

            # The client shows the same bytes twice, as received and as written to disk, and what
            # it has in another model's blobs it does not receive: the fuller bar is the true one.
            done, total = max(((int(bar.n), int(bar.total or 0)) for bar in self._bars), default=(0, 0))
        if done > 0:
            total = max(self._expected, total, done) if self._expected or total else 0
            self._report(done, total)


_METER: ContextVar[DownloadMeter | None] = ContextVar("download_meter", default=None)


@contextlib.contextmanager
def watched(report: Report, expected: int | None) -> Iterator[None]:
    """Inside, fetching a model is reported: bytes done, and of how many (0: unknown)."""
    token = _METER.set(DownloadMeter(report, expected))
    try:
        yield
    finally:
        _METER.reset(token)


def bar_class() -> type[Any] | None:
    """The class of bars for a download begun now; None where nobody watches."""
    meter = _METER.get()
    return None if meter is None else meter.bar_class()
