"""The letter of the option that a free answer states.

Rules, in this order; the first that finds a decision counts:

1. *final*: a box, a tag, JSON, "final answer", 最终答案; but a later statement that takes it back by words ("wait", 更正) comes first.
2. *stated*: "the answer is B", 答案：B, 故选B, "B is the correct answer". The last one counts: it is what the answer settles on.
3. *alone*: one letter (with nothing else) on a line; *lead*: the answer begins with the letter, "B. Paris".
4. *judged*: one letter is called right, no other.
5. *text*: the whole answer, or a line of it, equals exactly one option.
6. *tentative*: "if …, the answer would be B", "a possible answer is B"; *named*: one sentence that names one option, and denies nothing.

Two letters in one statement ("A or B") decide nothing, and end the search. What is denied, asked, taken back, or said of others is
no statement. Where the text runs on into a next question, it is cut there.
"""

from __future__ import annotations

import re

from harness.tasks.reading.api import Reading
from harness.tasks.reading.cues import CORRECTED, RUN_ON
from harness.tasks.reading.folding import alike, fold
from harness.tasks.reading.options import LETTERS, Options
from harness.tasks.reading.payload import payload
from harness.tasks.reading.statements import Statement, cued, judged, structured

_MARK = r"[\s\"'「『【〖《〈\[({<#>+-]*"
_ENDING = r"[\s\"'」』】〗》〉\])}>.。,:;!、]*"
_ALONE = re.compile(rf"^{_MARK}(?:(?i:option|choice|answer)\s*|选项?\s*)?{_MARK}([A-Za-z](?:\s*(?:[,、/&]|(?i:or|and)|或|和)\s*[A-Z])*){_ENDING}(?:选项|项)?{_ENDING}$")
_LEAD = re.compile(rf"^{_MARK}(?:(?i:option|choice)\s*|选项\s*)?([A-Za-z])\s*([\"'」』】〗》\])}}>]*[.):：。、,]|[」』】〗》\])}}>]|\s+[-—]\s|项|选项)(.*)$")
_SPACED = re.compile(rf"^{_MARK}([A-Za-z])([^\S\n]+)(\S.*)$")
_DISMISSED = re.compile(r"(?i:\b(?:incorrect|wrong|false|not (?:the )?(?:correct|right|true)|isn't|is not)\b)|不正确|错误|不对|有误|不是|排除|不符")
_NEGATED = re.compile(r"(?i:\bnot\b|n't\b|\bno\b|\bnever\b|\bneither\b|\bunlike\b|\bwrong\b|incorrect|\bif\b|\?)|不|非|没|错|如果")
_WORDS = r"[a-z0-9.%°^/+-]*[a-z0-9%°]|[^\x00-\x7f\s。,;:!?、「」『』“”()]"
_SENTENCE = 200
"""Characters of an answer that is taken for one sentence."""


def read_letter(text: str, options: Options | None = None, *, several: bool = False) -> Reading:
    """The letter that an answer states, or None with the reason as the rule's name.

    ``several``: a task with more than one right option; letters stated together are then read together ("AC").
    """
    options = options or Options()
    plain = fold(text)
    end = _end(plain, options)
    plain = plain[:end]
    if not plain.strip():
        return Reading(None, "empty")
    for find in (_decided, _alone, _lead, _judgement, _option, _tentative, _mentioned):
        found = find(plain, options)
        if found is not None:
            return _reading(text, found, options, several)
    return Reading(None, "nothing stated")


def _end(plain: str, options: Options) -> int:
    """Where the answer ends: before a next question, once something has been stated or the first line is past."""
    for found in RUN_ON.finditer(plain):
        before = plain[: found.start()]
        if before.strip() and (_decided(before, options) or _alone(before, options) or _lead(before, options)):
            return found.start()
    return len(plain)


def _reading(text: str, found: Statement, options: Options, several: bool) -> Reading:
    words = text[found.start : found.end].strip()
    if len(found.letters) > 1 and not several:
        return Reading(None, f"{found.rule}: several letters", words)
    if any(LETTERS.index(letter) >= options.count for letter in found.letters):
        return Reading(None, f"{found.rule}: no such option", words)
    return Reading("".join(sorted(found.letters)), found.rule, words)


def _decided(plain: str, options: Options) -> Statement | None:
    """The last statement, a final one before a plain one unless words of correction stand between."""
    every = [*structured(plain, options), *cued(plain, options), *(one for one in judged(plain, options) if not one.wrong)]
    stated = sorted((one for one in every if one.weight in ("final", "stated")), key=lambda one: (one.end, -one.start))
    final = [one for one in stated if one.weight == "final"]
    if not stated:
        return None
    last = stated[-1]
    if final and last.weight != "final" and not CORRECTED.search(plain, final[-1].end, last.end):
        return final[-1]
    same = {one.letters for one in stated if one.rule == last.rule}
    if last.weight == "stated" and len(same) >= 3 and len({letter for letters in same for letter in letters}) >= options.count:
        return Statement(tuple(sorted({letter for letters in same for letter in letters})), last.start, last.end, "every option", "stated")
    return last


