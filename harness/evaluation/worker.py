"""One model's process: ``python -m harness.evaluation.worker RUN_FOLDER --model NAME …``, started
by the runner, never by hand.

A process of its own, so that a crash, a kill for memory or a leak ends only this model's cells. It
reads the resolved config from the run folder, tells the parent what happens by JSON lines, and dies
with the parent (standard input ends).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from harness.workers.events import EventStream


class Stop:
    """Set by the first SIGINT: finish the answer in hand, keep it, and go.

    The second one is Python's own KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self.asked = False

    def install(self) -> None:
        """Takes over SIGINT."""
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> int:
    """Runs the worker; returns its exit code (0 also when cells failed: their status says so)."""
    parser = argparse.ArgumentParser(prog="harness.evaluation.worker", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", required=True, choices=["cpu", "cuda"])
    parser.add_argument("--shard", default="0/1", help="I/K: the I-th of K workers of this model")
    parser.add_argument("--session", default="")
    args = parser.parse_args()
    events = EventStream.on_stdout()
    stop = Stop()
    stop.install()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    events.send("hello", pid=os.getpid())

    from harness.errors import HarnessError
    from harness.evaluation.setup import WorkSetup
    from harness.evaluation.work import ModelWork

    index, count = (int(part) for part in args.shard.split("/"))
    try:
        setup = WorkSetup.read(args.folder, args.model, args.device, args.session)
        ModelWork(setup, events, stop).run(shard=(index, count))
    except HarnessError as error:
        events.send("fatal", reason=str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _die_with_parent() -> None:
    """Blocks until the parent's end of standard input closes, which happens however the parent
    dies.
    """
    try:
        while os.read(
            0, 1
        ):  # not sys.stdin: its lock, held by a daemon thread, would abort the interpreter's exit
            pass
    except OSError:
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
