"""One model's process under `harness bench`: ``python -m harness.benchmark.worker RUN_FOLDER
--model NAME …``, started by the parent only.

It reads commands (a JSON line each) from standard input and answers each with one event; it dies
with its parent, when that input ends. A measurement that no figure may be made of is an answer
("refused"), not the end.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

from harness.workers.events import EventStream

Command = dict[str, Any]


def main() -> int:
    """Answers commands until told to quit; returns the exit code."""
    parser = argparse.ArgumentParser(prog="harness.benchmark.worker", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", required=True, choices=["cpu", "cuda"])
    args = parser.parse_args()
    events = EventStream.on_stdout()
    commands: queue.Queue[Command] = queue.Queue()
    threading.Thread(target=_read, args=(commands,), daemon=True).start()

    from harness.benchmark.work import BenchWork
    from harness.errors import ConfigError, HarnessError, OutOfMemoryError
    from harness.meter.checks import MeasurementError

    work = None
    try:
        work = BenchWork(args.folder, args.model, args.device)
        while (command := commands.get())["do"] != "quit":
            try:
                events.send("answer", **work.answer(command))
            except (MeasurementError, OutOfMemoryError, ConfigError) as error:
                events.send("refused", reason=str(error), error=type(error).__name__)
    except HarnessError as error:
        events.send("fatal", reason=str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    finally:
        if work is not None:
            work.close()
    return 0


def _read(commands: queue.Queue[Command]) -> None:
    """Lines of standard input as commands; its end ends this process at once (not sys.stdin: its
    lock would abort the exit).
    """
    rest = b""
    while part := os.read(0, 1 << 16):
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            commands.put(json.loads(line))
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
