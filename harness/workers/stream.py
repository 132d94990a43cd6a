"""The worker's end of the pipe: events out, commands in, and an end that follows the parent's."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
from typing import Any, TextIO

from harness.workers.events import CellProgress, Event, encode_event

Command = dict[str, Any]
"""What a parent asks of a worker: ``do`` names it, the other keys are its arguments."""
PROGRESS_SECONDS = 0.1
"""Least seconds between two progress events: a fast engine answers thousands of items per second."""


class EventStream:
    """Writes events as lines; a parent that is gone is no reason to stop (the journal has all)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = 0.0

    @classmethod
    def on_stdout(cls) -> EventStream:
        """Takes standard output for events alone.

        From then on whatever a library prints there, from Python or from C, goes to standard error
        (the log): a stray line between two events would not harm, half a line would.
        """
        private = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        return cls(os.fdopen(private, "w", encoding="utf-8", buffering=1))

    def send(self, event: Event) -> None:
        """Sends an event at once."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._stream.write(encode_event(event) + "\n")

    def progress(self, event: CellProgress, *, force: bool = False) -> None:
        """Sends a progress event unless the one before was just now."""
        now = time.monotonic()
        if force or now - self._last >= PROGRESS_SECONDS:
            self._last = now
            self.send(event)


class CommandQueue:
    """Commands from standard input, one JSON line each. Its end ends this process at once.

    So a worker dies with its parent however that dies, also by ``kill -9``.
    """

    def __init__(self) -> None:
        self._commands: queue.Queue[Command] = queue.Queue()

    def listen(self) -> None:
        """Starts to read, in a thread of its own."""
        threading.Thread(target=self._read, daemon=True).start()

    def get(self) -> Command:
        """The next command; waits for one."""
        return self._commands.get()

    def _read(self) -> None:
        # Not sys.stdin: its lock, held by a daemon thread, would abort the interpreter's exit.
        rest = b""
        with contextlib.suppress(OSError):
            while part := os.read(0, 1 << 16):
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    self._commands.put(json.loads(line))
        os._exit(1)
