"""Answers to marks, by lm-eval's filters, the task's own process_results and its own aggregation.

Answers of reasoning models lose their thought first; repeats that our config asked for are scored
one by one (avg@k, maj@k).
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.items import Answer, Completion, Generation, Likelihood, Score, ThinkTags
from harness.tasks.api import Marks, MetricValue, SampleMark
from harness.tasks.figures import average, number, standard_error
from harness.tasks.origin import fields_of
from harness.tasks.reading import ReadAnswer
from harness.tasks.render import Rendered, cached_templates
from harness.tasks.thinking import thought_findings
from harness.tasks.unread import unread_findings
from harness.thoughts import read
from harness.wording import reason_of

log = logging.getLogger(__name__)


@dataclass
class _Asked:
    """One document with its answers as lm-eval wants them.

    ``responses`` holds one list a instance; ``texts`` one text a repeat.
    """

    rendered: Rendered
    responses: list[list[Any]]
    truncated: bool = False
    unfinished: bool = False
    """The thought never ended, so there is no answer: "" is what is marked."""
    unannounced: tuple[ThinkTags, ...] = ()
    """Markers of thoughts that the config does not name, one an answer that held one."""
    cut_inside: int = 0
    """Answers that a stop text cut inside such a thought."""
    empty: bool = False
    tied: bool = False
    failed: str = ""


@dataclass
class _Pass:
    """One scoring of every document: filter name to document id to what the filters left (one value
    an instance).
    """

    filtered: dict[str, dict[int, list[Any]]] = field(default_factory=dict)
    values: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)


class Marker:
    """Marks the answers of one task.

    ``repeats`` > 1 says that each document's answers are scored one by one.
    """

    def __init__(self, task: Any, *, repeats: int = 1) -> None:
        self._task, self._repeats = task, repeats
        self._fallbacks = _fallbacks(task)
        self._fields = fields_of(self._name, getattr(task.config, "metadata", None))

    def mark(self, documents: Sequence[Rendered], answers: Mapping[str, Answer]) -> Marks:
        """Marks of the documents whose every answer is there.

        A document that cannot be marked is left out and told in `Marks.failed`.
        """
        asked = [
            _asked(rendered, answers)
            for rendered in documents
            if all(item.key in answers for item in rendered.items)
        ]
        if not asked:
            return Marks((), (), 0)
        with cached_templates():
            passes = [self._pass(asked, repeat) for repeat in range(self._repeats)]
            votes = self._vote(asked, passes) if self._repeats > 1 else None
        failed = tuple((each.rendered.doc_id, each.failed) for each in asked if each.failed)
        if failed:
            log.warning(
                "task %s: %d documents cannot be marked; the first: document %d: %s",
                self._name,
                len(failed),
                *failed[0],
            )
        good = [each for each in asked if not each.failed]
        samples = tuple(
            self._sample(each, name, passes, votes) for name in passes[0].filtered for each in good
        )
        metrics = tuple(self._metrics(good, passes, votes))
        findings = (*thought_findings(good, samples, metrics), *unread_findings(samples))
        return Marks(samples, metrics, len(good), failed, findings)

    @property
    def _name(self) -> str:
        return str(self._task.config.task)

    def _pass(self, asked: list[_Asked], repeat: int) -> _Pass:
        """Filters over every document at once, as lm-eval applies them, then process_results
        document by document.
        """
        chosen = (
            (lambda responses: [responses[repeat]]) if self._repeats > 1 else (lambda responses: responses)
        )
        made = _Pass()
        for each in asked:
            for instance, responses in zip(each.rendered.instances, each.responses, strict=True):
                instance.resps, instance.filtered_resps = list(chosen(responses)), {}
        for ensemble in self._task._filters:
            self._filter(ensemble, asked)
            kept = made.filtered.setdefault(ensemble.name, {})
            for each in asked:
                if not each.failed:
                    kept[each.rendered.doc_id] = [
                        instance.filtered_resps[ensemble.name] for instance in each.rendered.instances
                    ]
        for name, kept in made.filtered.items():
            made.values[name] = {}
            for each in asked:
                if not each.failed:
                    self._process(each, kept[each.rendered.doc_id], made.values[name])
        return made

    def _filter(self, ensemble: Any, asked: list[_Asked]) -> None:
        everything = [instance for each in asked if not each.failed for instance in each.rendered.instances]
        if not everything:
            return
        try:
            ensemble.apply(everything)
        except (
            Exception
        ):  # a filter is the task's code: where it fails on one document, the others still count
            for each in asked:
                try:
                    ensemble.apply(list(each.rendered.instances))
                except Exception as error:
                    each.failed = each.failed or f"filter {ensemble.name}: {type(error).__name__}: {error}"

    def _process(self, each: _Asked, filtered: list[Any], values: dict[int, dict[str, Any]]) -> None:
        try:
            values[each.rendered.doc_id] = self._task.process_results(each.rendered.doc, filtered)
        except Exception as error:  # process_results is the task's code; one document must not end the cell
            each.failed = f"process_results: {reason_of(error, 200, named=True)}"

    def _vote(
        self, asked: list[_Asked], passes: list[_Pass]
    ) -> dict[str, dict[int, tuple[Any, dict[str, Any]]]]:
        """Filter to document to (the answer most repeats gave, its metrics).

        Unparsable answers vote only among themselves.
        """
        votes: dict[str, dict[int, tuple[Any, dict[str, Any]]]] = {}
        for name in passes[0].filtered:
            votes[name] = {}
            for each in asked:
                doc_id = each.rendered.doc_id
                if each.failed:
                    continue
                given = [made.filtered[name][doc_id][0] for made in passes]
                valid = [answer for answer in given if not self._unparsable(answer)] or given
                keys = [_text(answer) for answer in valid]
                winner = valid[keys.index(Counter(keys).most_common(1)[0][0])]
                found: dict[int, dict[str, Any]] = {}
                self._process(each, [winner], found)
                if not each.failed:
                    votes[name][doc_id] = (winner, found[doc_id])
        return votes

    def _unparsable(self, filtered: Any) -> bool:
        parts = filtered if isinstance(filtered, list) else [filtered]
        return bool(parts) and all(
            isinstance(part, str) and (not part.strip() or part in self._fallbacks) for part in parts
        )

    def _sample(self, each: _Asked, name: str, passes: list[_Pass], votes: Any) -> SampleMark:
        doc_id = each.rendered.doc_id
        filtered = votes[name][doc_id][0] if votes else _single(passes[0].filtered[name][doc_id])
        values = {
            metric: average([made.values[name][doc_id].get(metric) for made in passes])
            for metric in passes[0].values[name][doc_id]
        }
        if votes:
            values |= {
                f"maj@{self._repeats}_{metric}": average([value])
                for metric, value in votes[name][doc_id][1].items()
            }
        written = isinstance(each.rendered.items[0], Completion)
        return SampleMark(
            doc_id=doc_id,
            filter=name,
            prompt=each.rendered.prompt,
            target=self.target(each.rendered.doc),
            answer=_text(filtered) if written else self._picked(each),
            metrics=values,
            keys=tuple(item.key for item in each.rendered.items),
            truncated=each.truncated,
            empty=each.empty,
            unparsable=written and not each.empty and not each.unfinished and self._unparsable(filtered),
            tied=each.tied,
            item=self._fields.item_of(each.rendered.doc, doc_id),
            cluster=self._fields.cluster_of(each.rendered.doc),
            reading=_readings([made.filtered[name][doc_id] for made in passes]),
        )

    def _picked(self, each: _Asked) -> str:
        """The likeliest option's text; nothing for a passage or a single continuation."""
        instances = each.rendered.instances
        if len(instances) < 2:
            return ""
        count = _options(self._task, each.rendered)
        best = max(range(count), key=lambda index: each.responses[index][0][0])
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
        return _text(target)

    def _metrics(self, good: list[_Asked], passes: list[_Pass], votes: Any) -> list[MetricValue]:
        """In lm-eval's order: filter by filter, metrics as process_results names them; maj@k after
        each filter's own.
        """
        found: list[MetricValue] = []
        for name in passes[0].filtered:
            metrics = dict.fromkeys(
                metric for each in good for metric in passes[0].values[name][each.rendered.doc_id]
            )
            for metric in metrics:
                columns = [_column(made.values[name], metric, good) for made in passes]
                found.append(self._metric(metric, metric, name, columns))
            for metric in metrics if votes else ():
                voted = {doc_id: values for doc_id, (_, values) in votes[name].items()}
                found.append(
                    self._metric(
                        metric, f"maj@{self._repeats}_{metric}", name, [_column(voted, metric, good)]
                    )
                )
        return found

    def _metric(self, metric: str, told: str, name: str, columns: list[list[Any]]) -> MetricValue:
        from lm_eval.api.metrics import mean

        aggregate: Callable[[Sequence[Any]], Any] = self._task.aggregation().get(metric, mean)
        if len(columns) > 1 and aggregate is mean:
            columns = [[average(list(values)) for values in zip(*columns, strict=True)]]
        values = [float(aggregate(column)) for column in columns]
        column = columns[0]
        return MetricValue(
            metric=told,
            filter=name,
            value=sum(values) / len(values),
            stderr=standard_error(aggregate, metric, column) if len(columns) == 1 else None,
            n=len(column),
            higher_is_better=bool(self._task.higher_is_better().get(metric, True)),
            counted=aggregate is mean and all(number(value) in (0.0, 1.0) for value in column),
        )


