"""One model's process under `harness run`, started by the runner, never by hand.

``python -m harness.evaluation.worker RUN_FOLDER --model NAME …``

A process of its own, so that a crash, a kill for memory or a leak ends only this model's cells. It
reads the resolved config from the run folder, says what happens by events, and dies with its parent
(standard input ends).
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

from harness.evaluation.inputs import InputWatch
from harness.workers.serving import serve, worker_arguments
from harness.workers.stream import CommandQueue, EventStream


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
    parser = worker_arguments("harness.evaluation.worker", __doc__)
    parser.add_argument("--shard", default="0/1", help="I/K: the I-th of K workers of this model")
    parser.add_argument("--session", default="")
    args = parser.parse_args()
    index, count = (int(part) for part in args.shard.split("/"))
    stop = Stop()
    watch = InputWatch.start()
    stop.install()

    def work(events: EventStream, commands: CommandQueue) -> None:
        from harness.evaluation.setup import WorkSetup
        from harness.evaluation.work import ModelWork

        setup = WorkSetup.read(args.folder, args.model, args.device, args.session)
        ModelWork(setup, events, stop, watch).run(shard=(index, count))

    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
