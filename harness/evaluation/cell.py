"""One cell: what the journal lacks is asked, then everything is marked."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from harness.engines.finite import Faults
from harness.engines.seams import rule_findings
from harness.errors import HarnessError, OutOfMemoryError, RunFolderError
from harness.evaluation.answer_checks import answer_findings
from harness.evaluation.cell_sums import CellAnswers, read_sizes, request_findings
from harness.evaluation.identity import cell_identity, digest
from harness.evaluation.metering import Meter
from harness.evaluation.rows import CellFacts, make_rows
from harness.evaluation.samples import write_samples
from harness.evaluation.setup import WorkSetup, cell_facts
from harness.items import Answer, Generation, Item, asked_digest
from harness.results.journal import Journal
from harness.results.schema import Row, Status
from harness.sanity import Finding
from harness.thought_markers import recognise
from harness.wording import named_line
from harness.workers.events import CellProgress, WorkerNote
from harness.workers.stream import EventStream

if TYPE_CHECKING:
    from harness.engines.files import ModelFiles
    from harness.engines.protocol import Engine
    from harness.tasks import Task
    from harness.tasks.api import Marks, PromptStyle

log = logging.getLogger("harness")
LOOKS = 8
"""Answers of a cell in which a thought is looked for while it is asked; marking looks at all."""


class StopFlag(Protocol):
    """Whether the person asked to stop."""

    asked: bool


class Interrupted(Exception):
    """Raised between two answers once the person asked to stop."""


class Owner(Protocol):
    """What a cell needs of the worker that owns it."""

    setup: WorkSetup
    events: EventStream
    stop: StopFlag
    journal: Journal
    meter: Meter

    def open_engine(self, files: ModelFiles) -> Engine:
        """The engine, loaded at the first call."""

    def end(
        self,
        facts: CellFacts,
        identity: Mapping[str, Any],
        status: Status,
        reason: str | None,
        rows: Sequence[Row] = (),
        before: bool = False,
    ) -> None:
        """Says how a cell ended; ``before``: nothing of it was missing."""


class CellWork:
    """One cell: what is missing is asked, then everything is marked."""

    def __init__(self, owner: Owner, task: Task, files: ModelFiles, style: PromptStyle) -> None:
        self.owner, self.task, self.files, self.style = owner, task, files, style
        self.limit = task.spec.limit
        self.identity = cell_identity(owner.setup.spec, owner.setup.device, files, task, style)
        self.facts = cell_facts(owner.setup, task.spec, self.identity, task)
        self._items: list[Item] = []
        self._looks = LOOKS
        self._asked: dict[str, str] = {}
        """What each item asks, as its digest, by key."""
        self._before = False
        """Whether an earlier session had answered all of it."""
        self._changed = 0
        """Items that had been asked in other words before, and were asked again."""

    def ask(self) -> tuple[Status, str | None]:
        """Asks for what the journal lacks.

        Returns the cell's status and the reason where it is not ok. Raises RunFolderError.
        """
        # A full disk ends the run; anything else ends this cell, and the next one has its chance.
        try:
            items = self._items = list(self.task.items(self.style, self.limit))
            self._asked = {item.key: asked_digest(item) for item in items}
            missing = self._missing(items)
            self._progress(len(items) - len(missing), len(items), force=True)
            self._before = not missing
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
            return "failed", named_line(error)
        return "ok", None

    def _missing(self, items: Sequence[Item]) -> list[Item]:
        """The items without an answer, or with one to another question.

        A prompt may change with the clock or the machine although the cell's identity has not.
        """
        before = self.owner.journal.asked(self.facts.cell_id)
        changed = {
            key
            for key, question in before.items()
            if question is not None and question != self._asked.get(key, question)
        }
        self._changed = len(changed)

        if changed:
            log.warning(
                "%s: %d prompts are not what was asked before: asked again", self.task.name, len(changed)
            )
            # Dropped at once: nothing that reads the journal may take them for answers.
            self.owner.journal.forget(self.facts.cell_id, changed)
        return [item for item in items if item.key not in before or item.key in changed]

    def _answer(self, missing: Sequence[Item], total: int) -> None:
        engine = self.owner.open_engine(self.files)
        with self.owner.meter.watching(self.facts.cell_id, engine):
            self._ask(engine, missing, total)

    def _ask(self, engine: Engine, missing: Sequence[Item], total: int) -> None:
        done = total - len(missing)
        stream = self._stream(engine, missing)
        begin = time.perf_counter()
        faults = Faults(total)

        for answer in stream:
            # A wrong one is not kept: the same command asks it again.
            if not faults.take(answer):
                self.owner.journal.add(
                    self.facts.cell_id, answer, time.perf_counter() - begin, self._asked.get(answer.key)
                )
            self._watch(answer)
            done += 1
            self._progress(done, total, force=done == total)
            if self.owner.stop.asked and done < total:
                stream.close()
                raise Interrupted
            begin = time.perf_counter()

        if done < total:
            raise RuntimeError(f"the engine answered {done} of {total} items")
        faults.raise_any(
            finding.text("en") for finding in engine.info.findings if finding.kind == "weights_not_finite"
        )

    def _watch(self, answer: Answer) -> None:
        """Says as soon as the first answers show a thought that the config does not name."""
        if self._looks <= 0 or self.style.think is not None or not isinstance(answer, Generation):
            return
        self._looks -= 1
        thought = recognise(answer.text)
        if thought is not None:
            self._looks = 0
            tags = json.dumps([thought.open, thought.close], ensure_ascii=False)
            text = (
                f"{self.facts.model}: {self.facts.task}: answers hold thoughts "
                f"that the config does not name: say think_tags: {tags}"
            )
            self.owner.events.send(WorkerNote(text))

    def _stream(self, engine: Engine, items: Sequence[Any]) -> Any:
        methods: dict[str, Callable[[Sequence[Any]], Iterator[Answer]]]
        methods = {"choice": engine.score, "completion": engine.generate, "passage": engine.perplexity}
        return methods[self.task.kind](items)

    def _progress(self, done: int, total: int, *, force: bool = False) -> None:
        event = CellProgress(self.facts.model, self.facts.task, done, total)
        self.owner.events.progress(event, force=force)

    def mark(self, status: Status, reason: str | None) -> None:
        """Marks the documents whose every answer is there, and keeps rows and samples.

        Raises RunFolderError.
        """
        answers = self.owner.journal.answers(self.facts.cell_id)
        marks = self.task.mark(answers, self.style, self.limit)

        rows: list[Row] = []
        if marks.n:
            keys = {key for sample in marks.samples for key in sample.keys}
            seconds = self.owner.journal.seconds(self.facts.cell_id, keys)
            rows = make_rows(self.facts, marks, answers, seconds, (status, reason))
            write_samples(self.owner.setup.folder.samples(self.facts.model, self.facts.task), marks, answers)
            self._meter(keys & set(answers), answers, rows)
            self.owner.journal.put_findings(self.facts.model, self.facts.task, self._findings(marks, answers))
        elif status == "ok":
            status, reason = "failed", "no document could be marked: see the log"

        # With the digest of every prompt, another run can tell whether it asked the very same.
        prompts = digest([self._asked[item.key] for item in self._items]) if self._items else None
        provenance = {"data": self.task.provenance.__dict__, "version": self.task.version, "asked": prompts}
        self.owner.end(
            self.facts, self.identity.to_dict() | provenance, status, reason, rows, before=self._before
        )

    def _findings(self, marks: Marks, answers: Mapping[str, Answer]) -> list[Finding]:
        """What may make this cell's scores wrong: of its prompts, its answers, its marks."""
        return [
            *self.task.findings(self.style),
            *rule_findings(answers.values()),
            *marks.findings,
            *answer_findings(answers.values()),
            *request_findings(self.owner.journal.spans(self.facts.cell_id)),
            *self._of_the_record(),
        ]

    def _of_the_record(self) -> list[Finding]:
        """That prompts were asked again is said in later sessions, too: they may change once more."""
        if self._changed:
            return [Finding("asked_again", self._changed, len(self._items))]
        before = self.owner.journal.findings().get((self.facts.model, self.facts.task), [])
        return [finding for finding in before if finding.kind == "asked_again"]

    def _meter(self, keys: set[str], answers: Mapping[str, Answer], rows: Sequence[Row]) -> None:
        """What the marked answers cost; a meter that fails costs no score."""
        meter = self.owner.meter
        try:
            sizes = None if meter.off else read_sizes(self._items, keys)
            mine = {key: answers[key] for key in answers if key in keys}
            meter.keep(CellAnswers(self.facts.task, self.facts.cell_id, mine, rows, sizes, self.facts.dtype))
        except RunFolderError:
            raise
        except Exception:
            log.exception("metering %s", self.task.name)
