"""Thoughts that nobody announced: the markers that models are known to put around them, recognised in an answer or at the end of a prompt.

Sources of the markers are the makers' own templates and cards: DeepSeek-R1, Qwen3, GLM-4.5 and many others ``<think>``; EXAONE Deep
``<thought>``; Seed-OSS ``<seed:think>``; Kimi-VL-Thinking ``◁think▷``; Magistral ``[THINK]``; Sky-T1 and OpenThinker
``<|begin_of_thought|>``; MedGemma ``<unused94>thought``; Command A Reasoning ``<|START_THINKING|>``; Apertus ``<|inner_prefix|>``; gpt-oss
the channels of its Harmony format. Fine-tunes invent further names in the same brackets, so any tag whose name speaks of thinking counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.items import ThinkTags

HARMONY = ThinkTags("<|channel|>analysis<|message|>", "<|channel|>final<|message|>")
KNOWN = (
    ThinkTags("<think>", "</think>"),
    ThinkTags("<thinking>", "</thinking>"),
    ThinkTags("<thought>", "</thought>"),
    ThinkTags("<reasoning>", "</reasoning>"),
    ThinkTags("<reflection>", "</reflection>"),
    ThinkTags("<seed:think>", "</seed:think>"),
    ThinkTags("◁think▷", "◁/think▷"),
    ThinkTags("〈think〉", "〈/think〉"),
    ThinkTags("[THINK]", "[/THINK]"),
    ThinkTags("<|begin_of_thought|>", "<|end_of_thought|>"),
    ThinkTags("<unused94>thought", "<unused95>"),
    ThinkTags("<|START_THINKING|>", "<|END_THINKING|>"),
    ThinkTags("<|inner_prefix|>", "<|inner_suffix|>"),
    HARMONY,
)
_NAME = r"[\w:.-]*(?:think|thought|reason|reflect|ponder|scratchpad|monologue|deliberat|rationale|思考|推理)[\w:.-]*|cot"
_BRACKETS = (("<", ">"), ("<|", "|>"), ("[", "]"), ("◁", "▷"), ("〈", "〉"), ("＜", "＞"), ("【", "】"))
_OPEN = re.compile("|".join(rf"{re.escape(a)}(?:{_NAME}){re.escape(b)}" for a, b in _BRACKETS), re.IGNORECASE)
_CLOSE = re.compile("|".join(rf"{re.escape(a)}/(?:{_NAME}){re.escape(b)}" for a, b in _BRACKETS), re.IGNORECASE)
_PLAIN = re.compile(r".(think|thinking|thought|reasoning|思考).", re.IGNORECASE)
_BARE_HARMONY = re.compile(r"analysis(?=[A-Z“\"'\u4e00-\u9fff])")
_BARE_FINAL = "assistantfinal"
"""What is left of Harmony's channels where a server or a decoder has dropped the special tokens."""


@dataclass(frozen=True)
class Reading:
    """An answer with its thought taken off. ``answer`` is None where the thought never ended; ``tags`` are None where there was none."""

    answer: str | None
    tags: ThinkTags | None = None
    announced: bool = True

    @property
    def unannounced(self) -> bool:
        """Whether there was a thought that the config's ``think_tags`` do not name."""
        return self.tags is not None and not self.announced


def read(text: str, think: ThinkTags | None, prompt: str = "") -> Reading:
    """Takes the thought off an answer: by the markers that the config names, else by those that are known."""
    if think is not None and think.begins(text):
        return Reading(think.split(text)[1], think)
    found = recognise(text, prompt if think is None else "")
    if found is None:
        return Reading(text)
    announced = think is not None and (think.open, think.close) == (found.open, found.close)
    return Reading(found.split(text)[1], found, announced)


def recognise(text: str, prompt: str = "") -> ThinkTags | None:
    """The markers of a thought that this answer begins with, or that its prompt opened; None where there is no sign of one.

    A closing marker without an opening one also tells: the template, on whichever machine it was rendered, had begun the thought.
    """
    opened = opened_by(prompt)
    if opened is not None:
        return opened
    bare = text.lstrip()
    for tags in KNOWN:
        if bare.startswith((tags.open, tags.close)):
            return tags
    begun = _OPEN.match(bare)
    if begun is not None:
        tags = pair_of(begun[0])
        if begun[0][0] not in "[【" or tags.close in bare or _PLAIN.fullmatch(begun[0]):  # other words in such brackets may be answers
            return tags
    if _BARE_HARMONY.match(bare):
        return ThinkTags("analysis", _BARE_FINAL)
    return _closed(text)


def opened_by(prompt: str) -> ThinkTags | None:
    """The markers of a thought that a prompt's end leaves open, marked as opened."""
    end = prompt.rstrip()
    for tags in KNOWN:
        if end.endswith(tags.open):
            return ThinkTags(tags.open, tags.close, opened=True)
    last = [match for match in _OPEN.finditer(end, max(0, len(end) - 64)) if match.end() == len(end)]
    if not last:
        return None
    tags = pair_of(last[0][0])
    return ThinkTags(tags.open, tags.close, opened=True)


def closed_by(prompt: str) -> ThinkTags | None:
    """The markers of a thought that a prompt's end has closed: the model is to answer at once."""
    end = prompt.rstrip()
    for tags in KNOWN:
        if tags is not HARMONY and end.endswith(tags.close):
            return tags
    for match in _CLOSE.finditer(end, max(0, len(end) - 64)):
        if match.end() == len(end):
            return _pair_of_close(match[0])
    return None


def pair_of(opening: str) -> ThinkTags:
    """The pair of an opening marker."""
    known = next((tags for tags in KNOWN if tags.open == opening), None)
    if known is not None:
        return known
    before, after = _bracket(opening)
    return ThinkTags(opening, f"{before}/{opening[len(before) : len(opening) - len(after)]}{after}")


def _pair_of_close(closing: str) -> ThinkTags:
    known = next((tags for tags in KNOWN if tags.close == closing), None)
    if known is not None:
        return known
    before, after = _bracket(closing)
    return ThinkTags(f"{before}{closing[len(before) + 1 : len(closing) - len(after)]}{after}", closing)


def _bracket(marker: str) -> tuple[str, str]:
    """The longest brackets that a marker stands in."""
    fitting = [(a, b) for a, b in _BRACKETS if marker.startswith(a) and marker.endswith(b)]
    return max(fitting, key=lambda pair: len(pair[0]))


def _closed(text: str) -> ThinkTags | None:
    """The pair of the first closing marker before which its opening one does not stand."""
    places = [(at, tags) for tags in KNOWN if tags is not HARMONY and (at := text.find(tags.close)) >= 0]
    found = _CLOSE.search(text)
    if found is not None:
        places.append((found.start(), _pair_of_close(found[0])))
    for at, tags in sorted(places, key=lambda place: place[0]):
        if tags.open not in text[:at]:
            return ThinkTags(tags.open, tags.close, opened=True)
    return None


def told_in(texts: Iterable[str]) -> ThinkTags | None:
    """The known pair whose closing marker stands in one of a model's own files (its template, its added tokens), None where none does."""
    whole = "\n".join(texts)
    channel = HARMONY.open.partition("<|message|>")[0]
    for tags in KNOWN:
        if (channel in whole) if tags is HARMONY else (tags.close in whole and tags.open in whole):
            return tags
    found = _CLOSE.search(whole)
    pair = _pair_of_close(found[0]) if found else None
    if pair is not None and pair.open in whole:
        return pair
    return next((tags for tags in KNOWN if tags is not HARMONY and tags.close in whole), None)