def _asked(rendered: Rendered, answers: Mapping[str, Answer]) -> _Asked:
    given = [answers[item.key] for item in rendered.items]
    first = given[0]
    if isinstance(first, Score):
        asked = _Asked(rendered, [[pair] for pair in zip(first.logprobs, first.greedy, strict=True)])
        top = sorted(first.logprobs, reverse=True)[:2]
        asked.tied = len(top) == 2 and top[0] == top[1]
        if len(asked.responses) != len(rendered.instances):
            asked.failed = f"{len(asked.responses)} log-probabilities for {len(rendered.instances)} options: the journal is another task's"
            asked.responses = [[(-math.inf, False)] for _ in rendered.instances]
        return asked
    if isinstance(first, Likelihood):
        return _Asked(rendered, [[first.logprob]])
    return _completed(rendered, [answer for answer in given if isinstance(answer, Generation)])


def _completed(rendered: Rendered, given: list[Generation]) -> _Asked:
    asked, texts = _Asked(rendered, []), []
    for item, generation in zip(rendered.items, given, strict=True):
        assert isinstance(item, Completion)
        found = read(generation.text, item.think, rendered.prompt)
        answer = found.answer
        if found.unannounced and found.tags is not None:
            asked.unannounced += (found.tags,)
            asked.cut_inside += answer is None and generation.finish == "stop"
        asked.truncated |= answer is None or generation.finish == "length"
        asked.unfinished |= answer is None
        text = cut(answer or "", item.stop)
        asked.empty |= answer is not None and not text.strip()
        texts.append(text)
    asked.responses = [texts]
    return asked


