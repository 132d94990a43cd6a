"""The markers that models are known to put around their thoughts, recognised in an answer, at the
end of a prompt or in a model's own files.

Sources of the markers are the makers' own templates and cards: DeepSeek-R1, Qwen3, GLM-4.5 and many
others ``<think>``; EXAONE Deep ``<thought>``; Seed-OSS ``<seed:think>``; Kimi-VL-Thinking
``◁think▷``; Magistral ``[THINK]``; Sky-T1 and OpenThinker ``<|begin_of_thought|>``; MedGemma
``<unused94>thought``; Command A Reasoning ``<|START_THINKING|>``; Apertus ``<|inner_prefix|>``;
gpt-oss the channels of its Harmony format. Fine-tunes invent further names in the same brackets, so
any tag whose name speaks of thinking counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
PROSE = (
    ThinkTags("Here is my thought process:", "Here is my response:"),
    ThinkTags("Here's my thought process:", "Here's my response:"),
    ThinkTags("Thinking...", "...done thinking."),
)
"""Plain words around a thought (Granite 3.2's, Ollama's at a terminal): these count at an answer's
beginning, and only as a pair.
"""
IN_PROSE = frozenset({"analysis", *(tags.open for tags in PROSE)})
"""Opening words that an answer may hold as well."""
_NAME = (
    r"[\w:.-]*(?:think|thought|reason|reflect|ponder|scratchpad|monologue|deliberat|rationale|analysis"
    r"|思考|推理|分析)[\w:.-]*|cot"
)
_HTML = rf"<(?:(?:{_NAME})(?:\s[^<>\n]{{1,80}})?|details type=[\"']reasoning[\"'][^<>\n]{{0,80}})>"
_BRACKETS = (("<", ">"), ("<|", "|>"), ("[", "]"), ("◁", "▷"), ("〈", "〉"), ("＜", "＞"), ("【", "】"))
_OPEN = re.compile(
    "|".join([_HTML, *(rf"{re.escape(a)}(?:{_NAME}){re.escape(b)}" for a, b in _BRACKETS)]), re.IGNORECASE
)
_ENDED = r"<\|(?:end_(?:of_)?(?:think|thought|reason)\w*|(?:think|thought|reason)\w*_end)\|>"
_CLOSE = re.compile(
    "|".join([_ENDED, *(rf"{re.escape(a)}/(?:{_NAME}){re.escape(b)}" for a, b in _BRACKETS)]), re.IGNORECASE
)
_BEGINS = re.compile(r"(?<![a-z])(?:begin|start)(?![a-z])", re.IGNORECASE)
"""In a marker whose other one says "end" in its place."""
_PLAIN = re.compile(r".(think|thinking|thought|reasoning|思考).", re.IGNORECASE)
_HEADING = re.compile(r"(?:^|\n|[。.!])\s*[【\[][^】\]/\n]{1,12}[】\]]|【[^】/\n]{1,12}】")
"""What shows that [Thought] or 【思考】 heads a part of an answer: another heading behind it, 【答案】."""
_BARE_HARMONY = re.compile(r"analysis(?=[A-Z“\"'\u4e00-\u9fff])")
_BARE_FINAL = "assistantfinal"
"""What is left of Harmony's channels where a server or a decoder has dropped the special tokens."""


def recognise(text: str, prompt: str = "") -> ThinkTags | None:
    """The markers of a thought that this answer begins with, or that its prompt opened; None where
    there is no sign of one.

    A closing marker without an opening one is a sign, too: the template, on whichever machine it was
    rendered, had begun the thought.
    """
    opened = opened_by(prompt)
    if opened is not None:
        return opened

    bare = text.lstrip()
    for tags in KNOWN:
        if bare.startswith((tags.open, tags.close)):
            return tags

    for tags in PROSE:
        if bare.startswith(tags.open) and tags.close in bare:
            return tags

    # A bracketed word may also head a part of an answer, 【思考】 … 【答案】; then it is no thought.
    begun = _OPEN.match(bare)
    if begun is not None:
        tags = pair_of(begun[0])
        heading = begun[0][0] in "[【" and not (
            _PLAIN.fullmatch(begun[0]) and not _HEADING.search(bare, len(begun[0]))
        )
        if tags.close in bare or not heading:
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
    pair = next((tags for tags in KNOWN if tags.open == opening), None)
    if pair is not None:
        return pair

    before, after = _bracket(opening)
    if opening.startswith("<details"):
        return ThinkTags(opening, "</details>")
    if _BEGINS.search(opening.replace("_", " ")):
        return ThinkTags(opening, _BEGINS.sub(_end_like, opening.replace("_", " ")).replace(" ", "_"))
    opening_name = opening.split()[0] + after if " " in opening else opening
    return ThinkTags(opening, f"{before}/{opening_name[len(before) : len(opening_name) - len(after)]}{after}")


def _end_like(found: re.Match[str]) -> str:
    return "END" if found[0].isupper() else "End" if found[0][0].isupper() else "end"


def _pair_of_close(closing: str) -> ThinkTags:
    pair = next((tags for tags in KNOWN if tags.close == closing), None)
    if pair is not None:
        return pair
    if re.fullmatch(_ENDED, closing, re.IGNORECASE):
        return ThinkTags(
            re.sub(r"(?i)end(?=_)", "begin", re.sub(r"(?i)(?<=_)end", "start", closing)), closing
        )
    before, after = _bracket(closing)
    return ThinkTags(f"{before}{closing[len(before) + 1 : len(closing) - len(after)]}{after}", closing)


def _bracket(marker: str) -> tuple[str, str]:
    """The longest brackets that a marker stands in."""
    fitting = [(a, b) for a, b in _BRACKETS if marker.startswith(a) and marker.endswith(b)]
    return max(fitting, key=lambda pair: len(pair[0]))


def _closed(text: str) -> ThinkTags | None:
    """The pair of the first closing marker before which its opening one does not stand."""
    places = [
        (at, tags)
        for tags in (*KNOWN, ThinkTags("analysis", _BARE_FINAL))
        if (at := text.find(tags.close)) >= 0
    ]
    closing = _CLOSE.search(text)
    if closing is not None:
        places.append((closing.start(), _pair_of_close(closing[0])))

    for at, tags in sorted(places, key=lambda place: place[0]):
        if tags.open not in text[:at] and all(
            pair_of(begun[0]).close != tags.close for begun in _OPEN.finditer(text[:at])
        ):
            return ThinkTags(tags.open, tags.close, opened=True)
    return None


def told_in(texts: Iterable[str]) -> ThinkTags | None:
    """The known pair whose closing marker stands in one of a model's own files (its template, its
    added tokens), None where none does.
    """
    whole = "\n".join(texts)
    channel = HARMONY.open.partition("<|message|>")[0]
    for tags in KNOWN:
        if (channel in whole) if tags is HARMONY else (tags.close in whole and tags.open in whole):
            return tags

    closing = _CLOSE.search(whole)
    pair = _pair_of_close(closing[0]) if closing else None
    if pair is not None and pair.open in whole:
        return pair
    return next((tags for tags in KNOWN if tags is not HARMONY and tags.close in whole), None)


def inside_of(text: str) -> ThinkTags | None:
    """The pair of a thought that begins behind other words: one that ends, or one whose markers
    nobody writes for anything else.
    """
    places = [(at, tags) for tags in KNOWN if (at := text.find(tags.open)) >= 0]
    for begun in _OPEN.finditer(text):
        tags = pair_of(begun[0])
        if tags.close in text[begun.end() :]:
            places.append((begun.start(), tags))
            break
    return min(places, key=lambda place: place[0])[1] if places else None
