"""Marks kept answers again, without a model: after an extractor was fixed, or with other filters or
metrics.

Answers come from the journal, or from the samples where a run was kept without one. The old run is
not touched: a new folder is written.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.engines.finite import is_kept
from harness.errors import ConfigError, HarnessError
from harness.evaluation.assemble import group_rows
from harness.evaluation.rows import CellFacts, make_rows, write_samples
from harness.items import Answer, Generation, Likelihood, Score, ThinkTags, Tokens
from harness.results.files import write_json
from harness.results.folder import RunFolder
from harness.results.query import Run, read_run
from harness.results.schema import Results, Row
from harness.version import __version__
from harness.wording import reason_of

if TYPE_CHECKING:
    from harness.config.schema import Config
    from harness.engines.protocol import Message
    from harness.tasks import Task, TaskSpec
    from harness.tasks.api import PromptStyle

SHARED = ("cell_id", "prompt_id", "model", "task", "group", "fewshot", "form", "dtype", "engine")
"""What a cell's rows say before and after."""
MARKS_ONLY = ("filter_list", "metric_list")
"""Task settings that decide the marks and not the prompts."""


@dataclass(frozen=True)
class Change:
    """One score before and after; None where there was none."""

    model: str
    task: str
    metric: str
    filter: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Rescored:
    """The new run, what changed in it, and the cells that could not be marked again with their
    reasons.
    """

    folder: Path
    results: Results
    changes: tuple[Change, ...]
    failed: tuple[str, ...]


def read_changes(path: Path) -> dict[str, dict[str, Any]]:
    """Task name or glob to lm-eval settings that decide marks: ``{gsm8k: {filter_list: […]}}``.

    Raises ConfigError.
    """
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {reason_of(error)}") from error
    if not isinstance(data, dict) or not all(isinstance(settings, dict) for settings in data.values()):
        raise ConfigError(
            f"{path}: expected task names with settings below them, e.g. gsm8k: {{filter_list: [...]}}"
        )
    for task, settings in data.items():
        wrong = sorted(set(settings) - set(MARKS_ONLY))
        if wrong:
            raise ConfigError(
                f"{path}: {task}: {wrong[0]}: only {' and '.join(MARKS_ONLY)} can change without asking the model again"
            )
    return data


def rescore(
    path: str | Path, *, changes: Mapping[str, Mapping[str, Any]] | None = None, out: Path | None = None
) -> Rescored:
    """Marks every kept cell of a run again and writes a new run folder (``<run>-rescored`` unless
    ``out`` says otherwise).

    Raises ConfigError, RunFolderError; a cell whose task cannot be loaded or marked keeps its old
    rows and is told in ``failed``.
    """
    from harness.tasks import expand

    run = read_run(path)
    config = _config(run)
    expansion = expand(config.tasks, limit=config.limit, base_dir=run.folder.path).twins
    target = RunFolder(out or run.folder.path.with_name(f"{run.folder.path.name}-rescored"))
    target.prepare(
        f"{run.results.name}-rescored", {model.model for model in run.results.models}, _renamed(run)
    )
    work = _Work(run, config, target)
    rows: list[Row] = []
    for model in run.results.models:
        for spec in expansion.tasks:
            rows += work.cell(model.model, _changed(spec, changes or {}))
    groups = [
        row
        for group in expansion.groups
        for row in group_rows(group, rows, [model.model for model in run.results.models])
    ]
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    facts: dict[str, object] = {
        "name": f"{run.results.name}-rescored",
        "rows": rows,
        "groups": groups,
        "created": now,
        "harness_version": __version__,
    }
    stale: dict[str, object] = {
        "costs": [],
        "definitions": {},
        "expectations": [],
    }  # what a right answer cost is another figure now
    results = run.results.model_copy(update=facts | stale)
    write_json(target.results, results.model_dump(mode="json"))
    write_json(
        target.manifest,
        {
            **run.manifest,
            "rescored": {"of": run.results.name, "changes": changes or {}, "by": __version__, "at": now},
        },
    )
    return Rescored(target.path, results, tuple(_differences(run.results.rows, rows)), tuple(work.failed))


