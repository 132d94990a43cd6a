"""Every place where a text states an answer: by a cue, in a structure (box, tag, JSON), or by a
judgement ("B is correct").

All on folded text. What is denied, asked, supposed or said of others states nothing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from harness.tasks.reading.cues import (
    BOXED,
    BUT,
    CUES,
    HYPOTHESIS,
    JSON,
    NOT_AFTER,
    NOT_BEFORE_EN,
    NOT_BEFORE_ZH,
    POSSIBLE,
    RETRACTED,
    STRUCTURES,
    Cue,
    Weight,
)
from harness.tasks.reading.options import LETTERS, QuestionOptions
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
    known: set[int] = set()
    for cue in CUES:
        for found in deque(cue.pattern.finditer(text), _PLACES):
            said = _behind(text, found, cue, options)
            if said is None or said.end in known:
                continue
            weight = weight_of(text, found, cue)
            if (
                weight is None
                or _asked(text, said.end)
                or RETRACTED.match(text, said.end)
                or _ALSO.match(text, said.end)
            ):
                continue
            if cue.closed and any(LETTERS.index(letter) >= options.count for letter in said.letters):
                continue  # "i.e., H": a letter of the question's own
            known.add(said.end)
            start = found.start() + len(found[0]) - len(found[0].lstrip(" \n,.;。("))
            rule = (
                cue.rule
                if said.by == "letter"
                else f"{cue.rule}, option's {'text' if said.by == 'text' else 'place'}"
            )
            yield Statement(said.letters, start, said.end, rule, weight)


_ALSO = re.compile(r"[\s\"'」』】)]{0,4}(?:也|都)(?:可以?|行|对|正确|有道理)")


def _behind(text: str, found: re.Match[str], cue: Cue, options: QuestionOptions) -> Payload | None:
    """The payload behind a cue; behind "not A but B" and 不是A而是B it is B."""
    denied = NOT_AFTER.match(text, found.end())
    if denied is None:
        return payload(text, found.end(), options, closed=cue.closed)
    turn = BUT.search(text, denied.end(), min(len(text), denied.end() + 60))
    if turn is None or re.search(r"[。;!?\n]|\.\s", text[denied.end() : turn.start()]):
        return None
    return payload(text, turn.end(), options)


def weight_of(text: str, found: re.Match[str], cue: Cue) -> Weight | None:
    """What the statement weighs by the words before it in its sentence; None where it is denied or
    said of others.
    """
    near = max(0, found.start() - _SENTENCE)
    begin = max(
        [near + match.end() for match in re.finditer(r"[。!?;\n]|\.\s", text[near : found.start()])],
        default=near,
    )
    before = text[begin : found.start()]
    if NOT_BEFORE_EN.search(before) or NOT_BEFORE_ZH.search(before.rstrip()):
        return None
    if POSSIBLE.search(before):
        return "tentative"
    sentence = text[begin : found.end()]
    supposed = HYPOTHESIS.search(sentence)
    return "tentative" if supposed else cue.weight


def _asked(text: str, end: int) -> bool:
    """Whether the sentence is a question."""
    rest = re.match(r"[^。!?\n.]{0,80}(?:\.(?=\S)[^。!?\n.]{0,40})?([。!?\n.]|$)", text[end:])
    return bool(re.match(r"[\s)\]】」]*[吗么]", text[end:])) or (rest is not None and rest[1] == "?")


def structures(text: str) -> Iterator[tuple[str, int, int, str]]:
    """(rule, start, end, content) of every box, tag and JSON answer, in the text's order."""
    found = [
        (name, match.start(), match.end(), match[match.re.groups])
        for name, form in STRUCTURES
        for match in form.finditer(text)
    ]
    found += [(r"\boxed", start, end, inner) for start, end, inner in _boxes(text)]
    for match in JSON.finditer(text):
        listed = re.sub(r"[\"']", "", match[3]) if match[3] is not None else None
        found.append(
            (
                "JSON",
                match.start(),
                match.end(),
                listed if listed is not None else next((part for part in match.groups() if part), ""),
            )
        )
    yield from sorted(found, key=lambda one: one[2])


def structured(text: str, options: QuestionOptions) -> Iterator[Statement]:
    """Answers in boxes, tags and JSON.

    Where one holds nothing that is an option, nothing is stated.
    """
    for rule, start, end, inner in list(structures(text))[-_STRUCTURES:]:
        said = whole_payload(inner, options) or _sentence(inner[:_SENTENCE], options)
        if said is not None:
            yield Statement(said.letters, start, end, rule, "final")


def _sentence(inner: str, options: QuestionOptions) -> Payload | None:
    """The last statement of a sentence inside a structure: <answer>The answer is B</answer>."""
    said = max(cued(inner, options), key=lambda one: one.start, default=None)
    return None if said is None else Payload(said.letters, said.end)


