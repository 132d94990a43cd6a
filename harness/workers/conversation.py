"""One command, one answer: how a parent talks to a worker that waits for commands."""

from __future__ import annotations

from typing import Any

from harness.errors import HarnessError
from harness.workers.events import CommandAnswered, CommandRefused, WorkerFailed
from harness.workers.executor import Worker


class Refused(HarnessError):
    """A worker's answer to a command that gave no figure: its process lives on.

    ``kind`` is the named error.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class WorkerDied(HarnessError):
    """A worker ended: it could not load, or it was killed."""


class Conversation:
    """Asks one worker; other events than answers (notes, progress) are passed over."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._events = worker.events()

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer.

        Raises Refused where it gave no figure, WorkerDied where the process ended.
        """
        self.worker.send({"do": do, **fields})

        for event in self._events:
            if isinstance(event, CommandAnswered):
                return event.data
            if isinstance(event, CommandRefused):
                raise Refused(event.error, event.reason)
            if isinstance(event, WorkerFailed):
                self.worker.kill()
                raise WorkerDied(event.reason)
        raise WorkerDied(self.worker.exit_reason() or "the worker ended without an answer")