def cut(text: str, stops: Sequence[str]) -> str:
    """The text before the first stop text, as lm-eval's postprocess_generated_text cuts it."""
    for stop in stops:
        if stop:
            text = text.split(stop)[0]
    return text


def _options(task: Any, rendered: Rendered) -> int:
    """How many of the pairs are options: mutual information adds one a option with an empty
    context.
    """
    count = len(rendered.instances)
    return count // 2 if "acc_mutual_info" in getattr(task, "_metric_fn_list", {}) else count


def _fallbacks(task: Any) -> set[str]:
    """What the task's filters leave where they find no answer."""
    steps = [step for item in getattr(task.config, "filter_list", None) or [] for step in item["filter"]]
    return {"[invalid]", *(str(step["fallback"]) for step in steps if "fallback" in step)}


def _readings(filtered: list[list[Any]]) -> str | None:
    """How a reader read the answers, one line a repeat; None where no reader ran."""
    parts = (
        part
        for values in filtered
        for value in values
        for part in (value if isinstance(value, list) else [value])
    )
    lines = [str(part.reading) for part in parts if isinstance(part, ReadAnswer) and part.reading]
    return "\n".join(lines) if lines else None


def _single(filtered: list[Any]) -> Any:
    return filtered[0] if len(filtered) == 1 else filtered


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)  # no reader's subclass of it
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)


def _column(values: dict[int, dict[str, Any]], metric: str, good: list[_Asked]) -> list[Any]:
    rows = (values[each.rendered.doc_id] for each in good)
    return [row[metric] for row in rows if metric in row]
