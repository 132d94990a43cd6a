"""What one worker does: every cell of one model, with the model loaded once, and only if an answer is missing."""

from __future__ import annotations

import logging
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.config.schema import Config, ModelSpec
from harness.errors import ConfigError, DataError, HarnessError, OutOfMemoryError, RunFolderError
from harness.items import Answer, Item, ThinkTags
from harness.results.folder import RunFolder
from harness.results.journal import CellRecord, Journal
from harness.results.schema import ModelRow, Row, Status
from harness.run.events import EventStream
from harness.run.identity import CellIdentity, digest
from harness.run.rows import CellFacts, failed_row, make_rows, write_samples

if TYPE_CHECKING:
    from harness.engines.files import ModelFiles
    from harness.engines.protocol import Engine
    from harness.tasks import Task
    from harness.tasks.api import PromptStyle, TaskSpec

log = logging.getLogger("harness")


class StopFlag(Protocol):
    """Whether the person asked to stop."""

    asked: bool


class Interrupted(Exception):
    """Raised between two answers once the person asked to stop."""


@dataclass(frozen=True)
class WorkSetup:
    """What a worker is told: the config, its model, where it runs and where it writes."""

    config: Config
    spec: ModelSpec
    folder: RunFolder
    device: str
    session: str

    @classmethod
    def read(cls, path: Path, model: str, device: str, session: str) -> WorkSetup:
        """From the run folder's resolved config. Raises ConfigError when it has no such model."""
        import yaml

        folder = RunFolder(path)
        config = Config.model_validate(yaml.safe_load(folder.config.read_text(encoding="utf-8")))
        for spec in config.models:
            if spec.label == model:
                return cls(config, spec, folder, device, session)
        raise ConfigError(f"{folder.config}: no model called {model!r}")

    @property
    def mirror(self) -> Path | None:
        """The mirror folder, if any."""
        return Path(self.config.mirror) if self.config.mirror else None


