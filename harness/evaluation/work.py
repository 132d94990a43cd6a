"""What one worker does: every cell of one model, loaded once, and only if an answer is missing."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.errors import DataError, HarnessError, RunFolderError
from harness.evaluation.answer_checks import lasting_findings, server_changed
from harness.evaluation.cell import CellWork, StopFlag
from harness.evaluation.inputs import InputWatch
from harness.evaluation.memory_peaks import peak_rss
from harness.evaluation.metering import Meter
from harness.evaluation.plan import download_bytes
from harness.evaluation.rows import CellFacts, failed_row
from harness.evaluation.settled import keep_inputs
from harness.evaluation.setup import WorkSetup, cell_facts, prompt_style, thinking_of
from harness.hub.downloads import watched
from harness.results.journal import CellRecord, Journal
from harness.results.schema import ModelRow, Row, Status
from harness.sanity import Finding
from harness.tasks.forms import OUTPUTS, Asked, form_of, leftover
from harness.wording import named_line
from harness.workers.events import (
    CellEnded,
    CellStarted,
    DownloadProgress,
    ModelEnded,
    ModelLoaded,
    ModelPhase,
)
from harness.workers.stream import EventStream

if TYPE_CHECKING:
    from harness.engines.files import ModelFiles
    from harness.engines.protocol import Engine, EngineInfo
    from harness.engines.thinking import Thinking
    from harness.tasks import DataSources
    from harness.tasks.api import PromptStyle, TaskSpec

log = logging.getLogger("harness")
MEASURED = (
    "load_seconds",
    "parameters",
    "dtype",
    "engine",
    "device",
    "peak_rss_bytes",
    "peak_device_bytes",
)
"""What a session that loads the model measures of it."""


class ModelWork:
    """Answers and marks the cells of one model."""

    def __init__(
        self, setup: WorkSetup, events: EventStream, stop: StopFlag, watch: InputWatch | None = None
    ) -> None:
        self.setup = setup
        self.events = events
        self.stop = stop
        self.journal = Journal(setup.folder.journal, setup.session)
        self.meter = Meter(setup, self.journal)

        self.engine: Engine | None = None
        self.thinking: Thinking
        self._names: set[str] = set()
        self._watch = watch
        self._lasting = watch is not None
        """Whether every cell so far has ended as it would end again."""
        self._broken: HarnessError | None = None
        self._row = ModelRow(
            model=setup.spec.label,
            id=setup.spec.id,
            revision=setup.spec.revision,
            weights=setup.spec.weights,
            engine=None,
            device=setup.device,
            status="ok",
        )

    def run(self, shard: tuple[int, int] = (0, 1)) -> None:
        """Runs every cell of this shard (the i-th of k workers takes every k-th task).

        Raises RunFolderError, KeyboardInterrupt.
        """
        from harness.tasks import DataSources, expand

        specs = expand(
            self.setup.config.tasks, limit=self.setup.config.limit, base_dir=self.setup.folder.path
        ).tasks
        self._names = {spec.name for spec in specs}
        specs = specs[shard[0] :: shard[1]]
        self._shard = shard

        # Files that are not there fail every cell alike; the journal must say so of each.
        try:
            files, style = self._prepare()
        except HarnessError as error:
            self._fail_all(specs, error)
            return
        sources = DataSources(mirror=self.setup.mirror)
        try:
            for spec in specs:
                self._form(spec, files, style, sources)
        finally:
            self._finish()

    def _form(self, spec: TaskSpec, files: ModelFiles, style: PromptStyle, sources: DataSources) -> None:
        """A task in the form that this model can answer: as it is, as its twin, or not at all."""
        choice = form_of(self.thinking, spec)
        if choice.form not in ("twin", "refused"):
            self._cell(spec, files, style, sources)
            return
        if choice.form == "refused" or choice.task is None:
            self._refuse(spec, choice)
            return

        # A twin that the config names itself has its own turn: asked here, it would be asked twice.
        twin = leftover(choice, self._names)
        if twin is not None:
            self._cell(twin, files, style, sources)
        facts = replace(cell_facts(self.setup, spec), asked_as=choice.task.name)
        self.journal.put_findings(facts.model, facts.task, [Finding("asked_as_twin")])
        self.end(facts, {"asked_as": choice.task.name}, "skipped", choice.reason)

    def _refuse(self, spec: TaskSpec, choice: Asked) -> None:
        self.journal.put_findings(self.setup.spec.label, spec.name, [])
        lasting = self._lasting
        self.end(cell_facts(self.setup, spec), {}, "failed", f"refused: {choice.reason}")
        # What a model cannot be asked it cannot be asked tomorrow either.
        self._lasting = lasting

    def _prepare(self) -> tuple[ModelFiles, PromptStyle]:
        from harness.engines import find_model

        self.events.send(ModelPhase(self.setup.spec.label, "files"))
        with watched(self._report_download, download_bytes(self.setup.spec, self.setup.mirror)):
            files = find_model(self.setup.spec, self.setup.mirror)
        self._row.model_id, self._row.revision = files.model_id, files.revision
        self.thinking = thinking_of(self.setup, files)
        return files, prompt_style(self.setup, files, self.thinking)

    def _report_download(self, done: int, total: int) -> None:
        self.events.send(DownloadProgress(self.setup.spec.label, done, total))

    def _cell(self, spec: TaskSpec, files: ModelFiles, style: PromptStyle, sources: Any) -> None:
        from harness.tasks import load

        if self.stop.asked:
            self.end(cell_facts(self.setup, spec), {}, "skipped", "interrupted before it began")
            return
        self.events.send(CellStarted(self.setup.spec.label, spec.name))

        # A subject of a group whose data is not at hand is skipped: the group goes on without it.
        try:
            task = load(
                spec, sources, seed=self.setup.config.seed, allow_code=self.setup.config.allow_code_execution
            )
        except HarnessError as error:
            status: Status = "skipped" if spec.groups and isinstance(error, DataError) else "failed"
            self.end(cell_facts(self.setup, spec), {}, status, str(error))
            return
        except Exception as error:
            log.exception("task %s", spec.name)
            self.end(cell_facts(self.setup, spec), {}, "failed", named_line(error))
            return

        # Only its code says that some task compares log-probabilities, so it is asked once more.
        choice = form_of(self.thinking, spec, OUTPUTS[task.kind])
        if choice.form == "refused":
            self._refuse(spec, choice)
            return
        if task.provenance.origin == "custom":
            sys.audit("harness.data", "custom", spec.name, None)
        self._ask_and_mark(CellWork(self, task, files, style))

    def _ask_and_mark(self, cell: CellWork) -> None:
        status, reason = cell.ask()
        try:
            cell.mark(status, reason)
        except RunFolderError:
            raise
        except Exception as error:
            log.exception("marking %s", cell.task.name)
            reason = f"the answers are kept but cannot be marked: {named_line(error)}"
            self.end(cell.facts, cell.identity.to_dict(), "failed", reason)

    def open_engine(self, files: ModelFiles) -> Engine:
        """The engine, loaded at the first call.

        Raises HarnessError, the same one again at later calls.
        """
        # A model that could not be loaded is not tried again for every cell.
        if self._broken is not None:
            raise self._broken
        if self.engine is None:
            from harness.engines import open_engine

            self.events.send(ModelPhase(self.setup.spec.label, "loading"))
            begin = time.perf_counter()
            try:
                self.engine = open_engine(self.setup.spec, files, self.setup.device)
            except HarnessError as error:
                self._broken = error
                self._row.status, self._row.reason = "failed", str(error)
                raise
            self._row.load_seconds = self.meter.load_seconds = round(time.perf_counter() - begin, 3)

            info = self.engine.info
            self._row.dtype, self._row.engine, self._row.parameters = info.dtype, info.engine, info.parameters
            self._row.device = info.device
            self.events.send(ModelLoaded(self.setup.spec.label, self._row.load_seconds))
        return self.engine

    def _style_findings(self) -> tuple[Finding, ...]:
        """What its template showed."""
        return self.thinking.findings if hasattr(self, "thinking") else ()

    def _fail_all(self, specs: Sequence[TaskSpec], error: HarnessError) -> None:
        self._row.status, self._row.reason = "failed", str(error)
        for spec in specs:
            self.end(cell_facts(self.setup, spec), {}, "failed", str(error))
        self._finish()

    def end(
        self,
        facts: CellFacts,
        identity: Mapping[str, Any],
        status: Status,
        reason: str | None,
        rows: Sequence[Row] = (),
        before: bool = False,
    ) -> None:
        """Keeps how a cell ended and says so; without rows it gets one that gives no value."""
        self._lasting &= status in ("ok", "skipped")
        rows = list(rows) or [failed_row(facts, status, reason or "no value")]
        plain = [row.model_dump() for row in rows]
        cell = facts.model, facts.task, facts.cell_id
        self.journal.put_cell(CellRecord(*cell, status, reason, dict(identity), plain))

        # The journal first: a parent that counts this cell as done must find it there.
        first = rows[0]
        self.events.send(
            CellEnded(
                facts.model,
                facts.task,
                status,
                reason,
                metric=first.metric,
                value=first.value,
                n=first.n,
                ci95=first.ci95,
                twin=facts.task not in self._names,
                before=before,
            )
        )

    def _keep(self, info: EngineInfo) -> None:
        """Keeps what the engine is and what it found."""
        label = self.setup.spec.label
        before = self.journal.meta(f"engine:{label}")
        earlier = self.journal.findings().get((label, None), [])
        self.journal.put_meta(f"engine:{label}", info.to_dict())

        first = [*self._style_findings(), *server_changed(info, before)]
        kinds = {finding.kind for finding in first}
        lasting = [finding for finding in lasting_findings(info, earlier) if finding.kind not in kinds]
        self.journal.put_findings(label, None, [*first, *lasting])

    def _finish(self) -> None:
        self._row.peak_rss_bytes = peak_rss()
        self._row.peak_device_bytes = self.meter.peak_of_all()
        self._row.chat_template = bool(self.setup.spec.chat_template)
        if self.engine is not None:
            self._keep(self.engine.info)
            self.engine.close()

        old = self.journal.models().get(self.setup.spec.label, {})
        row = self._row.model_dump()
        # A session in which nothing was missing loads nothing: what an earlier one measured still
        # holds.
        if self.engine is None and row["status"] == "ok":
            row |= {key: old[key] for key in MEASURED if old.get(key) is not None}
        self.journal.put_model(self.setup.spec.label, row)
        if self._watch is not None and self._lasting and not self.stop.asked:
            model = {"model_id": self._row.model_id, "revision": self._row.revision}
            job = (self.setup.spec.label, *self._shard)
            keep_inputs(self._watch, self.setup.folder, self.journal, job, model)
        self.events.send(ModelEnded(self.setup.spec.label, row["status"], row["reason"]))
        self.journal.close()
