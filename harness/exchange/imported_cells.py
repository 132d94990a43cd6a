"""Rows and samples of an imported evaluation: one task, one group, one model at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.analysis.prompts import IMPORTED
from harness.evaluation.assemble import group_trust
from harness.evaluation.identity import digest
from harness.evaluation.rows import CellFacts, make_rows
from harness.evaluation.samples import write_samples
from harness.exchange.imported_samples import answers_of, mark_of
from harness.exchange.imported_scores import chance, metric_values
from harness.exchange.lm_eval_files import Evaluation, TaskMetrics
from harness.results.folder import RunFolder
from harness.results.schema import GroupRow, ModelRow, Row
from harness.tasks.api import Marks
from harness.tasks.entries import guess_language

ADDRESS = re.compile(r" at 0x[0-9a-f]+")
NOT_PROMPT = ("metadata", "filter_list", "metric_list", "process_results", "tag", "group", "task_alias")
"""Config keys of lm-eval that do not decide what is asked (metadata holds the model's
arguments).
"""


class CellImporter:
    """Rows and samples of one evaluation, written into a run folder."""

    def __init__(self, evaluation: Evaluation, label: str, folder: RunFolder) -> None:
        self.evaluation, self.label, self.folder = evaluation, label, folder
        self.facts = evaluation.facts
        names = ("sha", "dtype", "model_args")
        self.model_id = digest([evaluation.model or label, *(self.facts.get(name) for name in names)])
        self.prompts: dict[str, list[dict[str, Any]]] = {}
        """What decided each task's prompts, for the manifest."""

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

    def rows(self, name: str, scores: TaskMetrics) -> list[Row]:
        """A task's rows; its samples are written where there are any."""
        identity = self._identity(name, scores)
        prompt_id = f"{IMPORTED}{digest(identity)}"
        self.prompts[name] = [{"prompt_id": prompt_id, **identity}]

        samples = self.evaluation.samples.get(name, [])
        kind = str(scores.config.get("output_type") or "")
        answers = answers_of(samples, kind)
        marks = Marks(
            tuple(mark_of(name, sample, kind) for sample in samples),
            tuple(metric_values(scores, samples)),
            scores.n,
        )
        if samples:
            write_samples(self.folder.samples(self.label, name), marks, answers)

        facts = self._facts(name, scores, prompt_id, chance(samples, kind))
        rows = make_rows(facts, marks, answers, 0.0, ("ok", None))
        # Zero would claim that nothing was cut off, that it took no time: lm-eval does not say.
        unknown = {"n_truncated": None, "seconds": None}
        unknown |= {} if samples else {"n_empty": None, "n_unparsable": None}
        return [Row.model_validate(row.model_dump() | unknown) for row in rows]

    def _facts(self, name: str, scores: TaskMetrics, prompt_id: str, chance: float | None) -> CellFacts:
        members = self.evaluation.members.items()
        return CellFacts(
            cell_id=digest([prompt_id, self.model_id]),
            prompt_id=prompt_id,
            model=self.label,
            task=name,
            group=next((group for group, tasks in members if name in tasks), None),
            language=guess_language(name),
            fewshot=scores.fewshot,
            dtype=_dtype(self.facts.get("dtype")),
            engine="lm-eval",
            chance=chance,
        )

    def _identity(self, name: str, scores: TaskMetrics) -> dict[str, Any]:
        """What decides the prompts, as far as lm-eval's files say it."""
        # A function's address differs in every process that wrote one.
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

    def group_rows(self, name: str, scores: TaskMetrics, rows: Sequence[Row]) -> list[GroupRow]:
        """A group's rows as lm-eval aggregated them.

        Interval and score above chance are those of its tasks' ``rows``.
        """
        members = set(self.evaluation.members.get(name, []))
        group_rows = []
        for (metric, filter_name), (value, error) in scores.metrics.items():
            parts = [
                row
                for row in rows
                if row.task in members
                and row.value is not None
                and (row.metric, row.filter or "none") == (metric, filter_name)
            ]
            # Without a subject's row there is nothing to take an interval from.
            if parts:
                group_rows.append(self._group_row(name, (metric, filter_name), value, error, parts))
        return group_rows

    def _group_row(
        self, name: str, key: tuple[str, str], value: float, error: float | None, parts: Sequence[Row]
    ) -> GroupRow:
        # lm-eval does not write whether a group counts its tasks by size: its value tells.
        weighted = abs(sum(row.value or 0.0 for row in parts) / len(parts) - value) > 1e-12
        sizes = [row.n if weighted else 1 for row in parts]
        weights = [size / sum(sizes) for size in sizes]
        return GroupRow(
            group=name,
            model=self.label,
            language=guess_language(name),
            metric=key[0],
            filter=key[1],
            value=value,
            stderr=error,
            **group_trust(parts, weights, value, error),
            weighted=weighted,
            n=sum(row.n for row in parts),
            tasks=sorted({row.task for row in parts}),
        )


def _dtype(name: Any) -> str | None:
    return str(name).removeprefix("torch.") if name else None
