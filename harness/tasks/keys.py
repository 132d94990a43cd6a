"""Answers by their labels: which option was picked, which one is right.

Options of one document are other texts than those of the next, so an option's label is its letter,
by its position, unless the options are the same few words everywhere (yes and no).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from harness.tasks.letters import LETTERS

FEW = 10
"""Different answers up to which a task is said to have few."""
FIXED = frozenset(
    [
        "yes",
        "no",
        "true",
        "false",
        "maybe",
        "neither",
        "positive",
        "negative",
        "neutral",
        "entailment",
        "contradiction",
        "是",
        "否",
        "对",
        "错",
        "正确",
        "错误",
        "不是",
        "真",
        "假",
        "有",
        "没有",
        "能",
        "不能",
    ]
)
"""Words that are options of whole tasks, in small letters."""
BARE = re.compile(r"^[\s(（\[【]*(.*?)[\s)）\]】.。,，:：]*$", re.DOTALL)


def option_labels(options: Sequence[str]) -> tuple[str, ...]:
    """A label per option, in their order."""
    words = tuple(option.strip().lower() for option in options)
    if set(words) <= FIXED:
        return words
    return tuple(LETTERS[at] if at < len(LETTERS) else str(at + 1) for at in range(len(options)))


def plain_label(text: str) -> str:
    """A written answer without what is only its dress: spaces, brackets, a full stop, capitals of
    words.
    """
    match = BARE.match(text)
    bare = match.group(1) if match else text
    return bare.upper() if len(bare) == 1 else bare.lower()


def right_labels(task: Any, doc: dict[str, Any], *, choice: bool) -> tuple[str, ...]:
    """The labels of a document's right answers; nothing where the task does not tell them.

    ``choice`` says that options are compared; else answers are written. Never raises: it is no part
    of marking.
    """
    try:
        ask = task.doc_to_text if getattr(task, "multiple_input", 0) else task.doc_to_target
        target = ask(doc)
        options = _options(task, doc)
    except Exception:  # a task's own code; whatever is wrong with it, marking says so
        return ()

    targets = list(target) if isinstance(target, (list, tuple)) else [target]
    if not choice:
        numbers = options and all(isinstance(one, int) for one in targets)
        texts = [options[one] for one in targets] if numbers else targets
        return tuple(dict.fromkeys(plain_label(str(text)) for text in texts))

    labels = option_labels(options)
    right = [one if isinstance(one, int) else _index(options, str(one)) for one in targets]
    return tuple(labels[one] for one in right if one is not None and 0 <= one < len(labels))


def few_counts(task: Any, documents: Iterable[dict[str, Any]], *, choice: bool) -> dict[str, int]:
    """How many documents each answer is right for, most first; nothing for more than `FEW` answers."""
    counts = Counter(label for doc in documents for label in right_labels(task, doc, choice=choice))
    return dict(counts.most_common()) if len(counts) <= FEW else {}


def _options(task: Any, doc: dict[str, Any]) -> list[str]:
    if getattr(task.config, "doc_to_choice", None) is None:
        return []
    return [str(option) for option in task.doc_to_choice(doc)]


def _index(options: Sequence[str], text: str) -> int | None:
    return next((at for at, option in enumerate(options) if option.strip() == text.strip()), None)


def picked_labels(options: Sequence[str], logprobs: Sequence[float]) -> tuple[str, ...]:
    """The likeliest option's label, by its log-probability and by that per character (acc_norm)."""
    if len(options) < 2 or len(options) != len(logprobs):
        return ()
    labels, places = option_labels(options), range(len(options))
    plain = max(places, key=lambda at: logprobs[at])
    normed = max(places, key=lambda at: logprobs[at] / max(1, len(options[at])))
    return labels[plain], labels[normed]


def picked_options(instances: Sequence[Any], responses: Sequence[Any]) -> tuple[str, ...]:
    """`picked_labels` of lm-eval's instances, one per option, and what was answered to each."""
    if len(instances) < 2:
        return ()

    # Tasks such as winogrande put the option into the context and share the continuation. lm-eval
    # counts an option's characters without the blank before it.
    part = 1 if len({instance.args[0] for instance in instances}) == 1 else 0
    options = [str(instance.args[part]).strip() for instance in instances]
    return picked_labels(options, [responses[at][0][0] for at in range(len(instances))])
