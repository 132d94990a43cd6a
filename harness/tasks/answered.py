"""Documents with their answers, in the form that lm-eval marks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.items import Answer, Completion, Generation, Likelihood, Score, ThinkTags
from harness.tasks.render import Rendered
from harness.thoughts import read


@dataclass
class Answered:
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


def answered_by(rendered: Rendered, answers: Mapping[str, Answer]) -> Answered:
    by_item = [answers[item.key] for item in rendered.items]
    first = by_item[0]

    if isinstance(first, Score):
        answered = Answered(rendered, [[pair] for pair in zip(first.logprobs, first.greedy, strict=True)])
        top = sorted(first.logprobs, reverse=True)[:2]
        answered.tied = len(top) == 2 and top[0] == top[1]

        # A journal of other options than today's task would shift every option after the first.
        if len(answered.responses) != len(rendered.instances):
            answered.failed = (
                f"{len(answered.responses)} log-probabilities for {len(rendered.instances)} options:"
                " the journal is another task's"
            )
            answered.responses = [[(-math.inf, False)] for _ in rendered.instances]
        return answered

    if isinstance(first, Likelihood):
        return Answered(rendered, [[first.logprob]])
    return _completed(rendered, [answer for answer in by_item if isinstance(answer, Generation)])


def _completed(rendered: Rendered, generations: list[Generation]) -> Answered:
    answered, texts = Answered(rendered, []), []
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
