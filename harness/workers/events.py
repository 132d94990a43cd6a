"""What a worker tells its parent: one JSON line an event on a pipe of its own.

What libraries print goes to the worker's log instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Any, TextIO

Event = dict[str, Any]


class EventStream:
    """The worker's end.

    Takes over standard output: from then on whatever a library prints there goes to standard error
    (the log).
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = 0.0

    @classmethod
    def on_stdout(cls) -> EventStream:
        """Keeps the real standard output for events and points file descriptor 1 at standard
        error.
        """
        private = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        return cls(os.fdopen(private, "w", encoding="utf-8", buffering=1))

    def send(self, kind: str, **fields: Any) -> None:
        """Sends an event; a parent that is gone is no reason to stop (the journal has
        everything).
        """
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._stream.write(json.dumps({"event": kind, **fields}, ensure_ascii=True) + "\n")

    def progress(self, *, force: bool = False, **fields: Any) -> None:
        """Sends a ``progress`` event, at most ten a second."""
        now = time.monotonic()
        if force or now - self._last >= 0.1:
            self._last = now
            self.send("progress", **fields)


def parse_event(line: str) -> Event | None:
    """An event from a worker's line, or None for a line that is none."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
