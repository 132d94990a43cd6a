"""The parent's end of a bench worker: one command, one answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from harness.errors import HarnessError
from harness.results.folder import RunFolder
from harness.workers.events import parse_event
from harness.workers.executor import exit_reason, kill_group, start_process


class Refused(HarnessError):
    """A worker's answer to a command that gave no figure: its process lives on.

    ``kind`` is the named error.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class WorkerDied(HarnessError):
    """A worker ended: it could not load, or it was killed."""


class BenchProcess:
    """A model's worker. Started at once; ends with `quit`, or with this process."""

    def __init__(self, folder: RunFolder, model: str, device: str, gpus: Sequence[str]) -> None:
        self.model = model
        self._log = folder.log(model)
        command = [
            sys.executable,
            "-P",
            "-m",
            "harness.benchmark.worker",
            str(folder.path),
            "--model",
            model,
            "--device",
            device,
        ]
        self._process: subprocess.Popen[str] = start_process(command, self._log, gpus)

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer.

        Raises Refused where it gave no figure, WorkerDied where the process ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended: its last words say why
        return self._answer()

    def quit(self) -> None:
        """Lets it give its model back and end; kills what is left."""
        try:
            if self._process.poll() is None and self._process.stdin is not None:
                self._process.stdin.write('{"do": "quit"}\n')
                self._process.stdin.flush()
                self._process.wait(60)
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.kill()

    def kill(self) -> None:
        """Ends it at once, with whatever it started."""
        kill_group(self._process)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = parse_event(line)
            if event is None:
                continue
            kind = event.pop("event")
            if kind == "answer":
                return event
            if kind == "refused":
                raise Refused(str(event.get("error")), str(event.get("reason")))
            if kind == "fatal":
                self.kill()
                raise WorkerDied(str(event.get("reason")))
        code = self._process.wait()
        raise WorkerDied(exit_reason(code, self._log))
