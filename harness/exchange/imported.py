"""A run folder out of an lm-eval evaluation, so that old runs join tables and comparisons.

With samples every item's score, prompt and answer is kept and intervals are made as for own runs;
without them lm-eval's standard errors are all there is. lm-eval keeps no finish reason: whether
answers were cut off is not known, and the rows say so.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.analysis.prompts import IMPORTED
from harness.errors import ConfigError
from harness.evaluation.assemble import group_trust
from harness.evaluation.identity import digest
from harness.evaluation.rows import CellFacts, make_rows, write_samples
from harness.exchange.imported_scores import arguments_of, chance, metric_values
from harness.exchange.lm_eval_checks import check
from harness.exchange.lm_eval_files import Evaluation, TaskMetrics, read_evaluation
from harness.items import Answer, Generation, Likelihood, Score
from harness.names import missing, retold, tidy
from harness.results.files import write_json
from harness.results.folder import RunFolder
from harness.results.sanity import sanity_row
from harness.results.schema import GroupRow, ModelRow, Results, Row
from harness.tasks.api import Marks, SampleMark
from harness.tasks.entries import guess_language
from harness.tasks.figures import number
from harness.tasks.origin import fields_of
from harness.version import __version__

ADDRESS = re.compile(r" at 0x[0-9a-f]+")
NOT_PROMPT = ("metadata", "filter_list", "metric_list", "process_results", "tag", "group", "task_alias")
"""Config keys of lm-eval that do not decide what is asked (metadata holds the model's
arguments).
"""


@dataclass(frozen=True)
class Import:
    """The run folder that was written, its results, and tasks of which no samples were at hand."""

    folder: Path
    results: Results
    without_samples: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """Names that were changed, samples that do not fit their scores, scores without an interval or
    that are no number: one line each.
    """


def import_lm_eval(path: Path, *, model: str | None = None, out: Path | None = None) -> Import:
    """Writes a run folder (``results/<model>-lm-eval`` unless ``out`` says otherwise) from
    lm-eval's files.

    Raises ConfigError where the files cannot be understood or the model's name is not known,
    RunFolderError where the folder is in use.
    """
    evaluation = read_evaluation(path)
    doubts, findings = check(path, evaluation)
    identifier = evaluation.model or model
    if identifier is None:
        raise ConfigError(f"{path}: does not say which model it is of: name it with --model")
    written = model or identifier.rstrip("/").rsplit("/", 1)[-1]
    label, identifier = tidy(written), tidy(identifier)
    if missing(label):
        raise ConfigError(f"{path}: the model's name is {written!r}, which is no name: name it with --model")
    folder = RunFolder(out or Path("results") / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', label)}-lm-eval")
    if folder.path.exists() and any(folder.path.iterdir()):
        raise ConfigError(f"{folder.path} is not empty: choose another folder with --out")
    work = _Work(evaluation, label, folder)
    rows = [row for task, scores in evaluation.tasks.items() for row in work.task(task, scores)]
    results = Results(
        name=folder.path.name,
        harness_version=__version__,
        created=evaluation.created or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        config_hash=digest(evaluation.facts),
        models=[work.model_row(identifier)],
        rows=rows,
        groups=[row for name, scores in evaluation.groups.items() for row in work.group(name, scores, rows)],
        sanity=[sanity_row(label, task, finding) for task, finding in findings],
    )
    write_json(folder.results, results.model_dump(mode="json"))
    write_json(
        folder.manifest,
        {
            "imported": {"from": "lm-eval", **evaluation.facts},
            "tasks": work.prompts,
            "harness_version": __version__,
        },
    )
    without = tuple(task for task in evaluation.tasks if not evaluation.samples.get(task))
    return Import(folder.path, results, without, (*retold([written]), *doubts, *_notes(results, evaluation)))


def _notes(results: Results, evaluation: Evaluation) -> list[str]:
    """Rows that look like any other but lack something."""
    notes, bare = [], []
    for row in results.rows:
        name = f"{row.task} ({row.metric}, {row.filter})"
        told = evaluation.tasks[row.task].metrics[str(row.metric), str(row.filter)][1]
        if row.value is None:
            notes.append(f"{name}: the file says NaN or infinity, which is no score")
        elif row.ci95 is None and told == 0:
            bare.append(name)
    if bare:
        names = ", ".join(bare[:4]) + (f" and {len(bare) - 4} more" if len(bare) > 4 else "")
        notes.append(
            f"no interval: the standard error is 0 and the number of documents is not known, or no share of right answers: {names}"
        )
    return notes


class _Work:
    """Rows and samples of one evaluation."""

    def __init__(self, evaluation: Evaluation, label: str, folder: RunFolder) -> None:
        self.evaluation, self.label, self.folder = evaluation, label, folder
        self.facts = evaluation.facts
        self.model_id = digest(
            [
                evaluation.model or label,
                self.facts.get("sha"),
                self.facts.get("dtype"),
                self.facts.get("model_args"),
            ]
        )
        self.prompts: dict[str, list[dict[str, Any]]] = {}

    def model_row(self, identifier: str) -> ModelRow:
        """The model as lm-eval describes it."""
        parameters = self.facts.get("parameters")
        return ModelRow(
            model=self.label,
            id=identifier,
            model_id=self.model_id,
            revision=self.facts.get("sha") or self.facts.get("revision"),
            dtype=_dtype(self.facts.get("dtype")),
            engine="lm-eval",
            device=str(self.facts["device"]) if self.facts.get("device") else None,
            parameters=parameters if isinstance(parameters, int) and parameters > 0 else None,
            chat_template=self.facts.get("chat"),
            status="ok",
        )

    def task(self, name: str, scores: TaskMetrics) -> list[Row]:
        """A task's rows; its samples are written where there are any."""
        identity = self._identity(name, scores)
        prompt_id = f"{IMPORTED}{digest(identity)}"
        self.prompts[name] = [{"prompt_id": prompt_id, **identity}]
        samples = self.evaluation.samples.get(name, [])
        kind = str(scores.config.get("output_type") or "")
        answers = _answers(samples, kind)
        marks = Marks(
            tuple(_mark(name, sample, kind) for sample in samples),
            tuple(metric_values(scores, samples)),
            scores.n,
        )
        facts = CellFacts(
            cell_id=digest([prompt_id, self.model_id]),
            prompt_id=prompt_id,
            model=self.label,
            task=name,
            group=next(
                (group for group, members in self.evaluation.members.items() if name in members), None
            ),
            language=guess_language(name),
            fewshot=scores.fewshot,
            dtype=_dtype(self.facts.get("dtype")),
            engine="lm-eval",
            chance=chance(samples, kind),
        )
        if samples:
            write_samples(self.folder.samples(self.label, name), marks, answers)
        rows = make_rows(facts, marks, answers, 0.0, ("ok", None))
        unknown = {"n_truncated": None, "seconds": None} | (
            {} if samples else {"n_empty": None, "n_unparsable": None}
        )
        return [Row.model_validate(row.model_dump() | unknown) for row in rows]

    def _identity(self, name: str, scores: TaskMetrics) -> dict[str, Any]:
        """What decides the prompts, as far as lm-eval's files say it."""
        config = {
            key: ADDRESS.sub("", str(value))
            for key, value in sorted(scores.config.items())
            if key not in NOT_PROMPT
        }
        return {
            "task": name,
            "version": scores.version,
            "prompt_config": digest(config),
            "fewshot": scores.fewshot,
            "seed": (self.facts.get("seeds") or {}).get("fewshot_seed"),
            "generation": self.facts.get("gen_kwargs") or scores.config.get("generation_kwargs"),
            "chat": self.facts.get("chat"),
            "multiturn": self.facts.get("multiturn") if self.facts.get("chat") else None,
            "system_prompt": self.facts.get("system_prompt"),
        }

    def group(self, name: str, scores: TaskMetrics, rows: Sequence[Row]) -> list[GroupRow]:
        """A group's rows, as lm-eval aggregated them, with the interval and the score above chance
        of its tasks' ``rows``.
        """
        members = set(self.evaluation.members.get(name, []))
        made = []
        for (metric, filter_name), (value, error) in scores.metrics.items():
            parts = [
                row
                for row in rows
                if row.task in members and (row.metric, row.filter or "none") == (metric, filter_name)
            ]
            parts = [row for row in parts if row.value is not None]
            if parts:
                weighted = abs(sum(row.value or 0.0 for row in parts) / len(parts) - value) > 1e-12
                sizes = [row.n if weighted else 1 for row in parts]
                weights = [size / sum(sizes) for size in sizes]
                made.append(
                    GroupRow(
                        group=name,
                        model=self.label,
                        language=guess_language(name),
                        metric=metric,
                        filter=filter_name,
                        value=value,
                        stderr=error,
                        **group_trust(parts, weights, value, error),
                        weighted=weighted,
                        n=sum(row.n for row in parts),
                        tasks=sorted({row.task for row in parts}),
                    )
                )
        return made


