"""Marking the cells of a run again, one by one, into a new folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.evaluation.rows import CellFacts, make_rows
from harness.evaluation.samples import write_samples
from harness.items import ThinkTags
from harness.rescoring.answers import check_questions, read_answers
from harness.results.folder import RunFolder
from harness.results.query import Run
from harness.results.schema import Row

if TYPE_CHECKING:
    from harness.config.schema import Config
    from harness.tasks import Task, TaskSpec
    from harness.tasks.api import PromptStyle

SHARED = ("cell_id", "prompt_id", "model", "task", "group", "fewshot", "form", "dtype", "engine")
"""What a cell's rows say before and after."""


class CellMarker:
    """Cells of one run, each marked again into the new folder. Tasks are loaded once."""

    def __init__(self, run: Run, config: Config, target: RunFolder) -> None:
        self.run, self.config, self.target = run, config, target
        self.failed: list[str] = []
        """One line per cell that could not be marked again, with the reason."""
        self._tasks: dict[str, Task | HarnessError] = {}
        self._specs = {model.label: model for model in config.models}

    def rows(self, model: str, spec: TaskSpec) -> list[Row]:
        """The cell's new rows; its old ones where nothing was kept or it cannot be marked."""
        old = [row for row in self.run.results.rows if (row.model, row.task) == (model, spec.name)]
        if not any(row.n for row in old):
            return old
        try:
            return self._mark(model, self._task(spec), old)
        except HarnessError as error:
            self.failed.append(f"{model}: {spec.name}: {error}")
            return old

    def _task(self, spec: TaskSpec) -> Task:
        """The task, loaded once; one that cannot be loaded fails every model's cell alike."""
        from harness.tasks import DataSources, load

        if spec.name not in self._tasks:
            sources = DataSources(mirror=Path(self.config.mirror) if self.config.mirror else None)
            allow_code = self.config.allow_code_execution
            try:
                self._tasks[spec.name] = load(spec, sources, seed=self.config.seed, allow_code=allow_code)
            except HarnessError as error:
                self._tasks[spec.name] = error

        task = self._tasks[spec.name]
        if isinstance(task, HarnessError):
            raise task
        return task

    def _mark(self, model: str, task: Task, old: list[Row]) -> list[Row]:
        record = read_answers(self.run.folder, model, task)
        style = self._style(model)

        # Data with another fingerprint may still ask the same: a key that was put right, say.
        if record.identity and record.identity["data"] != task.identity(style)["data"]:
            check_questions(task, record, self.config.fewshot_as_multiturn)
        marks = task.mark(record.answers, style, task.spec.limit, prompts=record.prompts)
        if not marks.n:
            raise HarnessError(
                "no document could be marked: the kept answers are another task's, or its data has changed"
            )

        row = old[0]
        shared = {name: getattr(row, name) for name in SHARED}
        facts = CellFacts(**shared, language=task.language, chance=task.chance, marking_id=task.marking_id)
        write_samples(self.target.samples(model, task.name), marks, record.answers)
        return make_rows(facts, marks, record.answers, row.seconds or 0.0, (row.status, row.reason))

    def _style(self, model: str) -> PromptStyle:
        """Plain prompts: what was really asked is kept, and only thoughts matter to marking."""
        from harness.tasks import PromptStyle

        spec = self._specs.get(model)
        thinks = spec is not None and spec.think_tags and spec.thinking is not False
        return PromptStyle(
            multiturn=self.config.fewshot_as_multiturn,
            think=ThinkTags(*spec.think_tags) if thinks and spec and spec.think_tags else None,
            max_new_tokens=spec.max_new_tokens if spec else None,
        )
