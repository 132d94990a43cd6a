"""The walk from a config to ``results.json``: prepare the folder, run the workers, assemble."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from harness.config.schema import ModelSpec
from harness.evaluation.assemble import assemble
from harness.evaluation.identity import digest
from harness.evaluation.manifest import make_manifest
from harness.evaluation.rows import CellFacts, failed_row
from harness.evaluation.settled import SettledCells
from harness.evaluation.speeds import keep_speeds, read_estimate
from harness.evaluation.stopwatch import ModelStopwatch, plan_and_truth
from harness.notebook import NotebookTables
from harness.results.files import write_json
from harness.results.folder import FolderLock, RunFolder
from harness.results.journal import CellRecord, Journal
from harness.results.schema import Results, Status
from harness.workers.devices import Machine, find_machine
from harness.workers.events import CellEnded, Event, RunPlanned, WorkerExited, WorkerFailed, WorkerNote
from harness.workers.executor import Executor, LocalExecutor
from harness.workers.process import WorkerCommand
from harness.workers.schedule import WorkerJob, make_jobs

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.progress.reporters import Reporter
    from harness.tasks.api import Expansion, TaskSpec


@dataclass(frozen=True)
class RunOutcome(NotebookTables):
    """What a run left.

    ``exit_code``: 0 all cells done, 1 some failed, 3 an expectation failed, 130 interrupted.
    """

    results: Results
    folder: Path
    exit_code: int
    notes: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        """The folder, how it ended, and how many cells are in which state."""
        cells = {(row.model, row.task): row.status for row in self.results.rows}
        states = ", ".join(f"{count} {status}" for status, count in Counter(cells.values()).items())
        ended = f"exit code {self.exit_code}; cells: {states or 'none'}"
        return f"RunOutcome of {self.results.name}: {ended}\n  {self.folder}"


def run_config(
    loaded: LoadedConfig, *, out: Path | None = None, fresh: bool = False, reporter: Reporter | None = None
) -> RunOutcome:
    """Runs what is missing of a config and writes its run folder (``results/<name>`` unless ``out``).

    Raises ConfigError for wrong tasks or devices and RunFolderError for a folder that cannot be
    used; a model's or task's failure is no exception but a status in the results.
    """
    from harness.evaluation.names import check_names
    from harness.progress.reporters import SilentReporter

    config = loaded.config
    folder = RunFolder((out or Path("results") / config.name).absolute())
    expansion = check_names(loaded)
    machine = find_machine(config.device)
    folder.prepare(config.name, {model.label for model in config.models}, loaded.to_yaml(), fresh=fresh)
    with FolderLock(folder.path):
        return _Run(loaded, folder, expansion, machine, reporter or SilentReporter()).go()


class _Run:
    def __init__(
        self,
        loaded: LoadedConfig,
        folder: RunFolder,
        expansion: Expansion,
        machine: Machine,
        reporter: Reporter,
    ) -> None:
        self.loaded, self.config = loaded, loaded.config
        self.folder, self.expansion = folder, expansion
        self.machine, self.reporter = machine, reporter

        # Unique, since answers are counted by the session that gave them.
        self.session = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{uuid.uuid4().hex[:6]}"
        self.ended: set[tuple[str, str]] = set()
        self.stopwatch = ModelStopwatch()
        self.fatal: list[str] = []
        self.interrupted = False

    def go(self) -> RunOutcome:
        """Runs the jobs and puts the results together."""
        begin = time.time()
        journal = Journal(self.folder.journal)
        executor = LocalExecutor(self.machine, self._command)
        jobs = make_jobs(self.config.models, self._weights(), self.machine, len(self.expansion.tasks))
        labels = [model.label for model in self.config.models]
        names = [task.name for task in self.expansion.tasks]

        groups = {task.name: task.groups[0] for task in self.expansion.tasks if task.groups}
        weighted = tuple(group.name for group in self.expansion.groups if group.weighted)
        cells = len(labels) * len(names)
        self.reporter.event(RunPlanned(tuple(labels), tuple(names), cells, groups, weighted))
        waiting = self._unsettled(jobs, journal)
        with self._interruptible(executor):
            for event in executor.run(waiting):
                self._follow(event, journal, jobs)
        took = time.time() - begin
        self._close_open_cells(journal, labels, self.expansion.tasks)
        session = {"session": self.session, "begin": begin, "end": time.time()}
        journal.put_meta("sessions", [*(journal.meta("sessions") or []), session])

        # From the journal alone, so that a run that was killed and resumed reads like any other.
        results = assemble(journal, self.loaded, self.expansion)
        write_json(self.folder.results, results.model_dump(mode="json"))
        write_json(self.folder.manifest, make_manifest(journal, self.loaded, self.machine, results))
        journal.close()
        keep_speeds(self.config, self.machine, results, self.stopwatch.whole_models(results))
        self._compare_with_plan(took)
        return RunOutcome(results, self.folder.path, self._exit_code(results), self._notes(results))

    def _unsettled(self, jobs: Sequence[WorkerJob], journal: Journal) -> list[WorkerJob]:
        """The jobs that need a worker; of the others the cells are said as they stand."""
        settled = SettledCells(self.loaded, self.machine, self.folder, journal)
        waiting = []
        for job in jobs:
            tasks = [task.name for task in self.expansion.tasks[job.shard :: job.shards]]
            cells = settled.cells(job, tasks)
            if cells is None:
                settled.begin(job)
                waiting.append(job)
            for cell in cells or ():
                self.ended.add((cell.model, cell.task))
                self.reporter.event(_ended_before(cell))
        return waiting

    def _compare_with_plan(self, took: float) -> None:
        """Says how wrong the last plan of this config was, where all of it was run just now."""
        estimate = read_estimate(self.loaded, self.machine)
        models = {model.label for model in self.config.models}
        if estimate and not self.interrupted and self.stopwatch.whole == models:
            self.reporter.message(plan_and_truth(estimate, took))

    def _weights(self) -> dict[str, int]:
        from harness.evaluation.plan import weight_bytes

        mirror = Path(self.config.mirror) if self.config.mirror else None
        sizes = {
            model.label: weight_bytes(model, self.machine.device, mirror) for model in self.config.models
        }
        return {label: size for label, size in sizes.items() if size}

    def _command(self, job: WorkerJob) -> WorkerCommand:
        shard = f"{job.shard}/{job.shards}"
        arguments = (str(self.folder.path), "--model", job.model, "--device", self.machine.device)
        return WorkerCommand(
            "harness.evaluation.worker",
            (*arguments, "--shard", shard, "--session", self.session),
            self.folder.log(job.model, job.shard),
        )

    def _follow(self, event: Event, journal: Journal, jobs: Sequence[WorkerJob]) -> None:
        """Keeps what an event says of the run, and hands it on to the reporter."""
        self.stopwatch.take(event)
        match event:
            case CellEnded():
                self.ended.add((event.model, event.task))
            case WorkerNote():
                self.reporter.message(event.text)
            case WorkerFailed():
                self.fatal.append(event.reason)
            case WorkerExited(reason=str(reason)):
                job = next(job for job in jobs if (job.model, job.shard) == (event.model, event.shard))
                self._fail(journal, job, reason)
        self.reporter.event(event)

    def _fail(self, journal: Journal, job: WorkerJob, reason: str) -> None:
        """Ends the cells that a dead worker had left: it says nothing of them itself."""
        model = job.model
        for task in self.expansion.tasks[job.shard :: job.shards]:
            if (model, task.name) not in self.ended:
                self._leave(journal, model, task, "failed", reason)

        # What the model's worker wrote of it before it died still holds.
        row = journal.models().get(model) or {
            "model": model,
            "id": self._spec(model).id,
            "weights": self._spec(model).weights,
        }
        journal.put_model(model, {**row, "status": "failed", "reason": reason})

    def _close_open_cells(self, journal: Journal, labels: Sequence[str], tasks: Sequence[TaskSpec]) -> None:
        """Ends the cells that no worker came to before an interruption."""
        reason = "interrupted before it began; the same command goes on"
        for model in labels:
            for task in tasks:
                if (model, task.name) not in self.ended:
                    self._leave(journal, model, task, "skipped", reason)

    def _leave(self, journal: Journal, model: str, task: TaskSpec, status: Status, reason: str) -> None:
        self.ended.add((model, task.name))
        group = task.groups[0] if task.groups else None
        facts = CellFacts(
            cell_id=digest([model, task.name]),
            prompt_id=None,
            model=model,
            task=task.name,
            group=group,
            language=task.language,
            fewshot=task.fewshot,
            dtype=None,
            engine=None,
            chance=None,
        )

        rows = [failed_row(facts, status, reason).model_dump()]
        journal.put_cell(CellRecord(model, task.name, facts.cell_id, status, reason, {}, rows))
        self.reporter.event(CellEnded(model, task.name, status, reason))

    def _spec(self, label: str) -> ModelSpec:
        return next(model for model in self.config.models if model.label == label)

    @contextlib.contextmanager
    def _interruptible(self, executor: Executor) -> Iterator[None]:
        """Ctrl-C once: workers keep the answer in hand and stop; twice: they are killed.

        The journal has everything answered either way.
        """
        # Python runs signal handlers in the main thread only; a run in another leaves Ctrl-C alone.
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def handle(number: int, frame: FrameType | None) -> None:
            if self.interrupted:
                executor.kill()
                return
            self.interrupted = True
            self.reporter.message("stopping after the answers in hand; press Ctrl-C again to stop at once")
            executor.stop()

        old = signal.signal(signal.SIGINT, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, old)

    def _exit_code(self, results: Results) -> int:
        if self.interrupted:
            return 130
        if any(row.status in ("failed", "oom", "partial") for row in results.rows) or any(
            row.status != "ok" for row in results.models
        ):
            return 1
        return 0 if all(expectation.held for expectation in results.expectations) else 3

    def _notes(self, results: Results) -> list[str]:
        # What ended a worker stands below the table, too, as the reason of its cells.
        shown = {row.reason for row in results.rows} | {model.reason for model in results.models}
        lines = [reason for reason in self.fatal if reason not in shown]
        lines += [note for task in self.expansion.tasks for note in task.notes]
        notes = list(dict.fromkeys(lines))

        if self.interrupted:
            cells = {(row.model, row.task): row.status for row in results.rows}
            done = sum(status == "ok" for status in cells.values())
            notes.append(
                f"interrupted: {done} of {len(cells)} cells are done, and every answer given is kept; "
                "run the same command again to go on"
            )
        return notes


def _ended_before(cell: CellRecord) -> CellEnded:
    row = cell.rows[0]
    score = {"metric": row["metric"], "value": row["value"], "n": row["n"], "ci95": row["ci95"]}
    return CellEnded(cell.model, cell.task, cell.status, cell.reason, **score, before=True)  # type: ignore[arg-type]
