"""Every place where a text states an answer.

It does so by a cue, in a structure (box, tag, JSON), or by a judgement ("B is correct"). All on
folded text. What is denied, asked, supposed or said of others states nothing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from harness.tasks.letters import LETTERS
from harness.tasks.reading.cues import BOXED, CUES, JSON, STRUCTURES, Cue, Weight
from harness.tasks.reading.denials import (
    BUT,
    HYPOTHESIS,
    NOT_AFTER,
    NOT_BEFORE_EN,
    NOT_BEFORE_ZH,
    POSSIBLE,
    RETRACTED,
)
from harness.tasks.reading.options import QuestionOptions
from harness.tasks.reading.payload import Payload, payload, whole_payload

_SENTENCE = 300
"""Characters before a cue, or in a box, that are looked at."""
_PLACES = 100
"""Places of one cue that are looked at, from the end."""
_STRUCTURES = 20
"""Boxes and the like that are looked at, from the end."""


@dataclass(frozen=True)
class Statement:
    """``letters`` stated at ``start`` to ``end``; several letters are no decision.

    ``wrong``: said to be wrong, not right.
    """

    letters: tuple[str, ...]
    start: int
    end: int
    rule: str
    weight: Weight
    wrong: bool = False


def cued(text: str, options: QuestionOptions) -> Iterator[Statement]:
    """Statements behind a cue.

    Of cues that lead to the same letter the first one names the rule.
    """
    ends: set[int] = set()
    for cue in CUES:
        for match in deque(cue.pattern.finditer(text), _PLACES):
            stated = _behind(text, match, cue, options)

            if stated is None or stated.end in ends:
                continue

            # A denied, questioned or retracted answer states nothing, nor does 也可以, which allows a
            # second one.
            weight = weight_of(text, match, cue)
            if (
                weight is None
                or is_question(text, stated.end)
                or RETRACTED.match(text, stated.end)
                or _ALSO.match(text, stated.end)
            ):
                continue

            # "i.e., H" names a letter of the question's own.
            if cue.closed and any(LETTERS.index(letter) >= options.count for letter in stated.letters):
                continue

            # The start skips the blanks and marks that the pattern takes from the sentence before.
            ends.add(stated.end)
            start = match.start() + len(match[0]) - len(match[0].lstrip(" \n,.;。("))
            rule = (
                cue.rule
                if stated.by == "letter"
                else f"{cue.rule}, option's {'text' if stated.by == 'text' else 'place'}"
            )
            yield Statement(stated.letters, start, stated.end, rule, weight)


_ALSO = re.compile(r"[\s\"'」』】)]{0,4}(?:也|都)(?:可以?|行|对|正确|有道理)")


def _behind(text: str, match: re.Match[str], cue: Cue, options: QuestionOptions) -> Payload | None:
    """The payload behind a cue; behind "not A but B" and 不是A而是B it is B."""
    denied = NOT_AFTER.match(text, match.end())
    if denied is None:
        return payload(text, match.end(), options, closed=cue.closed)

    # "not A. … but B" in two sentences corrects nothing.
    turn = BUT.search(text, denied.end(), min(len(text), denied.end() + 60))
    if turn is None or re.search(r"[。;!?\n]|\.\s", text[denied.end() : turn.start()]):
        return None
    return payload(text, turn.end(), options)


def weight_of(text: str, cue_match: re.Match[str], cue: Cue) -> Weight | None:
    """What the statement weighs by the words before it in its sentence.

    None where it is denied or said of others.
    """

    near = max(0, cue_match.start() - _SENTENCE)
    begin = max(
        [near + match.end() for match in re.finditer(r"[。!?;\n]|\.\s", text[near : cue_match.start()])],
        default=near,
    )
    # "Many students choose B" and 容易误选B report the mistakes of others.
    before = text[begin : cue_match.start()]
    if NOT_BEFORE_EN.search(before) or NOT_BEFORE_ZH.search(before.rstrip()):
        return None

    if POSSIBLE.search(before):
        return "tentative"
    sentence = text[begin : cue_match.end()]
    supposed = HYPOTHESIS.search(sentence)
    return "tentative" if supposed else cue.weight


def is_question(text: str, end: int) -> bool:
    """Whether the sentence is a question."""
    rest = re.match(r"[^。!?\n.]{0,80}(?:\.(?=\S)[^。!?\n.]{0,40})?([。!?\n.]|$)", text[end:])
    return bool(re.match(r"[\s)\]】」]*[吗么]", text[end:])) or (rest is not None and rest[1] == "?")


def structures(text: str) -> Iterator[tuple[str, int, int, str]]:
    """(rule, start, end, content) of every box, tag and JSON answer, in the text's order."""
    answers = [
        (name, match.start(), match.end(), match[match.re.groups])
        for name, form in STRUCTURES
        for match in form.finditer(text)
    ]

    answers += [(r"\boxed", start, end, inner) for start, end, inner in _boxes(text)]
    # A JSON list of letters is read as its members, a quoted value as its text.
    for match in JSON.finditer(text):
        listed = re.sub(r"[\"']", "", match[3]) if match[3] is not None else None
        answers.append(
            (
                "JSON",
                match.start(),
                match.end(),
                listed if listed is not None else next((part for part in match.groups() if part), ""),
            )
        )

    yield from sorted(answers, key=lambda one: one[2])


def structured(text: str, options: QuestionOptions) -> Iterator[Statement]:
    """Answers in boxes, tags and JSON.

    Where one holds nothing that is an option, nothing is stated.
    """
    for rule, start, end, inner in list(structures(text))[-_STRUCTURES:]:
        stated = whole_payload(inner, options) or _sentence(inner[:_SENTENCE], options)
        if stated is not None:
            yield Statement(stated.letters, start, end, rule, "final")


def _sentence(inner: str, options: QuestionOptions) -> Payload | None:
    """The last statement of a sentence inside a structure: <answer>The answer is B</answer>."""
    stated = max(cued(inner, options), key=lambda one: one.start, default=None)
    return None if stated is None else Payload(stated.letters, stated.end)


def _boxes(text: str) -> Iterator[tuple[int, int, str]]:
    r"""(start, end, content) of every \boxed{…}, braces balanced."""

    for match in BOXED.finditer(text):
        depth, position = 1, match.end()
        while position < min(len(text), match.end() + _SENTENCE) and depth:
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            position += 1
        # An unclosed box, cut at the token limit, counts up to where it was cut.
        inner = text[match.end() : position - (0 if depth else 1)]
        yield match.start(), position, re.sub(r"[{}]", " ", inner.replace("{,}", ","))
