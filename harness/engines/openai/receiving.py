"""The body of an answer from the wire: in one piece, or as a stream of events whose
times are noted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.engines.openai.assembling import Assembly
from harness.engines.openai.complaints import Complaint, complaint_of
from harness.engines.openai.events import EventReader, looks_streamed
from harness.retries import PassingError

LINGER = 5.0
"""Seconds that a stream may stay open behind its whole answer; token counts may still come."""
Kind = str
"""What kind of failure a request met: ``http_429`` (any status as the server gave it), ``timeout``,
``connection``, ``dropped``, ``unreadable``, ``error_in_answer``.
"""


class RequestFailure(PassingError):
    """A request that failed in a way that may pass, by its kind."""

    def __init__(self, kind: Kind, reason: str, wait: float | None = None, words: str = "") -> None:
        super().__init__(reason, wait, words)
        self.kind = kind


@dataclass(frozen=True)
class Reply:
    """An answer and its times, in seconds of `time.perf_counter`.

    ``sent``: when the request that was answered went out (earlier tries do not count); ``first``
    and ``last``: its first and last token, ``first`` None where the answer came in one piece.
    ``cut``: the connection broke behind the whole answer, perhaps before its token counts.
    """

    answer: Any
    sent: float
    last: float
    first: float | None = None
    streamed: bool = False
    cut: bool = False


class Receiver:
    """Reads one body. ``seconds``: how long the whole answer may take.

    ``assembly``: the answer as far as it came, where it is a stream. ``complaint``: the error that
    came as one of its chunks and ended it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds
        self._events = EventReader()
        self.assembly: Assembly | None = None
        self.complaint: Complaint | None = None
        self.body = b""

    @property
    def complete(self) -> bool:
        """Whether a stream said that its answer is whole."""
        return self.assembly is not None and (self._events.done or self.assembly.finished)

    @property
    def usage(self) -> Any:
        """What the server counted in a stream, so far."""
        return None if self.assembly is None else self.assembly.usage

    def read(self, parts: Iterable[bytes], hang_up: Callable[[], None]) -> None:
        """Takes the body in parts; calls ``hang_up`` where a stream stays open behind its answer.

        Raises RequestFailure for one that is late, or a stream of anything but chunks.
        """
        # Reading on to the end keeps the connection for the next request, but some servers never
        # end it.
        timer = threading.Timer(LINGER, hang_up)
        timer.daemon = True
        try:
            self._read(parts, timer)
        finally:
            timer.cancel()

    def _read(self, parts: Iterable[bytes], timer: threading.Timer) -> None:
        waiting = False
        for part in parts:
            if self.assembly is None:
                self.body += part
                # Only its first bytes tell: servers send JSON under the stream's content type and
                # the other way round.
                if looks_streamed(self.body):
                    self.assembly, part = Assembly(), self.body
            if self.assembly is not None:
                self._add(self.assembly, part)
            if self.complete and not waiting:
                waiting = True
                timer.start()
            # A server that sends a byte now and then is late all the same.
            if time.monotonic() > self._end and not self.complete:
                raise RequestFailure("timeout", f"no whole answer in {self._seconds:g} s")
        if self.assembly is not None:
            self._add(self.assembly, None)

    def _add(self, assembly: Assembly, part: bytes | None) -> None:
        now = time.perf_counter()
        try:
            for chunk in self._events.close() if part is None else self._events.feed(part):
                if not isinstance(chunk, Mapping):
                    raise ValueError(f"an event that is no object but {type(chunk).__name__}")
                assembly.add(chunk, now)
                # An error may come as a chunk, after half of the answer; token counts may follow it.
                complaint = complaint_of(chunk, None if "usage" in chunk else "choices")
                self.complaint = self.complaint or complaint
        except ValueError as error:
            text = "a stream of something else than chunks"
            raise RequestFailure("unreadable", text, words=str(error)) from error