def _boxes(text: str) -> Iterator[tuple[int, int, str]]:
    r"""(start, end, content) of every \boxed{…}, braces balanced."""
    for found in BOXED.finditer(text):
        depth, place = 1, found.end()
        while place < min(len(text), found.end() + _SENTENCE) and depth:
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            place += 1
        inner = text[found.end() : place - (0 if depth else 1)]
        yield found.start(), place, re.sub(r"[{}]", " ", inner.replace("{,}", ","))


_L = r"[\"'「『【〖《\[({<\s]{0,8}(?<![A-Za-z0-9_\\])([A-Z])(?![A-Za-z0-9_'+])(?!-[A-Za-z])[\"'」』】〗》\])}>]{0,8}"
_BEGIN = (
    r"(?:^|[\n。.!?;,:、—(]|因此|所以|故|即|只有|而|但|其实|实际上|事实上|综上|可知|得出|显然|认为"
    r"|(?i:\b(?:so|thus|therefore|hence|that|think|believe|only|because|since|and|but|while|in"
    r"|clearly|then|both|as|say)\b))"
    r"\s{0,4}(?:(?i:\b(?:the|options?|choices?|answers?|letters?|statements?|both)\b)\s{0,4}|选项|选择|答案){0,4}"
)
_MORE = rf"((?>(?:\s{{0,4}}(?:,(?i:\s{{0,4}}and\b)?|(?i:\band\b|\bor\b)|[、和与及或])(?i:\s{{0,4}}options?\b)?{_L}){{0,9}}))"
_TEXT = r"(?:[.):、,(-][^\n。!?]{0,100}?[)\s,]|\s*[(][^)\n]{0,80}[)]|\s*[\"'「][^\"'」\n]{0,80}[\"'」])?"
_RIGHT_EN = (
    r"(?i:\s*(?:is|are|was|(?:seems|appears)(?: to be)?|looks|must be|has to be|would be|should be|can be|being)(?: both| all)?\s+"
    r"(?:(?:the|therefore|clearly|most|only|indeed|definitely|likely|probably|also|thus"
    r"|certainly|single|in fact|actually|an?)\s+)*"
)
_JUDGED = re.compile(
    rf"{_BEGIN}{_L}\s*(?:选项|项|(?i:option|choice)\b)?{_MORE}\s*(?:选项|项)?{_TEXT}\s*(?:"
    rf"(?P<answer_en>{_RIGHT_EN}(?:correct|right|best|final|appropriate|accurate)?\s*(?:answer|option|choice|one)\b))"
    rf"|(?P<right_en>{_RIGHT_EN}(?:correct|right|best|true|accurate|appropriate|valid"
    rf"|suitable)\b)|(?i:\s+(?:(?:fits|works|matches) best|(?:best|most accurately|correctly) \w+s|remains|is left)\b))"
    rf"|(?P<wrong_en>(?i:\s*(?:is|are|was|seems|appears)(?: also| clearly"
    rf"| definitely)?\s+(?:the )?(?:incorrect|wrong|false|inaccurate|untrue)\b))"
    r"|(?P<answer_zh>(?:就|才|即)?(?:是|为)(?:本题)?的?(?:唯一|最终|最佳|最终的)?(?:正确)?的?(?:正确答案|答案|正解|正确选项|正确的选项))"
    r"|(?P<right_zh>的?(?:说法|表述|描述|叙述|内容)?(?:是|才是|才|为|最|更|完全|显然|都|均)*(?:正确|对的|对(?=[。,;!\s]|$)|符合|当选|最佳|合适|恰当|准确|正解))"
    r"|(?P<wrong_zh>的?(?:说法|表述|描述|叙述|内容)?(?:是|为|显然|明显)*(?:不正确|错误|错的?(?=[。,;!\s]|$)|不对|有误|不符合?)))"
)


_WRONG_ONE = re.compile(
    r"(?:(?:不正确|错误|不恰当|不当|不对|不符合?题意|不符合?|有误|不属于|不包括|不合理)的?[^\s,。;!?:是为]{0,8}(?:是|为|:)"
    r"|(?i:\b(?:incorrect|false|wrong|untrue|exception|inaccurate)\b\s*(?:one|option|statement"
    r"|choice|answer)?\s*(?:is|:)))"
)