def _dtype(name: Any) -> str | None:
    return str(name).removeprefix("torch.") if name else None


def _mark(task: str, sample: Mapping[str, Any], kind: str) -> SampleMark:
    doc_id, doc = int(sample["doc_id"]), sample.get("doc") or {}
    fields = fields_of(task)
    arguments = arguments_of(sample)
    filtered = sample.get("filtered_resps") or []
    texts = _texts(sample) if kind == "generate_until" else []
    answer = str(filtered[0]) if filtered and kind == "generate_until" else _picked(sample, arguments)
    metrics = {str(name): number(sample.get(name)) for name in sample.get("metrics") or []}
    return SampleMark(
        doc_id=doc_id,
        filter=str(sample["filter"]),
        prompt=arguments[0][0] if arguments else "",
        target=_target(sample, arguments, kind),
        answer=answer,
        metrics=metrics,
        keys=tuple(f"{doc_id}:{place}" for place in range(len(texts))) or (str(doc_id),),
        empty=bool(texts) and any(not text.strip() for text in texts),
        unparsable=bool(texts)
        and answer.strip() in ("", "[invalid]")
        and all(text.strip() for text in texts),
        item=fields.item_of(doc, doc_id),
        cluster=fields.cluster_of(doc),
    )


def _target(sample: Mapping[str, Any], arguments: Sequence[tuple[str, str]], kind: str) -> str:
    """The right answer as text; lm-eval keeps the option's number for multiple choice."""
    target = str(sample.get("target", ""))
    if kind == "multiple_choice" and target.isdigit() and int(target) < len(arguments):
        return arguments[int(target)][1].strip()
    return target


