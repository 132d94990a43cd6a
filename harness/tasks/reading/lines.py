"""Letters at the beginnings of lines: alone on one ("B"), or before a text ("B. Paris")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.tasks.letters import LETTERS
from harness.tasks.reading.folding import alike
from harness.tasks.reading.options import QuestionOptions
from harness.tasks.reading.payload import names, payload, whole_payload
from harness.tasks.reading.statements import Statement

_MARK = r"[\s\"'「『【〖《〈\[({<#>√+|-]{0,12}"
_ENDING = r"[\s\"'」』】〗》〉\])}>√|.。,:;!、]{0,12}"
_SURE = (
    r"(?i:(?:definitely|certainly|surely|clearly|obviously|probably|likely|maybe|sure|yes"
    r"|ok(?:ay)?|well|of course|right|alright|understood|option|choice|answer)[\s,!.]*|(?:好的?"
    r"|当然|嗯|是的)[\s,!。]+|肯定|显然|选项?\s*)*"
)
_ALONE = re.compile(
    rf"^{_MARK}{_SURE}{_MARK}(?:\d{{1,3}}[.):、]\s?)?{_MARK}([A-Za-z](?:\s*(?:[,、/&]|(?i:or|and)"
    rf"|或|和)\s*[A-Z])*){_ENDING}(?:选项"
    rf"|项)?{_ENDING}$"
)
_LEAD = re.compile(
    rf"^{_MARK}(?:(?i:option|choice)\s*|选项\s*)?([A-Za-z])\s*([\"'」』】〗》\])}}>]*[.):：。、,]"
    rf"|[」』】〗》\])}}>]|\s+[-—=]\s|项|选项)(.*)$"
)
_INLINE = re.compile(r"(?<!\w)([A-Z])[.:]\s")
_HEDGED = re.compile(
    r"^[\s.…,)]{0,6}(?:(?i:and/or|or)\b|或者?|还是)\s{0,2}(?i:maybe|possibly|perhaps"
    r"|also)?\s{0,2}(?i:option)?\s{0,2}\(?[A-Z]\b|.*[,;|]\s?[A-Z]\s?:"
)
"""Another letter behind the first: "B... or maybe A?", "A: 50%, B: 50%"."""
_NEXT = re.compile(r"\s*(?:(?i:and|or)\s+)?[A-Z]\s*(?:[,、和与或]|(?i:and|or)\b)")
"""Letters of options that are listed in one line."""
_SPACED = re.compile(rf"^{_MARK}([A-Za-z])([^\S\n]+)(\S.*)$")
_THAT_IS = re.compile(r"^[=(\s]{0,4}(?:(?i:i\.?\s?e\.?|that is|namely)\b[\s,.:]*|[即也]就?是?[\s,:]*)?")
_REASON = re.compile(r"\(?(?i:not|because|since|due to)\b|因为|由于")
_REASONS = re.compile(
    r"(?:^|(?<=[,。;:、.]))\s*(?:理由|解析|解释|原因|(?i:reason|explanation)\b)|因为|由于"
    r"|(?i:\b(?:because|since)\b)"
)
_DISMISSED = re.compile(
    r"(?i:\b(?:incorrect|wrong)\b|\b(?:not|isn't|aren't|wasn't)\s+(?:the |an? )?(?:correct"
    r"|right|true|answer|valid)\b|\b(?:is|are|was)\s+false\b)"
    r"|^\W*(?i:no|not|false)\b|不正确|错误|不对|有误|不是|排除|不符"
)


def lines_of(plain: str) -> list[tuple[int, str]]:
    """(start, text) of lines that hold something."""
    lines, start = [], 0
    for line in plain.split("\n"):
        if line.strip():
            lines.append((start, line))
        start += len(line) + 1
    return lines


def alone(plain: str, options: QuestionOptions) -> Statement | None:
    """A letter with nothing else on its line; different ones on several lines decide nothing."""
    lines = lines_of(plain)
    statements: list[Statement] = []
    for number, (start, line) in enumerate(lines):
        match = _ALONE.match(line)

        # A small letter alone on one of several lines is a variable or a word, except in brackets.
        if match is None or (
            match[1].islower() and len(lines) > 1 and not re.search(r"[(\[【「]", line[: match.start(1)])
        ):
            continue
        letters = tuple(dict.fromkeys(re.findall(r"[A-Z]", re.sub(r"(?i)or|and", " ", match[1]).upper())))
        # "A:" is the heading of an answer, "B:" and B、 are lines of a list.
        label = line.rstrip().endswith((":", "、")) and len(lines) > 1

        # A token limit cuts a list of options after its last letter: "A. …", "B. …", "C".
        cut_list = 0 < number == len(lines) - 1 and bool(
            re.match(rf"{_MARK}{chr(ord(letters[0]) - 1)}\s*[.):、]", lines[number - 1][1])
        )

        if LETTERS.index(letters[0]) < options.count and not label and not cut_list:
            statements.append(Statement(letters, start, start + len(line), "alone", "stated"))

    # Different letters on several lines are a list, unless the answer begins with one of them.
    every = tuple(dict.fromkeys(letter for one in statements for letter in one.letters))
    if not statements or (len(every) > 1 and len(statements) > 1 and statements[0].start != lines[0][0]):
        return None
    return (
        statements[-1]
        if len(every) == 1
        else Statement(every, statements[0].start, statements[-1].end, "alone", "stated")
    )


@dataclass(frozen=True)
class _Lead:
    """A line that begins with a letter: "B. Paris"."""

    letter: str
    rest: str
    start: int
    end: int


def _leads(plain: str, options: QuestionOptions) -> list[_Lead]:
    leads = []
    for start, line in lines_of(plain):
        match = _LEAD.match(line) or _spaced(line, options)
        if match is None or (position := LETTERS.index(match[1].upper())) >= options.count:
            continue

        # "a cat" begins with no letter of an option, "a) cat" does.
        if match[1].islower() and not (
            match[2].strip() in (")", "].", ").", "]") or _follows(match[3], position, options)
        ):
            continue
        leads.append(_Lead(match[1].upper(), match[3], start, start + len(line)))
    return leads


def lead(plain: str, options: QuestionOptions) -> Statement | None:
    """A letter at the start ("B. Paris"), or at the end where no other line begins with one.

    Not where the lines list the options.
    """
    leads, lines = _leads(plain, options), lines_of(plain)
    if not leads:
        return None

    first = leads[0]
    if first.start != lines[0][0] and (len(leads) > 1 or first.start != lines[-1][0]):
        return None

    own_text = names(first.rest, LETTERS.index(first.letter), options)
    if _inline(first, own_text) or plain[first.start :].lstrip().startswith("{"):
        return None  # options in one line, or as JSON

    # Base models continue the "A:" of a prompt with their answer behind it.
    heading = re.match(rf"{_MARK}A\s*:\s*", plain[first.start :])
    if heading and (headed := whole_payload(plain[first.start + heading.end() : first.end], options)):
        return Statement(headed.letters, first.start, first.end, "A:", "stated")

    several = None if own_text else payload(plain, first.start, options)
    if several is not None and len(several.letters) > 1:
        return Statement(several.letters, first.start, several.end, "lead", "stated")
    if _listed(leads) or (not own_text and re.match(r"\s*[A-Z]\s*(?:[.):、,]|$)", first.rest)):
        return None  # "A. B. C. D."

    own = alike(options.texts[LETTERS.index(first.letter)]) if options.texts else ""
    rest = alike(_REASONS.split(first.rest, maxsplit=1)[0])
    if options.letter(first.rest) is None and _dismissed(rest, own):
        return None

    # "A:" also heads an answer that states nothing.
    if heading and (len(lines) > 1 if not rest else own and not own_text and not _REASON.match(first.rest)):
        return None
    return Statement((first.letter,), first.start, first.end, "lead", "stated")


def _inline(line: _Lead, own_text: bool) -> bool:
    """Whether one line holds several letters, which the option's own text does not explain."""
    several = len(set(_INLINE.findall(line.rest))) > 1 or (bool(_NEXT.match(line.rest)) and not own_text)
    return several or bool(_HEDGED.match(line.rest))


def _dismissed(rest: str, own: str) -> bool:
    """Whether words such as "is wrong" stand behind an option.

    They may also stand in the option's own text, which says nothing about it.
    """
    remark = f"own{rest[len(own) :]}" if own and rest.startswith(own) else rest
    return bool(_DISMISSED.search(remark))


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


def _follows(rest: str, position: int, options: QuestionOptions) -> bool:
    return not rest.strip() or (
        position < len(options.texts) and alike(rest).startswith(alike(options.texts[position]))
    )


def _spaced(line: str, options: QuestionOptions) -> re.Match[str] | None:
    """A letter, a blank, and the option's own text or a reason."""
    match = _SPACED.match(line)
    if match is None:
        return None
    reason = match[1].isupper() and _REASON.match(match[3])
    text = _THAT_IS.sub("", match[3])
    return match if reason or names(text, LETTERS.index(match[1].upper()), options) else None
