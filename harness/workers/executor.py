"""Starts workers, hands on what they say, and sees how they end: on this machine, each a process of
its own.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.results.folder import RunFolder
from harness.workers.devices import Machine
from harness.workers.events import Event, parse_event
from harness.workers.schedule import WorkerJob


@dataclass
class _Running:
    job: WorkerJob
    process: subprocess.Popen[str]
    gpus: list[str]
    fatal: str | None = None
    threads: list[threading.Thread] = field(default_factory=list)


class LocalExecutor:
    """Runs jobs as soon as enough GPUs are free (on the CPU one at a time) and yields their events
    in order of arrival.

    Every job ends with ``{"event": "exit", "model", "shard", "reason"}``, the reason null where it
    ended well.
    """

    def __init__(self, folder: RunFolder, machine: Machine, session: str) -> None:
        self.folder, self.machine, self.session = folder, machine, session
        self._events: queue.Queue[tuple[_Running, Event | None]] = queue.Queue()
        self._running: list[_Running] = []
        self._free = [gpu.index for gpu in machine.gpus]
        self.stopping = False

    def run(self, jobs: Sequence[WorkerJob]) -> Iterator[Event]:
        """Yields events until every job has ended, or until those that run have ended once `stop`
        was called.
        """
        waiting = list(jobs)
        try:
            while self._running or (waiting and not self.stopping):
                self._start_what_fits(waiting)
                with contextlib.suppress(queue.Empty):
                    yield from self._take(self._events.get(timeout=0.5))
        finally:
            self.kill()

    def _take(self, message: tuple[_Running, Event | None]) -> Iterator[Event]:
        worker, event = message
        if event is None:
            yield self._ended(worker)
        elif event["event"] == "fatal":
            worker.fatal = str(event.get("reason"))
            yield {**event, "model": worker.job.model}
        else:
            yield event

    def stop(self) -> None:
        """Asks every worker to stop after the answer in hand."""
        self.stopping = True
        for worker in self._running:
            with contextlib.suppress(ProcessLookupError):
                worker.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Ends every worker at once, with whatever it started."""
        for worker in self._running:
            kill_group(worker.process)
            worker.process.wait()
        self._running.clear()

    def _start_what_fits(self, waiting: list[WorkerJob]) -> None:
        if self.stopping:
            return
        for job in list(waiting):
            fits = len(self._free) >= job.gpus if self.machine.device == "cuda" else not self._running
            if fits:
                waiting.remove(job)
                gpus, self._free = self._free[: job.gpus], self._free[job.gpus :]
                self._running.append(self._start(job, gpus))

    def _start(self, job: WorkerJob, gpus: list[str]) -> _Running:
        command = [
            sys.executable,
            "-P",
            "-m",
            "harness.evaluation.worker",
            str(self.folder.path),
            "--model",
            job.model,
        ]
        command += [
            "--device",
            self.machine.device,
            "--shard",
            f"{job.shard}/{job.shards}",
            "--session",
            self.session,
        ]
        process = start_process(command, self.folder.log(job.model, job.shard), gpus)
        worker = _Running(job, process, gpus)
        thread = threading.Thread(target=self._listen, args=(worker,), daemon=True)
        worker.threads.append(thread)
        thread.start()
        return worker

    def _listen(self, worker: _Running) -> None:
        assert worker.process.stdout is not None
        for line in worker.process.stdout:
            event = parse_event(line)
            if event is not None:
                self._events.put((worker, event))
        worker.process.wait()
        self._events.put((worker, None))

    def _ended(self, worker: _Running) -> Event:
        self._running.remove(worker)
        self._free += worker.gpus
        if worker.process.stdin is not None:
            worker.process.stdin.close()
        kill_group(
            worker.process
        )  # a worker that was killed leaves the processes it started (vLLM's engine core)
        code = worker.process.returncode
        reason = worker.fatal
        if reason is None and code != 0:
            reason = exit_reason(code, self.folder.log(worker.job.model, worker.job.shard))
        return {
            "event": "exit",
            "model": worker.job.model,
            "shard": worker.job.shard,
            "reason": reason,
            "code": code,
        }


def start_process(command: Sequence[str], log: Path, gpus: Sequence[str]) -> subprocess.Popen[str]:
    """A worker in a process group of its own, with pipes to its standard input and output; what it
    says of errors is added to ``log``.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        return subprocess.Popen(
            command,
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
    """The worker's environment: its GPUs, this package's folder, and no telemetry or progress bars
    in the log.
    """
    package = str(Path(__file__).resolve().parents[2])
    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join(part for part in (package, env.get("PYTHONPATH", "")) if part)
    env.setdefault("TOKENIZERS_PARALLELISM", "true")
    env.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    env.setdefault("TQDM_DISABLE", "1")
    # a task's code that walks through a set asks the same in every process
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
    """The last line that says something in a log, with '; ', or nothing."""
    with contextlib.suppress(OSError):
        lines = [
            line.strip()
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
            if line.strip()
        ]
        return f"{lines[-1][:200]}; " if lines else ""
    return ""
