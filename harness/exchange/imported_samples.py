"""One of lm-eval's samples as our mark and our answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.exchange.imported_scores import arguments_of
from harness.items import Answer, Generation, Likelihood, Score
from harness.tasks.api import SampleMark
from harness.tasks.figures import number
from harness.tasks.keys import option_labels, picked_labels, plain_label
from harness.tasks.origin import fields_of


def mark_of(task: str, sample: Mapping[str, Any], kind: str) -> SampleMark:
    """A sample's mark; ``kind`` is lm-eval's output_type."""
    doc_id, doc = int(sample["doc_id"]), sample.get("doc") or {}
    fields = fields_of(task)
    arguments = arguments_of(sample)
    filtered = sample.get("filtered_resps") or []

    # What a filter took out is lm-eval's answer to a text; of options it keeps the scores only.
    generated = kind == "generate_until"
    texts = _texts(sample) if generated else []
    answer = str(filtered[0]) if filtered and generated else _picked(sample, arguments)
    written = bool(texts) and all(text.strip() for text in texts)
    return SampleMark(
        doc_id=doc_id,
        filter=str(sample["filter"]),
        prompt=arguments[0][0] if arguments else "",
        target=_target(sample, arguments, kind),
        answer=answer,
        metrics={str(name): number(sample.get(name)) for name in sample.get("metrics") or []},
        keys=tuple(f"{doc_id}:{repeat}" for repeat in range(len(texts))) or (str(doc_id),),
        empty=bool(texts) and not written,
        unparsable=written and answer.strip() in ("", "[invalid]"),
        item=fields.item_of(doc, doc_id),
        cluster=fields.cluster_of(doc),
        picks=_picks(sample, arguments, answer, generated=generated),
        right=_right(sample, arguments, kind),
    )


def _picks(
    sample: Mapping[str, Any], arguments: Sequence[tuple[str, str]], answer: str, *, generated: bool
) -> tuple[str, ...]:
    if generated:
        return (plain_label(answer),) if answer.strip() not in ("", "[invalid]") else ()
    scores = [score for score, _ in _logprobs(sample)]
    return picked_labels([text.strip() for _, text in arguments], scores)


def _right(sample: Mapping[str, Any], arguments: Sequence[tuple[str, str]], kind: str) -> tuple[str, ...]:
    """The right answer's label: of options by their number, else by the text."""
    target = str(sample.get("target", ""))
    if kind == "generate_until":
        return (plain_label(target),) if target.strip() else ()
    labels = option_labels([text for _, text in arguments])
    return (labels[int(target)],) if target.isdigit() and int(target) < len(labels) else ()


def answers_of(samples: Sequence[Mapping[str, Any]], kind: str) -> dict[str, Answer]:
    """The samples' answers by item key; what cannot be read as an answer is left out."""
    answers: dict[str, Answer] = {}
    for sample in samples:
        doc = str(sample["doc_id"])
        if kind == "generate_until":
            for repeat, text in enumerate(_texts(sample)):
                answers[f"{doc}:{repeat}"] = Generation(f"{doc}:{repeat}", text, "unknown")
            continue

        scores = _logprobs(sample)
        if kind == "loglikelihood_rolling" and scores:
            answers[doc] = Likelihood(doc, scores[0][0])
        elif scores:
            logprobs, greedy = tuple(one for one, _ in scores), tuple(one for _, one in scores)
            answers[doc] = Score(doc, logprobs, greedy, (0,) * len(scores))
    return answers


def _target(sample: Mapping[str, Any], arguments: Sequence[tuple[str, str]], kind: str) -> str:
    """The right answer as text; lm-eval keeps the option's number for multiple choice."""
    target = str(sample.get("target", ""))
    if kind == "multiple_choice" and target.isdigit() and int(target) < len(arguments):
        return arguments[int(target)][1].strip()
    return target


def _picked(sample: Mapping[str, Any], arguments: Sequence[tuple[str, str]]) -> str:
    """The option of the greatest log-probability; "" where scores and options do not fit."""
    scores = _logprobs(sample)
    if len(scores) < 2 or len(scores) != len(arguments):
        return ""
    return arguments[max(range(len(scores)), key=lambda index: scores[index][0])][1].strip()


def _logprobs(sample: Mapping[str, Any]) -> list[tuple[float, bool]]:
    """(log-probability, greedy) of each instance.

    lm-eval writes both as text, and an instance's repeats as a list of their own.
    """
    pairs = []
    for response in sample.get("resps") or []:
        # One pair that cannot be read leaves the others without an order: none is known then.
        pair = response[0] if response and isinstance(response[0], list) else response
        try:
            pairs.append((float(pair[0]), len(pair) > 1 and str(pair[1]) == "True"))
        except (TypeError, ValueError, IndexError):
            return []
    return pairs


def _texts(sample: Mapping[str, Any]) -> list[str]:
    texts: list[str] = []
    for response in sample.get("resps") or []:
        texts += [str(text) for text in response] if isinstance(response, list) else [str(response)]
    return texts