def _lines(plain: str) -> list[tuple[int, str]]:
    """(start, text) of lines that hold something."""
    places, start = [], 0
    for line in plain.split("\n"):
        if line.strip():
            places.append((start, line))
        start += len(line) + 1
    return places


def _alone(plain: str, options: Options) -> Statement | None:
    """A letter with nothing else on its line; different ones on several lines decide nothing."""
    lines = _lines(plain)
    found = []
    for start, line in lines:
        match = _ALONE.match(line)
        if match is None or (match[1].islower() and len(lines) > 1 and not re.search(r"[(\[【「]", line[: match.start(1)])):
            continue
        letters = tuple(dict.fromkeys(re.findall(r"[A-Z]", match[1].upper().replace("OR", " ").replace("AND", " "))))
        if LETTERS.index(letters[0]) < options.count:
            found.append(Statement(letters, start, start + len(line), "alone", "stated"))
    if not found:
        return None
    every = tuple(dict.fromkeys(letter for one in found for letter in one.letters))
    return found[-1] if len(every) == 1 else Statement(every, found[0].start, found[-1].end, "alone", "stated")


def _lead(plain: str, options: Options) -> Statement | None:
    """A letter at the start ("B. Paris"), unless the lines list the options, or the line dismisses it."""
    leads = [(start, line, match) for start, line in _lines(plain) if (match := _LEAD.match(line) or _named(line, options))]
    lines = _lines(plain)
    if not leads or leads[0][0] != lines[0][0]:
        return None
    start, line, match = leads[0]
    letter = match[1].upper()
    if match[1].islower() and not (match[2].strip() in (")", "].", ").", "]") or _follows(match[3], letter, options)):
        return None
    order = [one[2][1].upper() for one in leads]
    listing = len(order) > 1 and order[1] > order[0]  # "B. …" and then "A. …" is an answer with remarks on the options
    listing = listing or bool(re.match(r"\s*[A-Z]\s*(?:[.):、,]|$)", match[3]))  # "A. B. C. D."
    own = alike(options.texts[LETTERS.index(letter)]) if LETTERS.index(letter) < len(options.texts) else ""
    if listing or _DISMISSED.search(alike(match[3]).removeprefix(own)) or LETTERS.index(letter) >= options.count:
        return None
    return Statement((letter,), start, start + len(line), "lead", "stated")


def _named(line: str, options: Options) -> re.Match[str] | None:
    """A letter, a blank and the option's own text."""
    match = _SPACED.match(line)
    return match if match and _follows(match[3], match[1].upper(), options) else None


def _follows(rest: str, letter: str, options: Options) -> bool:
    place = LETTERS.index(letter)
    return not rest.strip() or (place < len(options.texts) and alike(rest).startswith(alike(options.texts[place])))


def _judgement(plain: str, options: Options) -> Statement | None:
    """The one letter that is called right (for a question that asks what is wrong: the one called wrong)."""
    found = [*judged(plain, options), *(one for one in cued(plain, options) if one.weight == "judged")]
    wanted = [one for one in found if one.wrong == options.negative] or [one for one in found if not one.wrong]
    every = tuple(dict.fromkeys(letter for one in wanted for letter in one.letters))
    if not wanted:
        return None
    return wanted[-1] if len(every) == 1 else Statement(every, wanted[0].start, wanted[-1].end, "X is right", "judged")


def _option(plain: str, options: Options) -> Statement | None:
    """The text of one option, as the whole answer or as a line of it."""
    whole = options.letter(plain)
    if whole is not None:
        return Statement((whole,), 0, len(plain), "option's text", "stated")
    found = [(start, line, letter) for start, line in _lines(plain) if (letter := options.letter(line.strip(" -*>#")))]
    letters = tuple(dict.fromkeys(letter for _, _, letter in found))
    if not found:
        return None
    return Statement(letters, found[0][0], found[-1][0] + len(found[-1][1]), "option's text", "stated")


def _mentioned(plain: str, options: Options) -> Statement | None:
    """The one option that an answer of a single sentence names: "The capital of France is Paris."."""
    said = plain.strip()
    if len(said) > _SENTENCE or re.search(r"[。!?\n]\s*\S|\.\s+\S", said) or _NEGATED.search(said):
        return None
    words = f" {' '.join(re.findall(_WORDS, said.casefold()))} "
    named = []
    for place, text in enumerate(options.texts):
        own = " ".join(re.findall(_WORDS, alike(text)))
        if len(own) >= 2 and not own.replace(" ", "").isdigit() and f" {own} " in words:
            named.append((own, LETTERS[place]))
    widest = [(own, letter) for own, letter in named if not any(own in other for other, _ in named if other != own)]
    if len(widest) != 1:
        return None
    return Statement((widest[0][1],), 0, len(plain), "option named", "judged")


def _tentative(plain: str, options: Options) -> Statement | None:
    found = [one for one in cued(plain, options) if one.weight == "tentative"]
    return max(found, key=lambda one: one.end, default=None)
