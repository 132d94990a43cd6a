"""A worker as its parent sees it: a process of its own, started, talked to, watched and killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.workers.events import Event, EventDecoder
from harness.workers.schedule import WorkerJob
from harness.workers.stream import Command

PATIENCE = 60.0
"""Seconds that a worker has to give its model back."""


@dataclass(frozen=True)
class WorkerCommand:
    """How a job's worker is started: a module run with ``-m``, its arguments, and its log."""

    module: str
    arguments: tuple[str, ...]
    log: Path


class WorkerProcess:
    """A running worker on this machine. It ends when asked to, when killed, or with this process.

    It leads a process group of its own, so that Ctrl-C reaches the parent alone, and so that what
    it starts (vLLM's engine core) can be ended with it.
    """

    def __init__(self, job: WorkerJob, command: WorkerCommand, gpus: Sequence[str]) -> None:
        self.job, self.gpus = job, tuple(gpus)
        self._log = command.log
        line = [sys.executable, "-P", "-m", command.module, *command.arguments]
        self._process = _start(line, command.log, gpus)

    def send(self, command: Command) -> None:
        """Writes a command; one that has ended takes none, and its last event says why."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()

    def events(self) -> Iterator[Event]:
        """What it says, in order, until it has ended."""
        assert self._process.stdout is not None
        decoder = EventDecoder()
        with self._process.stdout as lines:
            for line in lines:
                yield from decoder.decode(line)
        self._process.wait()

    def interrupt(self) -> None:
        """Asks it to stop after the answer in hand."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def quit(self) -> None:
        """Lets a worker that takes commands give its model back and end; kills what is left."""
        if self._process.poll() is None:
            self.send({"do": "quit"})
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        self.kill()

    def kill(self) -> None:
        """Ends it at once, with whatever it started; harmless where it has ended already."""
        kill_group(self._process)
        self._process.wait()
        if self._process.stdin is not None:
            # What was not written yet is lost with its reader.
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def exit_code(self) -> int:
        """Its exit code, minus the signal's number where one killed it; waits for the end."""
        return self._process.wait()

    def exit_reason(self) -> str | None:
        """Why it ended badly, in one line, or None; waits for the end."""
        code = self.exit_code()
        return exit_reason(code, self._log) if code != 0 else None


def _start(line: Sequence[str], log: Path, gpus: Sequence[str]) -> subprocess.Popen[str]:
    log.parent.mkdir(parents=True, exist_ok=True)

    # Appended: a model's second session must not wipe out what the first one's libraries said.
    with log.open("ab") as errors:
        return subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=worker_env(gpus),
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )


def kill_group(process: subprocess.Popen[str]) -> None:
    """Ends what is left of a worker's process group; a worker leads its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def worker_env(gpus: Sequence[str]) -> dict[str, str]:
    """The worker's environment: its GPUs, this package's folder, no telemetry and no bars."""
    package = str(Path(__file__).resolve().parents[2])
    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join(part for part in (package, env.get("PYTHONPATH", "")) if part)
    env.setdefault("TOKENIZERS_PARALLELISM", "true")
    env.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    env.setdefault("TQDM_DISABLE", "1")

    # A task's code that walks through a set asks the same in every process.
    env["PYTHONHASHSEED"] = "0"
    env.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    if gpus:
        env["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    return env


def exit_reason(code: int, log: Path) -> str:
    """Why a worker ended badly, in one line."""
    if code == -signal.SIGKILL:
        return f"the worker was killed (signal 9), most likely for want of memory; log: {log}"
    if code < 0:
        return f"the worker died of signal {-code} ({signal.Signals(-code).name}); log: {log}"
    return f"the worker ended with code {code}; {last_line(log)}log: {log}"


def last_line(log: Path) -> str:
    """The last line of a log that is not blank, with '; ', or nothing."""
    with contextlib.suppress(OSError):
        text = log.read_text(encoding="utf-8", errors="replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return f"{lines[-1][:200]}; " if lines else ""
    return ""