_NUMBERED = re.compile(
    r"(?i:(?:^|[\n.,;:]\s?|\b(?:so|thus|therefore|hence|that|only)\s)"
    r"(?=(?:the\s+)?\w+ (?:option|choice|answer|statement|one)\s+(?:is|was)\s+(?:the\s+)?(?:correct|right|best|true|answer)\b))"
    r"|(?:^|[\n。,;:]|因此|所以|故|只有)\s?(?=第.(?:个选项|个|项|选项)(?:是|才是|才)?(?:正确|对的|符合))"
)
"""Before "the second option is correct", 第二项正确."""
_TICKED = re.compile(
    r"(?<![A-Za-z])([A-Z])\s{0,2}(?:\((?=[对错√×]\)))?([√×]|(?<=\()[对错](?=\)))|(?m:^)[\s*#>|-]{0,8}√\s{0,3}([A-Z])\s?[.):、]"
)
"""A√ B×, A(对), "[x] B.": ticks beside letters."""
_ONLY = re.compile(
    r"(?i:(?<!not )\bonly\s+(?:option|choice|answer|statement)s?)[\s\"'(\[]{1,3}([A-Z])\b"
    r"(?=\W+(?:(?:also|both|all)\s)?"
    r"(?i:satisf|meets?\b|fits?\b|fulfil|match|holds?\b|works?\b|makes sense|applies|agrees|remains))"
)
_SMALL = re.compile(
    r"((?i:\boption|\bchoice|选项)\s{0,2}\(?)([a-z])(?=\)?\s{0,2}(?:(?i:is|was|seems)\b|是|正确|符合|最))"
)
_VERDICT = re.compile(
    r"(?m)^[\s*#>(|-]{0,8}([A-Z])\s{0,8}(?:选项|项)?(?:[.):、|]|(?=[√×]))([^\n]{0,120}?(?:[-—:;,(|]|\.\s|\s(?=[√×])))??\s{0,4}"
    r"((?i:incorrect|correct|wrong|right|false|true)|不正确|正确|错误?|不?对|√|×)[\s).。!|]{0,8}$"
)
"""Lines of an analysis: "B. Paris - correct.", C：错误."""


def judged(text: str, options: QuestionOptions) -> Iterator[Statement]:
    """What is said to be right or wrong of a letter: "B is the correct answer" states, "B is
    correct" judges.
    """
    for found in _WRONG_ONE.finditer(text):
        said = payload(text, found.end(), options)
        if said is not None and not _asked(text, said.end):
            yield Statement(said.letters, found.start(), said.end, "the wrong one", "judged", wrong=True)
    for found in _NUMBERED.finditer(text):
        said = payload(text, found.end(), options)
        if said is not None and not _asked(text, said.end):
            yield Statement(said.letters, found.start(), said.end, "X is right", "judged")
    for found in _TICKED.finditer(text):
        yield Statement(
            (found[1] or found[3],),
            found.start(),
            found.end(),
            "verdict",
            "judged",
            wrong=found[2] in ("×", "错"),
        )
    for found in _ONLY.finditer(text):
        if not _asked(text, found.end()):
            yield Statement((found[1],), found.start(), found.end(), "X is right", "judged")
    text = _SMALL.sub(lambda found: found[1] + found[2].upper(), text)
    for found in _VERDICT.finditer(text):
        if options.letter(f"{found[2] or ''}{found[3]}") is not None:
            continue  # an option that reads "True"
        right = bool(re.fullmatch(r"(?i:correct|right|true)|正确|对|√", found[3]))
        yield Statement((found[1],), found.start(1), found.end(3), "verdict", "judged", wrong=not right)
    for found in _JUDGED.finditer(text):
        kind = next((name for name, group in found.groupdict().items() if group), "right_en")
        letters = tuple(
            dict.fromkeys(
                re.findall(r"(?<![A-Za-z0-9])([A-Z])(?![A-Za-z0-9])", found[1] + " " + (found[2] or ""))
            )
        )
        before = text[max(text.rfind("\n", 0, found.start()), found.start() - 60) + 1 : found.start() + 1]
        if _asked(text, found.end()) or RETRACTED.match(text, found.end()):
            continue
        if (
            NOT_BEFORE_ZH.search(before.rstrip())
            or re.search(r"(?i:\bif\b|\bwhether\b|\bnot that\b)[^.\n]*$", before)
            or HYPOTHESIS.search(before)
        ):
            continue
        definite = kind.startswith("answer") and not re.search(
            r"(?i:\b(?:is|was|be) (?:an?|one) )", found[kind]
        )  # not "a correct answer"
        weight: Weight = "stated" if definite else "judged"
        echoed = re.match(r"[\s)]{0,4}[.):、]", text[found.end(1) :]) and options.letter(
            text[found.end(1) : found.end()].strip(" .):、")
        )
        if not letters or echoed:  # the line of an option that reads "正确"
            continue
        yield Statement(
            letters, found.start(1), found.end(), "X is right", weight, wrong=kind.startswith("wrong")
        )
