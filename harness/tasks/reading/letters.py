"""The letter of the option that a free answer states.

Rules, in this order; the first that finds a decision counts:

1. *final*: a box, a tag, JSON, "final answer", 最终答案; but a later statement that takes it back by
  words
  ("wait", 更正) comes first.
2. *stated*: "the answer is B", 答案：B, 故选B, "B is the correct answer". The last one counts: it is
  what the
  answer settles on.
3. *alone*: one letter (with nothing else) on a line; *lead*: the answer begins with the letter, "B.
  Paris".
4. *judged*: one letter is called right, no other.
5. *text*: the whole answer, or a line of it, equals exactly one option.
6. *tentative*: "if …, the answer would be B", "a possible answer is B"; *named*: one sentence that
  names one
  option, and denies nothing.

Two letters in one statement ("A or B") decide nothing, and end the search. What is denied, asked,
taken back, or said of others is no statement. Where the text runs on into a next question, it is
cut there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from harness.tasks.reading.api import Reading
from harness.tasks.reading.cues import CORRECTED, RUN_ON
from harness.tasks.reading.folding import alike, fold
from harness.tasks.reading.options import LETTERS, QuestionOptions
from harness.tasks.reading.payload import names, ordinal, payload, whole_payload
from harness.tasks.reading.statements import Statement, cued, judged, structured

_MARK = r"[\s\"'「『【〖《〈\[({<#>√+|-]{0,12}"
_ENDING = r"[\s\"'」』】〗》〉\])}>√|.。,:;!、]{0,12}"
_SURE = (
    r"(?i:(?:definitely|certainly|surely|clearly|obviously|probably|likely|maybe|sure|yes"
    r"|ok(?:ay)?|well|of course|right|alright|understood|option|choice|answer)[\s,!.]*|(?:好的?|当然|嗯|是的)[\s,!。]+|肯定|显然|选项?\s*)*"
)
_ALONE = re.compile(
    rf"^{_MARK}{_SURE}{_MARK}(?:\d{{1,3}}[.):、]\s?)?{_MARK}([A-Za-z](?:\s*(?:[,、/&]|(?i:or|and)|或|和)\s*[A-Z])*){_ENDING}(?:选项"
    rf"|项)?{_ENDING}$"
)
_LEAD = re.compile(
    rf"^{_MARK}(?:(?i:option|choice)\s*|选项\s*)?([A-Za-z])\s*([\"'」』】〗》\])}}>]*[.):：。、,]"
    rf"|[」』】〗》\])}}>]|\s+[-—=]\s|项|选项)(.*)$"
)
_INLINE = re.compile(r"(?<!\w)([A-Z])[.:]\s")
_HEDGED = re.compile(
    r"^[\s.…,)]{0,6}(?:(?i:and/or|or)\b|或者?|还是)\s{0,2}(?i:maybe|possibly|perhaps|also)?\s{0,2}(?i:option)?\s{0,2}\(?[A-Z]\b|.*[,;|]\s?[A-Z]\s?:"
)
"""Another letter behind the first: "B... or maybe A?", "A: 50%, B: 50%"."""
_NEXT = re.compile(r"\s*(?:(?i:and|or)\s+)?[A-Z]\s*(?:[,、和与或]|(?i:and|or)\b)")
"""Letters of options that are listed in one line."""
_SPACED = re.compile(rf"^{_MARK}([A-Za-z])([^\S\n]+)(\S.*)$")
_THAT_IS = re.compile(r"^[=(\s]{0,4}(?:(?i:i\.?\s?e\.?|that is|namely)\b[\s,.:]*|[即也]就?是?[\s,:]*)?")
_REASON = re.compile(r"\(?(?i:not|because|since|due to)\b|因为|由于")
_REASONS = re.compile(
    r"(?:^|(?<=[,。;:、.]))\s*(?:理由|解析|解释|原因|(?i:reason|explanation)\b)|因为|由于|(?i:\b(?:because|since)\b)"
)
_DISMISSED = re.compile(
    r"(?i:\b(?:incorrect|wrong)\b|\b(?:not|isn't|aren't|wasn't)\s+(?:the |an? )?(?:correct"
    r"|right|true|answer|valid)\b|\b(?:is|are|was)\s+false\b)"
    r"|^\W*(?i:no|not|false)\b|不正确|错误|不对|有误|不是|排除|不符"
)
_NEGATED = re.compile(
    r"(?i:\bnot\b|n't\b|\bno\b|\bnever\b|\bneither\b|\bunlike\b|\bwrong\b|incorrect|\bif\b|\?)"
    r"|不|非|没|错|如果"
)
_WORDS = r"[a-z0-9.%°^/+-]*[a-z0-9%°]|[^\x00-\x7f\s。,;:!?、「」『』“”()]"
_QUESTIONS = 10
"""Next questions that are looked at."""
_SENTENCE = 200
"""Characters of an answer that is taken for one sentence."""


def read_letter(text: str, options: QuestionOptions | None = None, *, several: bool = False) -> Reading:
    """The letter that an answer states, or None with the reason as the rule's name.

    ``several``: a task with more than one right option; letters stated together are then read
    together ("AC").
    """
    options = options or QuestionOptions()
    plain = _unlisted(fold(text), options.count)
    end = _end(plain, options)
    plain = plain[:end]
    if not plain.strip():
        return Reading(None, "empty")
    for find in (_decided, _alone, _lead, _judgement, _option, _tentative, _mentioned):
        found = find(plain, options)
        if found is not None:
            return _reading(text, found, options, several)
    return Reading(None, "nothing stated")


def _unlisted(plain: str, count: int) -> str:
    """Without the list of all letters in "Answer (A, B, C or D): B": blanks stand in its place."""
    return _all_letters(count).sub(lambda found: " " * len(found[0]), plain)


@lru_cache(maxsize=32)
def _all_letters(count: int) -> re.Pattern[str]:
    between = r"\s{0,2}(?:[,/、|]\s{0,2})?(?:(?i:or|and)\s{1,2}|或|和)?"
    listed = between.join(LETTERS[:count])
    return re.compile(
        rf"\(?\s{{0,2}}(?<!\w)(?:{listed}|A\s?[-~—至到]\s?{LETTERS[count - 1]})\s{{0,2}}\)?(?=\s{{0,2}}(?:[:=]|是|为|(?i:is\b)))"
    )


def _end(plain: str, options: QuestionOptions) -> int:
    """Where the answer ends: before a next question, once something has been stated or the first
    line is past.
    """
    for found in islice(RUN_ON.finditer(plain), _QUESTIONS):
        before = plain[: found.start()]
        if _decided(found[0], options):
            continue  # a question about an answer
        if before.strip() and (
            _decided(before, options) or _alone(before, options) or _lead(before, options)
        ):
            return found.start()
    return len(plain)


def _reading(text: str, found: Statement, options: QuestionOptions, several: bool) -> Reading:
    words = text[found.start : found.end].strip()
    if len(found.letters) > 1 and not several:
        return Reading(None, f"{found.rule}: several letters", words)
    if any(LETTERS.index(letter) >= options.count for letter in found.letters):
        return Reading(None, f"{found.rule}: no such option", words)
    return Reading("".join(sorted(found.letters)), found.rule, words)


def _decided(plain: str, options: QuestionOptions) -> Statement | None:
    """The last statement, a final one before a plain one unless words of correction stand
    between.
    """
    every = [
        *structured(plain, options),
        *cued(plain, options),
        *(one for one in judged(plain, options) if not one.wrong),
    ]
    stated = sorted(
        (one for one in every if one.weight in ("final", "stated")), key=lambda one: (one.end, -one.start)
    )
    final = [one for one in stated if one.weight == "final"]
    if not stated:
        return None
    last = stated[-1]
    if final and last.weight != "final" and not CORRECTED.search(plain, final[-1].end, last.end):
        return final[-1]
    same = {one.letters for one in stated if one.rule == last.rule}
    if (
        last.weight == "stated"
        and len(same) >= 3
        and len({letter for letters in same for letter in letters}) >= options.count
    ):
        return Statement(
            tuple(sorted({letter for letters in same for letter in letters})),
            last.start,
            last.end,
            "every option",
            "stated",
        )
    return last


def _lines(plain: str) -> list[tuple[int, str]]:
    """(start, text) of lines that hold something."""
    places, start = [], 0
    for line in plain.split("\n"):
        if line.strip():
            places.append((start, line))
        start += len(line) + 1
    return places


def _alone(plain: str, options: QuestionOptions) -> Statement | None:
    """A letter with nothing else on its line; different ones on several lines decide nothing."""
    lines = _lines(plain)
    found: list[Statement] = []
    for number, (start, line) in enumerate(lines):
        match = _ALONE.match(line)
        if match is None or (
            match[1].islower() and len(lines) > 1 and not re.search(r"[(\[【「]", line[: match.start(1)])
        ):
            continue
        letters = tuple(dict.fromkeys(re.findall(r"[A-Z]", re.sub(r"(?i)or|and", " ", match[1]).upper())))
        label = (
            line.rstrip().endswith((":", "、")) and len(lines) > 1
        )  # "A:" is an answer's heading, "B:" and B、 a list's
        cut_list = 0 < number == len(lines) - 1 and bool(
            re.match(rf"{_MARK}{chr(ord(letters[0]) - 1)}\s*[.):、]", lines[number - 1][1])
        )
        if LETTERS.index(letters[0]) < options.count and not label and not cut_list:
            found.append(Statement(letters, start, start + len(line), "alone", "stated"))
    every = tuple(dict.fromkeys(letter for one in found for letter in one.letters))
    if not found or (len(every) > 1 and len(found) > 1 and found[0].start != lines[0][0]):
        return None
    return (
        found[-1] if len(every) == 1 else Statement(every, found[0].start, found[-1].end, "alone", "stated")
    )


@dataclass(frozen=True)
class _Lead:
    """A line that begins with a letter: "B. Paris"."""

    letter: str
    rest: str
    start: int
    end: int


def _leads(plain: str, options: QuestionOptions) -> list[_Lead]:
    found = []
    for start, line in _lines(plain):
        match = _LEAD.match(line) or _spaced(line, options)
        if match is None or (place := LETTERS.index(match[1].upper())) >= options.count:
            continue
        if match[1].islower() and not (
            match[2].strip() in (")", "].", ").", "]") or _follows(match[3], place, options)
        ):
            continue
        found.append(_Lead(match[1].upper(), match[3], start, start + len(line)))
    return found


def _lead(plain: str, options: QuestionOptions) -> Statement | None:
    """A letter at the start ("B.

    Paris"), or at the end where no other line begins with one; not where the lines list the
    options.
    """
    leads, lines = _leads(plain, options), _lines(plain)
    if not leads:
        return None
    first = leads[0]
    if first.start != lines[0][0] and (len(leads) > 1 or first.start != lines[-1][0]):
        return None
    own_text = names(first.rest, LETTERS.index(first.letter), options)
    inline = len(set(_INLINE.findall(first.rest))) > 1 or (bool(_NEXT.match(first.rest)) and not own_text)
    if inline or _HEDGED.match(first.rest) or plain[first.start :].lstrip().startswith("{"):
        return None  # options in one line, or as JSON
    asked = re.match(rf"{_MARK}A\s*:\s*", plain[first.start :])
    if asked and (said := whole_payload(plain[first.start + asked.end() : first.end], options)):
        return Statement(said.letters, first.start, first.end, "A:", "stated")
    several = None if own_text else payload(plain, first.start, options)
    if several is not None and len(several.letters) > 1:
        return Statement(several.letters, first.start, several.end, "lead", "stated")
    if _listed(leads) or (
        not own_text and re.match(r"\s*[A-Z]\s*(?:[.):、,]|$)", first.rest)
    ):  # "A. B. C. D."
        return None
    own = alike(options.texts[LETTERS.index(first.letter)]) if options.texts else ""
    rest = alike(_REASONS.split(first.rest, maxsplit=1)[0])
    judged_rest = f"own{rest[len(own) :]}" if own and rest.startswith(own) else rest
    if options.letter(first.rest) is None and _DISMISSED.search(judged_rest):
        return None
    if asked and (len(lines) > 1 if not rest else own and not own_text and not _REASON.match(first.rest)):
        return None  # "A:" heads an answer that states nothing
    return Statement((first.letter,), first.start, first.end, "lead", "stated")


def _listed(leads: list[_Lead]) -> bool:
    """Whether the lines list the options.

    "B. …" and then "A. …" is an answer with remarks on the options.
    """
    if len(leads) == 1:
        return False
    first, second = leads[:2]
    if second.letter != first.letter:
        return second.letter > first.letter
    texts = alike(first.rest), alike(second.rest)
    return len({lead.letter for lead in leads}) > 2 and not texts[1].startswith(texts[0])


def _follows(rest: str, place: int, options: QuestionOptions) -> bool:
    return not rest.strip() or (
        place < len(options.texts) and alike(rest).startswith(alike(options.texts[place]))
    )


def _spaced(line: str, options: QuestionOptions) -> re.Match[str] | None:
    """A letter, a blank, and the option's own text or a reason."""
    match = _SPACED.match(line)
    if match is None:
        return None
    reason = match[1].isupper() and _REASON.match(match[3])
    said = _THAT_IS.sub("", match[3])
    return match if reason or names(said, LETTERS.index(match[1].upper()), options) else None


def _judgement(plain: str, options: QuestionOptions) -> Statement | None:
    """The one letter that is called right (for a question that asks what is wrong: the one called
    wrong).
    """
    found = [*judged(plain, options), *(one for one in cued(plain, options) if one.weight == "judged")]
    wanted = [one for one in found if one.wrong == options.negative] or [
        one for one in found if not one.wrong
    ]
    every = tuple(dict.fromkeys(letter for one in wanted for letter in one.letters))
    if not wanted:
        return None
    return (
        wanted[-1]
        if len(every) == 1
        else Statement(every, wanted[0].start, wanted[-1].end, "X is right", "judged")
    )


def _option(plain: str, options: QuestionOptions) -> Statement | None:
    """The text of one option, as the whole answer or as a line of it."""
    whole = options.letter(plain)
    if whole is not None:
        return Statement((whole,), 0, len(plain), "option's text", "stated")
    place = ordinal(plain, 0, options)
    if place is not None and not plain[place.end :].strip(" \n.。!"):
        return Statement(place.letters, 0, place.end, "option's place", "stated")
    found = [
        (start, line, letter)
        for start, line in _lines(plain)
        if (letter := options.letter(line.strip(" -*>#")))
    ]
    letters = tuple(dict.fromkeys(letter for _, _, letter in found))
    if not found:
        return None
    return Statement(letters, found[0][0], found[-1][0] + len(found[-1][1]), "option's text", "stated")


def _mentioned(plain: str, options: QuestionOptions) -> Statement | None:
    """The one option that a single sentence names, at its beginning or end: "The capital of France
    is Paris.".
    """
    said = plain.strip()
    if len(said) > _SENTENCE or re.search(r"[。!?\n]\s*\S|\.\s+\S", said) or _NEGATED.search(said):
        return None
    words = f" {' '.join(re.findall(_WORDS, said.casefold()))} "
    named = []
    for place, text in enumerate(options.texts):
        own = " ".join(re.findall(_WORDS, alike(text)))
        if own and f" {own} " in words:
            named.append((own, LETTERS[place]))
    widest = [
        (own, letter)
        for own, letter in named
        if not any(f" {own} " in f" {other} " for other, _ in named if other != own)
    ]
    said_own = widest[0][0] if len(widest) == 1 else ""
    if (
        len(said_own) < 2
        or re.fullmatch(r"[\d .,%]+", said_own)
        or not (words.startswith(f" {said_own} ") or words.endswith(f" {said_own} "))
    ):
        return None
    return Statement((widest[0][1],), 0, len(plain), "option named", "judged")


def _tentative(plain: str, options: QuestionOptions) -> Statement | None:
    """The letter of every supposition; different ones decide nothing."""
    found = [one for one in cued(plain, options) if one.weight == "tentative"]
    last = max(found, key=lambda one: one.end, default=None)
    every = tuple(dict.fromkeys(letter for one in found for letter in one.letters))
    return (
        last
        if last is None or len(every) == 1
        else Statement(every, found[0].start, last.end, "tentative", "tentative")
    )
