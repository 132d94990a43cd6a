"""What every worker's ``main`` does: arguments, pipes, and errors turned into a last event."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError
from harness.workers.events import WorkerFailed, WorkerStarted
from harness.workers.stream import CommandQueue, EventStream

Body = Callable[[EventStream, CommandQueue], None]


def worker_arguments(prog: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with what every worker is given: run folder, model, device."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", required=True, choices=["cpu", "cuda"])
    return parser


def serve(body: Body) -> int:
    """Runs a worker's work; returns its exit code: 0, an error's own, or 130 after Ctrl-C.

    A `HarnessError` is the worker's last event; any other error is a traceback in the log.
    """
    events, commands = EventStream.on_stdout(), CommandQueue()
    commands.listen()
    events.send(WorkerStarted(os.getpid()))

    # The body imports torch and the like itself: what those print goes to the log from here on.
    try:
        body(events, commands)
    except HarnessError as error:
        events.send(WorkerFailed(str(error)))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0
