"""Where workers run: the `Executor` protocol, and the executor of this machine.

A cluster's scheduler is another implementation of the same protocol: it decides by its own means
where a job finds its GPUs, and hands on the events of a process that may run elsewhere.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from harness.workers.devices import Machine
from harness.workers.events import Event, WorkerExited, WorkerFailed
from harness.workers.process import WorkerCommand, WorkerProcess
from harness.workers.schedule import WorkerJob
from harness.workers.stream import Command

CommandOf = Callable[[WorkerJob], WorkerCommand]
"""How a job's worker is started: what evaluation and benchmark differ in."""


class Worker(Protocol):
    """A running worker, wherever it runs."""

    job: WorkerJob
    gpus: tuple[str, ...]

    def send(self, command: Command) -> None:
        """Sends a command."""

    def events(self) -> Iterator[Event]:
        """What it says, in order, until it has ended."""

    def interrupt(self) -> None:
        """Asks it to stop after the answer in hand."""

    def quit(self) -> None:
        """Lets it give its model back and end."""

    def kill(self) -> None:
        """Ends it at once."""

    def exit_code(self) -> int:
        """Its exit code; waits for the end."""

    def exit_reason(self) -> str | None:
        """Why it ended badly, or None; waits for the end."""


class Executor(Protocol):
    """Starts workers, hands on what they say, and sees how they end."""

    def start(self, job: WorkerJob) -> Worker:
        """Starts one worker now; its owner talks to it, and gives it back to `release`."""

    def release(self, worker: Worker) -> None:
        """Takes back the devices of a worker that has ended."""

    def run(self, jobs: Sequence[WorkerJob]) -> Iterator[Event]:
        """Runs every job to its end and yields their events in order of arrival."""

    def stop(self) -> None:
        """Asks every worker of `run` to stop after the answer in hand; starts no more."""

    def kill(self) -> None:
        """Ends every worker of `run` at once."""


class LocalExecutor:
    """Workers on this machine: as many at once as there are GPUs for, one at a time on the CPU.

    Every job of `run` ends with one `WorkerExited`.
    """

    def __init__(self, machine: Machine, command_of: CommandOf) -> None:
        self.machine, self._command_of = machine, command_of
        self.stopping = False
        self._events: queue.Queue[tuple[Worker, Event | None]] = queue.Queue()
        self._running: list[Worker] = []
        self._failures: dict[WorkerJob, str] = {}
        self._free = [gpu.index for gpu in machine.gpus]

    def start(self, job: WorkerJob) -> Worker:
        """Starts a worker on free GPUs; where too few are free, it shares the first ones."""
        enough = len(self._free) >= job.gpus
        gpus = (self._free if enough else [gpu.index for gpu in self.machine.gpus])[: job.gpus]
        self._free = [index for index in self._free if index not in gpus]
        return WorkerProcess(job, self._command_of(job), gpus)

    def release(self, worker: Worker) -> None:
        """Gives a worker's GPUs to the next one, in the machine's order."""
        free = {*self._free, *worker.gpus}
        self._free = [gpu.index for gpu in self.machine.gpus if gpu.index in free]

    def run(self, jobs: Sequence[WorkerJob]) -> Iterator[Event]:
        """Yields events until every job has ended, or, after `stop`, those that were running."""
        waiting = list(jobs)
        try:
            while self._running or (waiting and not self.stopping):
                self._start_what_fits(waiting)
                # A timeout, so that a signal's handler gets its turn while nothing is said.
                with contextlib.suppress(queue.Empty):
                    yield self._next(*self._events.get(timeout=0.5))
        finally:
            self.kill()

    def stop(self) -> None:
        """Asks every worker to stop after the answer in hand."""
        self.stopping = True
        for worker in self._running:
            worker.interrupt()

    def kill(self) -> None:
        """Ends every worker at once, with whatever it started."""
        for worker in self._running:
            worker.kill()
        self._running.clear()

    def _start_what_fits(self, waiting: list[WorkerJob]) -> None:
        if self.stopping:
            return
        for job in list(waiting):
            fits = len(self._free) >= job.gpus if self.machine.device == "cuda" else not self._running
            if fits:
                waiting.remove(job)
                worker = self.start(job)
                self._running.append(worker)
                threading.Thread(target=self._listen, args=(worker,), daemon=True).start()

    def _listen(self, worker: Worker) -> None:
        for event in worker.events():
            self._events.put((worker, event))
        self._events.put((worker, None))

    def _next(self, worker: Worker, event: Event | None) -> Event:
        if event is None:
            return self._ended(worker)
        if isinstance(event, WorkerFailed):
            self._failures[worker.job] = event.reason
            return replace(event, model=worker.job.model)
        return event

    def _ended(self, worker: Worker) -> WorkerExited:
        # After the second Ctrl-C all are killed and forgotten, but their last words still arrive.
        if worker in self._running:
            self._running.remove(worker)
            self.release(worker)

        # A worker that was killed leaves the processes it started (vLLM's engine core).
        worker.kill()
        job = worker.job
        reason = self._failures.get(job) or worker.exit_reason()
        return WorkerExited(job.model, job.shard, reason, worker.exit_code())