def _config(run: Run) -> Config:
    import yaml
    from pydantic import ValidationError

    from harness.config.schema import Config

    try:
        return Config.model_validate(yaml.safe_load(run.folder.config.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigError(
            f"{run.folder.config}: cannot be read, so its tasks are not known: {reason_of(error)}"
        ) from error


def _renamed(run: Run) -> str:
    import yaml

    data = yaml.safe_load(run.folder.config.read_text(encoding="utf-8"))
    return yaml.safe_dump(
        {**data, "name": f"{run.results.name}-rescored"}, allow_unicode=True, sort_keys=False
    )


def _changed(spec: TaskSpec, changes: Mapping[str, Mapping[str, Any]]) -> TaskSpec:
    for pattern, settings in changes.items():
        if fnmatchcase(spec.name, pattern):
            spec = replace(spec, config={**spec.config, **settings})
    return spec


class _Work:
    """Cells of one run, each marked again into the new folder. Tasks are loaded once."""

    def __init__(self, run: Run, config: Config, target: RunFolder) -> None:
        self.run, self.config, self.target = run, config, target
        self.failed: list[str] = []
        self._tasks: dict[str, Task | HarnessError] = {}
        self._specs = {model.label: model for model in config.models}

    def cell(self, model: str, spec: TaskSpec) -> list[Row]:
        """The cell's new rows; its old ones where nothing was kept, or where it cannot be
        marked.
        """
        old = [row for row in self.run.results.rows if (row.model, row.task) == (model, spec.name)]
        if not any(row.n for row in old):
            return old
        try:
            return self._mark(model, self._task(spec), old)
        except HarnessError as error:
            self.failed.append(f"{model}: {spec.name}: {error}")
            return old

    def _task(self, spec: TaskSpec) -> Task:
        from harness.tasks import DataSources, load

        if spec.name not in self._tasks:
            mirror = Path(self.config.mirror) if self.config.mirror else None
            try:
                made = load(
                    spec,
                    DataSources(mirror=mirror),
                    seed=self.config.seed,
                    allow_code=self.config.allow_code_execution,
                )
                self._tasks[spec.name] = made
            except HarnessError as error:
                self._tasks[spec.name] = error
        found = self._tasks[spec.name]
        if isinstance(found, HarnessError):
            raise found
        return found

    def _mark(self, model: str, task: Task, old: list[Row]) -> list[Row]:
        kept = read_kept(self.run.folder, model, task)
        style = self._style(model)
        if kept.identity and kept.identity["data"] != task.identity(style)["data"]:
            _check_questions(task, kept, self.config.fewshot_as_multiturn)
        marks = task.mark(kept.answers, style, task.spec.limit, prompts=kept.prompts)
        if not marks.n:
            raise HarnessError(
                "no document could be marked: the kept answers are another task's, or its data has changed"
            )
        row = old[0]
        shared = {name: getattr(row, name) for name in SHARED}
        facts = CellFacts(**shared, language=task.language, chance=task.chance, marking_id=task.marking_id)
        write_samples(self.target.samples(model, task.name), marks, kept.answers)
        return make_rows(facts, marks, kept.answers, row.seconds or 0.0, (row.status, row.reason))

    def _style(self, model: str) -> PromptStyle:
        """Plain prompts: what was really asked is kept, and only thoughts matter to marking."""
        from harness.tasks import PromptStyle

        spec = self._specs.get(model)
        tags = (
            ThinkTags(*spec.think_tags)
            if spec is not None and spec.think_tags and spec.thinking is not False
            else None
        )
        return PromptStyle(
            multiturn=self.config.fewshot_as_multiturn,
            think=tags,
            max_new_tokens=spec.max_new_tokens if spec else None,
        )


@dataclass(frozen=True)
class Kept:
    """A cell's answers by item key, and the prompts that were asked by document."""

    answers: dict[str, Answer]
    prompts: dict[int, str]
    identity: Mapping[str, Any] = field(default_factory=dict)
    """What decided the prompts; empty where nothing tells it."""


def read_kept(folder: RunFolder, model: str, task: Task) -> Kept:
    """A cell's answers: from the journal where the run has one, else from its samples.

    Raises RunFolderError.
    """
    from harness.results.journal import Journal
    from harness.results.samples import read_rows

    rows = read_rows(folder.samples(model, task.name))
    prompts = {row["doc_id"]: row["prompt"] for row in rows}
    if folder.journal.exists():
        journal = Journal(folder.journal)
        try:
            cell = journal.cells().get((model, task.name))
            answers = journal.answers(cell.cell_id) if cell is not None else {}
            answers = {key: answer for key, answer in answers.items() if is_kept(answer)}
        finally:
            journal.close()
        if answers:
            return Kept(answers, prompts, cell.identity.get("prompt", {}) if cell is not None else {})
    first = rows[0]["filter"] if rows else ""
    made = [answer for row in rows if row["filter"] == first for answer in _answers(row, task.kind)]
    return Kept({answer.key: answer for answer in made}, prompts)


def _check_questions(task: Task, kept: Kept, multiturn: bool) -> None:
    """The data may have changed in its right answers, not in its questions. Raises HarnessError
    where a kept prompt does not hold the document's own text: the last user turn of a chat, or else
    the whole prompt.
    """
    from harness.tasks import PromptStyle

    chat = _last_user if kept.identity.get("chat") else None
    texts = task.prompts(
        PromptStyle(chat=chat, system_prompt=kept.identity.get("system_prompt"), multiturn=multiturn),
        task.spec.limit,
    )
    shared = {doc: texts[doc].strip() for doc in kept.prompts.keys() & texts.keys()}
    other = [doc for doc, text in shared.items() if not _holds(kept.prompts[doc], text)]
    if other:
        raise HarnessError(
            f"{len(other)} of {len(shared)} kept answers were given to other questions than the data now holds "
            f"(the first: document {min(other)}); bring the old data back, or run the config again"
        )


def _holds(prompt: str, text: str) -> bool:
    """Whether a prompt holds a text, as it is or as JSON, in which an endpoint's messages are
    kept.
    """
    return any(
        form in prompt for form in (text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1])
    )


def _last_user(messages: list[Message], add_generation_prompt: bool) -> str:
    return next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")


def _answers(row: Mapping[str, Any], kind: str) -> list[Answer]:
    """The answers that a sample was made of.

    Tokens and seconds are the document's, told with its first answer.
    """
    doc = row["doc_id"]
    tokens = Tokens(*(int(row[f"tokens_{part}"]) for part in ("prompt", "computed", "shared", "output")))
    cost: dict[str, Any] = {"tokens": tokens, "seconds": row["seconds"]}
    cut = int(bool(row["truncated"]) and "length" not in row["finish"])
    if kind == "choice":
        logprobs = tuple(row["logprobs"])
        return [Score(str(doc), logprobs, tuple(row["greedy"]), (0,) * len(logprobs), truncated=cut, **cost)]
    if kind == "passage":
        return [Likelihood(str(doc), row["logprobs"][0], truncated=cut, **cost)] if row["logprobs"] else []
    made: list[Answer] = []
    for place, (text, finish) in enumerate(zip(row["responses"], row["finish"], strict=True)):
        made.append(Generation(f"{doc}:{place}", text, finish, truncated=cut, **(cost if place == 0 else {})))
    return made


def _differences(old: list[Row], new: list[Row]) -> list[Change]:
    before = {(row.model, row.task, row.metric, row.filter): row.value for row in old if row.metric}
    after = {(row.model, row.task, row.metric, row.filter): row.value for row in new if row.metric}
    return [
        Change(model, task, str(metric), name or "none", before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        for model, task, metric, name in [key]
        if json.dumps(before.get(key)) != json.dumps(after.get(key))
    ]