class ModelWork:
    """Answers and marks the cells of one model."""

    def __init__(self, setup: WorkSetup, events: EventStream, stop: StopFlag) -> None:
        self.setup = setup
        self.events = events
        self.stop = stop
        self.journal = Journal(setup.folder.journal, setup.session)
        self.engine: Engine | None = None
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
        """Runs every cell of this shard (the i-th of k workers takes every k-th task). Raises RunFolderError, KeyboardInterrupt."""
        from harness.tasks import DataSources, expand

        specs = expand(self.setup.config.tasks, limit=self.setup.config.limit, base_dir=self.setup.folder.path).tasks
        specs = specs[shard[0] :: shard[1]]
        try:
            files, style = self._prepare()
        except HarnessError as error:
            self._fail_all(specs, error)
            return
        sources = DataSources(mirror=self.setup.mirror)
        try:
            for spec in specs:
                self._cell(spec, files, style, sources)
        finally:
            self._finish()

    def _prepare(self) -> tuple[ModelFiles, PromptStyle]:
        self.events.send("model", model=self.setup.spec.label, state="files")
        files = find_files(self.setup.spec, self.setup.mirror)
        self._row.model_id, self._row.revision = files.model_id, files.revision
        return files, prompt_style(self.setup, files)

    def _cell(self, spec: TaskSpec, files: ModelFiles, style: PromptStyle, sources: Any) -> None:
        from harness.tasks import load

        if self.stop.asked:
            self.end(_facts(self.setup, spec), {}, "skipped", "interrupted before it began")
            return
        self.events.send("cell", model=self.setup.spec.label, task=spec.name, state="loading")
        try:
            task = load(spec, sources, seed=self.setup.config.seed, allow_code=self.setup.config.allow_code_execution)
        except HarnessError as error:
            status: Status = "skipped" if spec.groups and isinstance(error, DataError) else "failed"
            self.end(_facts(self.setup, spec), {}, status, str(error))
            return
        except Exception as error:
            log.exception("task %s", spec.name)
            self.end(_facts(self.setup, spec), {}, "failed", one_line(error))
            return
        self._ask_and_mark(CellWork(self, task, files, style))

    def _ask_and_mark(self, cell: CellWork) -> None:
        status, reason = cell.ask()
        try:
            cell.mark(status, reason)
        except RunFolderError:
            raise
        except Exception as error:
            log.exception("marking %s", cell.task.name)
            self.end(cell.facts, cell.identity.to_dict(), "failed", f"the answers are kept but cannot be marked: {one_line(error)}")

    def open_engine(self, files: ModelFiles) -> Engine:
        """The engine, loaded at the first call. Raises HarnessError, the same one again at later calls."""
        if self._broken is not None:
            raise self._broken
        if self.engine is None:
            from harness.engines import open_engine

            self.events.send("model", model=self.setup.spec.label, state="loading")
            begin = time.perf_counter()
            try:
                self.engine = open_engine(self.setup.spec, files, self.setup.device)
            except HarnessError as error:
                self._broken = error
                self._row.status, self._row.reason = "failed", str(error)
                raise
            self._row.load_seconds = round(time.perf_counter() - begin, 3)
            info = self.engine.info
            self._row.dtype, self._row.engine, self._row.parameters = info.dtype, info.engine, info.parameters
            self._row.device = info.device
            self.events.send("model", model=self.setup.spec.label, state="ready", seconds=self._row.load_seconds)
        return self.engine

    def _fail_all(self, specs: Sequence[TaskSpec], error: HarnessError) -> None:
        self._row.status, self._row.reason = "failed", str(error)
        for spec in specs:
            self.end(_facts(self.setup, spec), {}, "failed", str(error))
        self._finish()

    def end(self, facts: CellFacts, identity: Mapping[str, Any], status: Status, reason: str | None, rows: Sequence[Row] = ()) -> None:
        kept = list(rows) or [failed_row(facts, status, reason or "no value")]
        record = CellRecord(facts.model, facts.task, facts.cell_id, status, reason, dict(identity), [row.model_dump() for row in kept])
        self.journal.put_cell(record)
        first = kept[0]
        value = {"metric": first.metric, "value": first.value, "n": first.n, "ci95": first.ci95}
        self.events.send("cell", model=facts.model, task=facts.task, state="end", status=status, reason=reason, **value)

    def _finish(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._row.peak_rss_bytes = usage if sys.platform == "darwin" else usage * 1024
        self._row.peak_device_bytes = _peak_device_bytes()
        self._row.chat_template = bool(self.setup.spec.chat_template)
        if self.engine is not None:
            self.journal.put_meta(f"engine:{self.setup.spec.label}", self.engine.info.to_dict())
            self.engine.close()
        old = self.journal.models().get(self.setup.spec.label, {})
        row = self._row.model_dump()
        # A session in which nothing was missing loads nothing: what an earlier one measured still holds.
        if self.engine is None and row["status"] == "ok":
            row |= {key: old[key] for key in ("load_seconds", "parameters", "dtype", "engine", "device") if old.get(key) is not None}
            row |= {key: old[key] for key in ("peak_rss_bytes", "peak_device_bytes") if old.get(key) is not None}
        self.journal.put_model(self.setup.spec.label, row)
        self.events.send("model", model=self.setup.spec.label, state="end", status=row["status"], reason=row["reason"])
        self.journal.close()


class CellWork:
    """One cell: what is missing is asked, then everything is marked."""

    def __init__(self, owner: ModelWork, task: Task, files: ModelFiles, style: PromptStyle) -> None:
        from harness.engines import engine_identity

        self.owner, self.task, self.files, self.style = owner, task, files, style
        spec = owner.setup.spec
        self.limit = task.spec.limit
        self.identity = CellIdentity(
            prompt=task.identity(style),
            model={"model_id": files.model_id, "id": spec.id, "revision": files.revision, "hashes": files.hashes},
            engine=engine_identity(spec, owner.setup.device, files),
        )
        self.facts = _facts(owner.setup, task.spec, self.identity, task)

    def ask(self) -> tuple[Status, str | None]:
        """Asks for what the journal lacks. Returns the cell's status and the reason where it is not ok. Raises RunFolderError."""
        try:
            items = list(self.task.items(self.style, self.limit))
            kept = self.owner.journal.keys(self.facts.cell_id)
            missing = [item for item in items if item.key not in kept]
            self._progress(len(items) - len(missing), len(items), force=True)
            if missing:
                self._answer(missing, len(items))
        except Interrupted:
            return "partial", "interrupted; the same command goes on"
        except RunFolderError:
            raise
        except (OutOfMemoryError, MemoryError) as error:
            return "oom", str(error) or "out of memory"
        except HarnessError as error:
            return "failed", str(error)
        except Exception as error:
            log.exception("cell %s", self.task.name)
            return "failed", one_line(error)
        return "ok", None

    def _answer(self, missing: Sequence[Item], total: int) -> None:
        engine = self.owner.open_engine(self.files)
        done = total - len(missing)
        stream = self._stream(engine, missing)
        begin = time.perf_counter()
        for answer in stream:
            self.owner.journal.add(self.facts.cell_id, answer, time.perf_counter() - begin)
            done += 1
            self._progress(done, total, force=done == total)
            if self.owner.stop.asked and done < total:
                stream.close()
                raise Interrupted
            begin = time.perf_counter()
        if done < total:
            raise RuntimeError(f"the engine answered {done} of {total} items")

    def _stream(self, engine: Engine, items: Sequence[Any]) -> Any:
        methods: dict[str, Callable[[Sequence[Any]], Iterator[Answer]]]
        methods = {"choice": engine.score, "completion": engine.generate, "passage": engine.perplexity}
        return methods[self.task.kind](items)

    def _progress(self, done: int, total: int, *, force: bool = False) -> None:
        self.owner.events.progress(force=force, model=self.facts.model, task=self.facts.task, done=done, total=total)

    def mark(self, status: Status, reason: str | None) -> None:
        """Marks the documents whose every answer is there, and keeps rows and samples. Raises RunFolderError."""
        answers = self.owner.journal.answers(self.facts.cell_id)
        marks = self.task.mark(answers, self.style, self.limit)
        rows: list[Row] = []
        if marks.n:
            keys = {key for sample in marks.samples for key in sample.keys}
            seconds = self.owner.journal.seconds(self.facts.cell_id, keys)
            rows = make_rows(self.facts, marks, answers, seconds, (status, reason))
            write_samples(self.owner.setup.folder.samples(self.facts.model, self.facts.task), marks, answers)
        elif status == "ok":
            status, reason = "failed", "no document could be marked: see the log"
        provenance = {"data": self.task.provenance.__dict__, "version": self.task.version}
        self.owner.end(self.facts, self.identity.to_dict() | provenance, status, reason, rows)


def find_files(spec: ModelSpec, mirror: Path | None) -> ModelFiles:
    """The model's files; a mock has none, only an identity. Raises ModelError."""
    from harness.engines import engine_name, resolve_model

    if engine_name(spec) != "mock":
        return resolve_model(spec, mirror)
    from harness.engines.files import ModelFiles, model_identity

    return ModelFiles(Path(), None, "bundled", {}, model_identity(spec, spec.id, {}))


def prompt_style(setup: WorkSetup, files: ModelFiles) -> PromptStyle:
    """How this model's prompts are dressed. Raises ModelError where a chat template is asked for and there is none."""
    from harness.tasks.api import PromptStyle

    spec = setup.spec
    chat = None
    if spec.chat_template:
        from harness.engines.tokenizer import ChatTemplate, load_tokenizer

        chat = ChatTemplate(load_tokenizer(spec, files), spec.thinking)
    tags = ThinkTags(*spec.think_tags) if spec.think_tags and spec.thinking is not False else None
    return PromptStyle(
        chat=chat,
        system_prompt=spec.system_prompt,
        multiturn=setup.config.fewshot_as_multiturn,
        think=tags,
        max_new_tokens=spec.max_new_tokens,
    )


def one_line(error: BaseException) -> str:
    """The kind and first line of an unexpected error; its traceback is in the log."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300] if text else 'no message'}"


def _facts(setup: WorkSetup, spec: TaskSpec, identity: CellIdentity | None = None, task: Task | None = None) -> CellFacts:
    return CellFacts(
        cell_id=identity.cell_id if identity else digest([setup.spec.label, spec.name]),
        prompt_id=identity.prompt_id if identity else None,
        model=setup.spec.label,
        task=spec.name,
        group=spec.groups[0] if spec.groups else None,
        language=task.language if task else spec.language,
        fewshot=task.fewshot if task else spec.fewshot,
        dtype=identity.engine.get("dtype") if identity else None,
        engine=identity.engine.get("engine") if identity else None,
        chance=task.chance if task else None,
    )


def _peak_device_bytes() -> int | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return int(sum(torch.cuda.max_memory_allocated(index) for index in range(torch.cuda.device_count())))