def _picked(sample: Mapping[str, Any], arguments: Sequence[tuple[str, str]]) -> str:
    scores = _logprobs(sample)
    if len(scores) < 2 or len(scores) != len(arguments):
        return ""
    return arguments[max(range(len(scores)), key=lambda place: scores[place][0])][1].strip()


def _logprobs(sample: Mapping[str, Any]) -> list[tuple[float, bool]]:
    """(log-probability, greedy) an instance; lm-eval writes both as text, an instance's repeats in
    a list of their own.
    """
    found = []
    for response in sample.get("resps") or []:
        pair = response[0] if response and isinstance(response[0], list) else response
        try:
            found.append((float(pair[0]), len(pair) > 1 and str(pair[1]) == "True"))
        except (TypeError, ValueError, IndexError):
            return []
    return found


def _texts(sample: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for response in sample.get("resps") or []:
        found += [str(text) for text in response] if isinstance(response, list) else [str(response)]
    return found


def _answers(samples: Sequence[Mapping[str, Any]], kind: str) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for sample in samples:
        key = str(sample["doc_id"])
        if kind == "generate_until":
            found |= {
                f"{key}:{place}": Generation(f"{key}:{place}", text, "unknown")
                for place, text in enumerate(_texts(sample))
            }
            continue
        scores = _logprobs(sample)
        if kind == "loglikelihood_rolling" and scores:
            found[key] = Likelihood(key, scores[0][0])
        elif scores:
            logprobs, greedy = tuple(one for one, _ in scores), tuple(one for _, one in scores)
            found[key] = Score(key, logprobs, greedy, (0,) * len(scores))
    return found
