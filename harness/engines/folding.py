"""Messages that a chat template or an endpoint does not take as they are: brought into a form that
it takes, with nothing lost unsaid.

A system message that is refused or left out goes to the start of the first user turn (text, blank
line, the user's text), as the makers of such models advise (Gemma:
https://ai.google.dev/gemma/docs/core/prompt-structure; Mistral's own tokenizer puts it there
itself). Neighbouring turns of one role become one. lm-eval leaves the system message out instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.engines.protocol import Message
from harness.errors import ModelError
from harness.thought_markers import told_in
from harness.wording import quoted, reason_of

Render = Callable[[list[Message]], str]
"""Messages to a prompt; raises where it does not take them."""
SHOWN = 60
"""Characters of a lost text that are shown."""
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class FoldedMessages:
    """What was done to the messages of one prompt. ``lost`` are texts that stand nowhere in it."""

    folded: bool = False
    merged: bool = False
    cut_thoughts: bool = False
    """The template cut thoughts out of earlier answers, as makers of reasoning models have it
    do.
    """
    lost: tuple[str, ...] = ()


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """The messages without a system turn, its text before the first user turn's.

    A blank line stands between the two. Where no user turn follows, the system's text becomes one.
    """
    text = "\n\n".join(
        message["content"].strip("\n")
        for message in messages
        if message["role"] == "system" and message["content"].strip()
    )
    rest = [message for message in messages if message["role"] != "system"]
    if not text:
        return rest

    # Gemma's makers advise this place, and Mistral's own tokenizer puts it there.
    first = next((index for index, message in enumerate(rest) if message["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": text}, *rest]
    user = rest[first]
    return [*rest[:first], {**user, "content": f"{text}\n\n{user['content']}"}, *rest[first + 1 :]]


def merge_turns(messages: Sequence[Message]) -> list[Message]:
    """Neighbouring turns of one role as one turn, a blank line between their texts."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1] = {**merged[-1], "content": f"{merged[-1]['content']}\n\n{message['content']}"}
        else:
            merged.append(dict(message))
    return merged


def adapt(messages: Sequence[Message], render: Render) -> tuple[str, FoldedMessages]:
    """The prompt, and what was done to the messages so that everything is in it.

    Raises ModelError where the template takes no form of them. Tried in turn: the messages as they
    are, with the system turn folded, with turns of one role merged, with both. The first form in
    which nothing is lost counts, else the form that loses least.
    """
    refusals: list[str] = []
    best: tuple[str, FoldedMessages] | None = None
    for folded, merged, tried in _forms(list(messages)):
        try:
            prompt = render(tried)
        except Exception as error:  # a template is a program of its maker's
            refusals.append(reason_of(error, 300))
            continue

        # A template may leave a message out without a word, so the prompt itself is read.
        lost, cut = _lost(messages, prompt)
        result = prompt, FoldedMessages(folded, merged, cut, lost)
        if not lost:
            return result
        if best is None or len(lost) < len(best[1].lost):
            best = result
    if best is None:
        raise ModelError(f"the chat template refused the messages: {refusals[0]}")
    return best


def _forms(messages: list[Message]) -> list[tuple[bool, bool, list[Message]]]:
    """(folded, merged, messages) without repetitions."""
    folded, merged = fold_system(messages), merge_turns(messages)

    forms: list[tuple[bool, bool, list[Message]]] = []
    for entry in (
        (False, False, messages),
        (True, False, folded),
        (False, True, merged),
        (True, True, merge_turns(folded)),
    ):
        if all(entry[2] != other[2] for other in forms):
            forms.append(entry)
    return forms


def _lost(messages: Sequence[Message], prompt: str) -> tuple[tuple[str, ...], bool]:
    """Texts that are not in the prompt, and whether thoughts were cut out of earlier answers.

    White space does not count.
    """
    whole = _bare(prompt)
    lost, cut = [], False
    for message in messages:
        text = message["content"]
        if _bare(text) in whole:
            continue

        # Makers of reasoning models have their templates cut earlier thoughts out.
        tags = told_in([text]) if message["role"] == "assistant" else None
        if tags is not None and _bare(text.rpartition(tags.close)[2]) in whole:
            cut = True
            continue
        lost.append(text)
    return tuple(lost), cut


def _bare(text: str) -> str:
    return _SPACE.sub("", text)


def shown(text: str) -> str:
    """The start of a lost text, for people."""
    return quoted(text, SHOWN)
