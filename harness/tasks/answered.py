"""Documents with their answers, in the form that lm-eval marks."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.items import Answer, Completion, Generation, Likelihood, Score, ThinkTags
from harness.tasks.reading import ReadAnswer
from harness.tasks.render import Rendered
from harness.thoughts import read


@dataclass
class AnsweredDocument:
    """One document with its answers as lm-eval wants them.

    ``responses`` holds one list per instance.
    """

    rendered: Rendered
    responses: list[list[Any]]
    truncated: bool = False
    unfinished: bool = False
    """The thought never ended, so there is no answer: "" is what is marked."""
    unannounced: tuple[ThinkTags, ...] = ()
    """Markers of thoughts that the config does not name, one per answer that held one."""
    cut_inside: int = 0
    """Answers that a stop text cut inside such a thought."""
    empty: bool = False
    tied: bool = False
    failed: str = ""


def answered_document(rendered: Rendered, answers: Mapping[str, Answer]) -> AnsweredDocument:
    by_item = [answers[item.key] for item in rendered.items]
    first = by_item[0]

    if isinstance(first, Score):
        answered = AnsweredDocument(
            rendered, [[pair] for pair in zip(first.logprobs, first.greedy, strict=True)]
        )
        top = sorted(first.logprobs, reverse=True)[:2]
        answered.tied = len(top) == 2 and top[0] == top[1]

        # A journal of other options than today's task would shift every option after the first.
        if len(answered.responses) != len(rendered.instances):
            answered.failed = (
                f"{len(answered.responses)} log-probabilities for {len(rendered.instances)}"
                f" options:"
                " the journal is another task's"
            )
            answered.responses = [[(-math.inf, False)] for _ in rendered.instances]
        return answered

    if isinstance(first, Likelihood):
        return AnsweredDocument(rendered, [[first.logprob]])
    return _completed(rendered, [answer for answer in by_item if isinstance(answer, Generation)])


def _completed(rendered: Rendered, generations: list[Generation]) -> AnsweredDocument:
    answered, texts = AnsweredDocument(rendered, []), []
    for item, generation in zip(rendered.items, generations, strict=True):
        assert isinstance(item, Completion)
        thought = read(generation.text, item.think, rendered.prompt)
        answer = thought.answer

        if thought.unannounced and thought.tags is not None:
            answered.unannounced += (thought.tags,)
            answered.cut_inside += answer is None and generation.finish == "stop"

        # A thought that never ended leaves no answer, which is marked as "" and counted as cut off.
        answered.truncated |= answer is None or generation.finish == "length"
        answered.unfinished |= answer is None

        text = cut(answer or "", item.stop)
        answered.empty |= answer is not None and not text.strip()
        texts.append(text)

    answered.responses = [texts]
    return answered


def cut(text: str, stops: Sequence[str]) -> str:
    """The text before the first stop text, as lm-eval's postprocess_generated_text cuts it."""
    for stop in stops:
        if stop:
            text = text.split(stop)[0]
    return text


def count_options(task: Any, rendered: Rendered) -> int:
    """How many of the instances are options.

    Mutual information adds one instance per option, with an empty context.
    """
    count = len(rendered.instances)
    return count // 2 if "acc_mutual_info" in getattr(task, "_metric_fn_list", {}) else count


def fallbacks_of(task: Any) -> set[str]:
    """What the task's filters leave where they find no answer."""
    steps = [step for item in getattr(task.config, "filter_list", None) or [] for step in item["filter"]]
    return {"[invalid]", *(str(step["fallback"]) for step in steps if "fallback" in step)}


def readings_of(filtered: list[list[Any]]) -> str | None:
    """How a reader read the answers, one line per repeat; None where no reader ran."""
    parts = (
        part
        for values in filtered
        for value in values
        for part in (value if isinstance(value, list) else [value])
    )

    lines = [str(part.reading) for part in parts if isinstance(part, ReadAnswer) and part.reading]
    return "\n".join(lines) if lines else None


def single(filtered: list[Any]) -> Any:
    return filtered[0] if len(filtered) == 1 else filtered


def text_of(value: Any) -> str:
    if isinstance(value, str):
        return str(value)  # no reader's subclass of it
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)


def column_of(values: dict[int, dict[str, Any]], metric: str, good: list[AnsweredDocument]) -> list[Any]:
    rows = (values[each.rendered.doc_id] for each in good)
    return [row[metric] for row in rows if metric in row]
