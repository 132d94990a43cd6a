"""Where a thought ends and an answer stands: one rule for marking, rescoring, stop texts while a text
grows, and what an endpoint sends.

The rule, for a text and the markers of its thoughts:

1. A thought ends at the first closing marker that closes all that was opened since it began; a
   thought within a thought is part of it. Where an opening marker within is never closed it was a
   word, and the thought ends at its first closing marker.
2. Closing markers and thoughts right behind it, with only white space between, belong to it.
3. Thoughts further on are no part of the answer either; one that never ends takes the rest with it.
4. A closing marker further on is a word of the answer: the model speaks of it. At the very end it
   says nothing and is left out.

The other rule, the *last* closing marker (lm-eval, the model cards of Qwen3), loses the head of an
answer that mentions the marker, and all of one that ends with it. It cannot be followed while a
text is being written, so a stop text would end an answer by one rule that is marked by another. The
first one is what the reasoning parsers of vLLM and SGLang take, so an endpoint splits alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.items import ThinkTags
from harness.thought_markers import HARMONY, IN_PROSE, inside_of, recognise

_WRAPPED = (
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<response>", "</response>"),
)
"""What some put around the answer behind their thought."""


@dataclass(frozen=True)
class ThoughtScan:
    """Where the answer stands in a text: ``spans`` of (begin, end), none within a first thought.

    ``start`` is where the answer begins, None within a thought. ``settled``: no further text can
    move it.
    """

    spans: tuple[tuple[int, int], ...]
    start: int | None
    settled: bool


@dataclass(frozen=True)
class SplitAnswer:
    """An answer with its thought taken off.

    ``answer`` is None where the thought never ended; ``tags`` are None where there was none.
    """

    answer: str | None
    tags: ThinkTags | None = None
    announced: bool = True

    @property
    def unannounced(self) -> bool:
        """Whether there was a thought that the config's ``think_tags`` do not name."""
        return self.tags is not None and not self.announced


def read(text: str, think: ThinkTags | None, prompt: str = "") -> SplitAnswer:
    """Takes the thoughts off an answer: by the markers that the config names, else by the known ones."""
    if think is not None and begins_inside(text, think):
        return SplitAnswer(_answer(text, think), think)
    tags = recognise(text, prompt if think is None else "") or inside_of(text)
    if tags is None:
        return SplitAnswer(text)
    announced = think is not None and (think.open, think.close) == (tags.open, tags.close)
    return SplitAnswer(_answer(text, tags), tags, announced)


def begins_inside(text: str, tags: ThinkTags) -> bool:
    """Whether a text begins inside a thought: the prompt opened one, or the text does, or it closes
    one before a word is said.
    """
    return tags.opened or text.lstrip().startswith((tags.open, tags.close))


def answer_start(text: str, tags: ThinkTags | None) -> int | None:
    """Where the answer begins in a text that still grows: at its first character that is no white
    space. None inside a thought, and while a thought may still begin or go on.
    """
    if tags is None:
        return 0
    result = scan(text, tags)
    return result.start if result.settled else None


def scan(text: str, tags: ThinkTags) -> ThoughtScan:
    """Where the answer stands in a text, by the rule above."""
    at = _word_at(text, 0)
    start, settled = 0, not _may_become_marker(text[at:], tags)
    if begins_inside(text, tags):
        first, settled = _first_thought(text, at, tags)
        if first is None:
            return ThoughtScan((), None, False)
        start = first
    return ThoughtScan(tuple(_spans(text, start, tags)), start, settled)


def thought_words(text: str, tags: ThinkTags) -> str:
    """What a text says within its thoughts, without their markers; blank where it holds none."""
    words, end = [], 0
    for begin, after in (*scan(text, tags).spans, (len(text), len(text))):
        words.append(text[end:begin])
        end = after
    return "".join(words).replace(tags.open, "").replace(tags.close, "").strip()


def _answer(text: str, tags: ThinkTags) -> str | None:
    """The answer's spans as one text, without what some models put around it; None inside a thought."""
    result = scan(text, tags)
    if result.start is None:
        return None
    answer = "".join(text[begin:end] for begin, end in result.spans)
    for begin, end in _WRAPPED:
        if answer.lstrip().startswith(begin):
            answer = answer.lstrip().removeprefix(begin).partition(end)[0]
    return answer


def _first_thought(text: str, at: int, tags: ThinkTags) -> tuple[int | None, bool]:
    """(where the answer behind the first thought begins, None inside it; whether more text cannot
    change that).
    """
    end, sure = _thought_end(text, at, tags)
    while end is not None:
        at = _word_at(text, end)
        if text.startswith(tags.close, at):
            end = at + len(tags.close)
        elif text.startswith(tags.open, at):
            end, also = _thought_end(text, at, tags)
            sure = sure and also
        else:
            return at, sure and not _may_become_marker(text[at:], tags)
    return None, False


def _thought_end(text: str, at: int, tags: ThinkTags) -> tuple[int | None, bool]:
    """(behind the closing marker of the thought that begins at ``at``, None where there is none;
    whether everything opened in it was closed).
    """
    if text.startswith(tags.open, at):
        at += len(tags.open)

    markers = re.compile(f"{re.escape(tags.open)}|{re.escape(tags.close)}")
    depth, first = 1, None
    for marker in markers.finditer(text, at):
        if marker[0] == tags.close:
            first, depth = first or marker.end(), depth - 1
            if depth == 0:
                return marker.end(), True
        elif _nests(tags):
            depth += 1

    return first, False


def _spans(text: str, start: int, tags: ThinkTags) -> list[tuple[int, int]]:
    """The answer from its start on, without thoughts further on and a last lone closing marker."""
    spans, begin = [], start
    while (at := text.find(tags.open, begin)) >= 0 and tags.open not in IN_PROSE:
        spans.append((begin, at))
        end, _ = _thought_end(text, at, tags)
        if end is None:
            return spans
        begin = end

    rest = text[begin:].rstrip()
    lone = tags.open not in IN_PROSE and rest.endswith(tags.close)
    return [*spans, (begin, begin + len(rest) - len(tags.close) if lone else len(text))]


def _nests(tags: ThinkTags) -> bool:
    """Harmony opens one channel after another and closes them by the last; words open no level."""
    return tags.open != HARMONY.open and tags.open not in IN_PROSE


def _word_at(text: str, at: int) -> int:
    """The first position from ``at`` on that is no white space."""
    return len(text) - len(text[at:].lstrip())


def _may_become_marker(rest: str, tags: ThinkTags) -> bool:
    """Whether more text can make a marker of what stands here, as of ``</thi`` or of nothing."""
    return tags.open.startswith(rest) or tags.close.startswith(rest)
