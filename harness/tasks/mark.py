"""Answers to marks, by lm-eval's filters, the task's own process_results and its own aggregation.

Answers of reasoning models lose their thought first; repeats that our config asked for are scored
one by one (avg@k, maj@k).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.items import Answer, Completion
from harness.tasks.answered import (
    AnsweredDocument,
    answered_document,
    column_of,
    count_options,
    fallbacks_of,
    readings_of,
    single,
    text_of,
)
from harness.tasks.api import Marks, MetricValue, SampleMark
from harness.tasks.figures import average, number, standard_error
from harness.tasks.keys import picked_options, plain_label, right_labels
from harness.tasks.origin import fields_of
from harness.tasks.render import Rendered, cached_templates
from harness.tasks.thinking import thought_findings
from harness.tasks.unread import unread_findings
from harness.wording import reason_of

log = logging.getLogger(__name__)


@dataclass
class _Pass:
    """One scoring of every document.

    ``filtered`` holds, by filter and document, what the filter left (one value per instance);
    ``values`` what process_results made of it.
    """

    filtered: dict[str, dict[int, list[Any]]] = field(default_factory=dict)
    values: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)


class Marker:
    """Marks the answers of one task.

    ``repeats`` > 1 says that each document's answers are scored one by one.
    """

    def __init__(self, task: Any, *, repeats: int = 1) -> None:
        self._task, self._repeats = task, repeats
        self._fallbacks = fallbacks_of(task)
        self._fields = fields_of(self._name, getattr(task.config, "metadata", None))

    def mark(self, documents: Sequence[Rendered], answers: Mapping[str, Answer]) -> Marks:
        """Marks of the documents whose every answer is there.

        A document that cannot be marked is left out and named in `Marks.failed`.
        """
        answered = [
            answered_document(rendered, answers)
            for rendered in documents
            if all(item.key in answers for item in rendered.items)
        ]
        if not answered:
            return Marks((), (), 0)

        with cached_templates():
            passes = [self._pass(answered, repeat) for repeat in range(self._repeats)]
            votes = self._vote(answered, passes) if self._repeats > 1 else None
        failed = tuple((each.rendered.doc_id, each.failed) for each in answered if each.failed)
        if failed:
            log.warning(
                "task %s: %d documents cannot be marked; the first: document %d: %s",
                self._name,
                len(failed),
                *failed[0],
            )

        good = [each for each in answered if not each.failed]
        samples = tuple(
            self._sample(each, name, passes, votes) for name in passes[0].filtered for each in good
        )
        metrics = tuple(self._metrics(good, passes, votes))
        findings = (*thought_findings(good, samples, metrics), *unread_findings(samples))
        return Marks(samples, metrics, len(good), failed, findings)

    @property
    def _name(self) -> str:
        return str(self._task.config.task)

    def _pass(self, answered: list[AnsweredDocument], repeat: int) -> _Pass:
        """One scoring of all documents, by the answers of one repeat where there are several.

        Filters run over every document at once, as lm-eval applies them, and process_results
        document by document.
        """
        select = (
            (lambda responses: [responses[repeat]]) if self._repeats > 1 else (lambda responses: responses)
        )
        scoring = _Pass()

        # lm-eval's filters read the answers from its instances, which the passes share.
        for each in answered:
            for instance, responses in zip(each.rendered.instances, each.responses, strict=True):
                instance.resps, instance.filtered_resps = list(select(responses)), {}

        for ensemble in self._task._filters:
            self._filter(ensemble, answered)
            outputs = scoring.filtered.setdefault(ensemble.name, {})
            for each in answered:
                if not each.failed:
                    outputs[each.rendered.doc_id] = [
                        instance.filtered_resps[ensemble.name] for instance in each.rendered.instances
                    ]

        # Every filter runs before the first document is marked: a filter that fails takes the
        # document out for all filters.
        for name, outputs in scoring.filtered.items():
            scoring.values[name] = {}
            for each in answered:
                if not each.failed:
                    self._process(each, outputs[each.rendered.doc_id], scoring.values[name])
        return scoring

    def _filter(self, ensemble: Any, answered: list[AnsweredDocument]) -> None:
        everything = [
            instance for each in answered if not each.failed for instance in each.rendered.instances
        ]
        if not everything:
            return

        try:
            ensemble.apply(everything)
        except Exception:
            # A filter is the task's code: where it fails on one document, the others still count.
            for each in answered:
                try:
                    ensemble.apply(list(each.rendered.instances))
                except Exception as error:
                    each.failed = each.failed or f"filter {ensemble.name}: {type(error).__name__}: {error}"

    def _process(
        self, each: AnsweredDocument, filtered: list[Any], values: dict[int, dict[str, Any]]
    ) -> None:
        try:
            values[each.rendered.doc_id] = self._task.process_results(each.rendered.doc, filtered)
        except Exception as error:  # process_results is the task's code; one document must not end the cell
            each.failed = f"process_results: {reason_of(error, 200, named=True)}"

    def _vote(
        self, answered: list[AnsweredDocument], passes: list[_Pass]
    ) -> dict[str, dict[int, tuple[Any, dict[str, Any]]]]:
        """Filter to document to (the answer that most repeats gave, its metrics).

        Unparsable answers vote only among themselves.
        """
        votes: dict[str, dict[int, tuple[Any, dict[str, Any]]]] = {}
        for name in passes[0].filtered:
            votes[name] = {}
            for each in answered:
                doc_id = each.rendered.doc_id
                if each.failed:
                    continue

                # Without valid answers the invalid ones vote, so that the document counts as wrong,
                # not as missing.
                repeats = [scoring.filtered[name][doc_id][0] for scoring in passes]
                valid = [answer for answer in repeats if not self._unparsable(answer)] or repeats
                keys = [text_of(answer) for answer in valid]
                winner = valid[keys.index(Counter(keys).most_common(1)[0][0])]
                values: dict[int, dict[str, Any]] = {}

                self._process(each, [winner], values)
                if not each.failed:
                    votes[name][doc_id] = (winner, values[doc_id])
        return votes

    def _unparsable(self, filtered: Any) -> bool:
        parts = filtered if isinstance(filtered, list) else [filtered]
        return bool(parts) and all(
            isinstance(part, str) and (not part.strip() or part in self._fallbacks) for part in parts
        )

    def _sample(self, each: AnsweredDocument, name: str, passes: list[_Pass], votes: Any) -> SampleMark:
        doc_id = each.rendered.doc_id
        filtered = votes[name][doc_id][0] if votes else single(passes[0].filtered[name][doc_id])
        values = {
            metric: average([scoring.values[name][doc_id].get(metric) for scoring in passes])
            for metric in passes[0].values[name][doc_id]
        }

        if votes:
            values |= {
                f"maj@{self._repeats}_{metric}": average([value])
                for metric, value in votes[name][doc_id][1].items()
            }

        # An answer whose thought never ended is counted as cut off, not as unreadable.
        free_text = isinstance(each.rendered.items[0], Completion)
        return SampleMark(
            doc_id=doc_id,
            filter=name,
            prompt=each.rendered.prompt,
            target=self.target(each.rendered.doc),
            answer=text_of(filtered) if free_text else self._picked(each),
            metrics=values,
            keys=tuple(item.key for item in each.rendered.items),
            truncated=each.truncated,
            empty=each.empty,
            unparsable=free_text and not each.empty and not each.unfinished and self._unparsable(filtered),
            tied=each.tied,
            item=self._fields.item_of(each.rendered.doc, doc_id),
            cluster=self._fields.cluster_of(each.rendered.doc),
            reading=readings_of([scoring.filtered[name][doc_id] for scoring in passes]),
            picks=self._picks(each, filtered) if free_text else self._option_picks(each),
            right=right_labels(self._task, each.rendered.doc, choice=not free_text),
        )

    def _picks(self, each: AnsweredDocument, filtered: Any) -> tuple[str, ...]:
        """The label of a written answer; nothing for one that cannot be read."""
        text = text_of(filtered)
        unread = each.empty or each.unfinished or self._unparsable(filtered) or not text.strip()
        return () if unread else (plain_label(text),)

    def _option_picks(self, each: AnsweredDocument) -> tuple[str, ...]:
        instances = each.rendered.instances[: count_options(self._task, each.rendered)]
        return picked_options(instances, each.responses)

    def _picked(self, each: AnsweredDocument) -> str:
        """The likeliest option's text; nothing for a passage or a single continuation."""
        instances = each.rendered.instances
        if len(instances) < 2:
            return ""
        count = count_options(self._task, each.rendered)

        best = max(range(count), key=lambda index: each.responses[index][0][0])

        # Tasks such as winogrande put the option into the context and share the continuation.
        context, continuation = instances[best].args[:2]
        return str(
            continuation if len({instance.args[0] for instance in instances[:count]}) == 1 else context
        ).strip()

    def target(self, doc: dict[str, Any]) -> str:
        """The right answer as text: for multiple choice the option's text."""
        try:
            with cached_templates():
                target = (
                    self._task.doc_to_text(doc)
                    if getattr(self._task, "multiple_input", 0)
                    else self._task.doc_to_target(doc)
                )
                if isinstance(target, int) and getattr(self._task.config, "doc_to_choice", None) is not None:
                    return str(self._task.doc_to_choice(doc)[target])
        except Exception as error:  # only a column for people to read
            return f"({type(error).__name__})"
        return text_of(target)

    def _metrics(self, good: list[AnsweredDocument], passes: list[_Pass], votes: Any) -> list[MetricValue]:
        """One row per filter and metric, in the order of lm-eval's tables.

        Filters follow one another, metrics stand as process_results names them, and maj@k after
        each filter's own.
        """
        rows: list[MetricValue] = []
        for name in passes[0].filtered:
            metrics = dict.fromkeys(
                metric for each in good for metric in passes[0].values[name][each.rendered.doc_id]
            )

            for metric in metrics:
                columns = [column_of(scoring.values[name], metric, good) for scoring in passes]
                rows.append(self._metric(metric, metric, name, columns))
            for metric in metrics if votes else ():
                winners = {doc_id: values for doc_id, (_, values) in votes[name].items()}
                rows.append(
                    self._metric(
                        metric, f"maj@{self._repeats}_{metric}", name, [column_of(winners, metric, good)]
                    )
                )
        return rows

    def _metric(self, metric: str, name_in_table: str, name: str, columns: list[list[Any]]) -> MetricValue:
        from lm_eval.api.metrics import mean

        aggregate: Callable[[Sequence[Any]], Any] = self._task.aggregation().get(metric, mean)

        # avg@k is a mean per document first: the standard error then counts documents, not answers.
        if len(columns) > 1 and aggregate is mean:
            columns = [[average(list(values)) for values in zip(*columns, strict=True)]]
        values = [float(aggregate(column)) for column in columns]
        column = columns[0]

        return MetricValue(
            metric=name_in_table,
            filter=name,
            value=sum(values) / len(values),
            stderr=standard_error(aggregate, metric, column) if len(columns) == 1 else None,
            n=len(column),
            higher_is_better=bool(self._task.higher_is_better().get(metric, True)),
            counted=aggregate is mean and all(number(value) in (0.0, 1.0) for value in column),
        )
