"""One model's process under `harness bench`: ``python -m harness.benchmark.worker RUN_FOLDER
--model NAME …``, started by the parent only.

It answers each command from standard input with one event, and dies with its parent, when that
input ends. A measurement that no figure may be made of is an answer ("refused"), not the end.
"""

from __future__ import annotations

import sys

from harness.workers.events import CommandAnswered, CommandRefused
from harness.workers.serving import serve, worker_arguments
from harness.workers.stream import CommandQueue, EventStream


def main() -> int:
    """Answers commands until one says quit; returns the exit code."""
    args = worker_arguments("harness.benchmark.worker", __doc__).parse_args()

    def work(events: EventStream, commands: CommandQueue) -> None:
        from harness.benchmark.work import BenchWork
        from harness.errors import ConfigError, OutOfMemoryError
        from harness.meter.checks import MeasurementError

        bench = BenchWork(args.folder, args.model, args.device)
        try:
            while (command := commands.get())["do"] != "quit":
                try:
                    events.send(CommandAnswered(bench.answer(command)))
                except (MeasurementError, OutOfMemoryError, ConfigError) as error:
                    events.send(CommandRefused(type(error).__name__, str(error)))
        finally:
            bench.close()

    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
