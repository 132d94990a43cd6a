"""What stands right behind a cue: one letter, several, or the text of an option.

All on folded text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.tasks.letters import LETTERS
from harness.tasks.reading.folding import alike
from harness.tasks.reading.options import QuestionOptions

# bounded, like all repeats here: a model may write one character a thousand times
_OPEN = r"[\s\"'「『【〖《〈\[({<]{0,24}"
_CLOSE = r"[^\S\n]{0,4}[\"'」』】〗》〉\])}>]{0,8}"
_FILL = (
    r"(?:(?i:\s{0,4}(?<![A-Za-z])(?:the|an?(?= (?:option|choice|letter))|option|choice|letter|answer"
    r"|statement|number|indeed|clearly|therefore|simply|still|thus"
    r"|definitely|most likely|likely|probably|only|in fact|of course|both|either|follows|as"
    r"|correct|right|best|one|to be|with|for|is|on)\b[\s:]*)"
    r"|\s{0,4}(?:选项|选择|选|字母|应该是?|应当是?|应是|应为|就是|只有|是|为|了|:|=|→|即|-|—)\s{0,4}){0,6}"
)
_START = re.compile(_FILL + _OPEN + _FILL + r"[\"'\[({<]{0,8}")
_LETTER = r"(?<![A-Za-z0-9_\\])([A-Za-z])(?![A-Za-z0-9_])(?!'[a-zA-Z])(?!-[A-Za-z])(?!\+\+)(?!\.[A-Za-z]\.)"
_ONE = re.compile(_LETTER)
_GLUED = re.compile(r"(?<![A-Za-z0-9_])([A-Z]{2,10})(?![A-Za-z0-9_])")
_WORDS = (
    r"(?:because|since|as|due|based|given|and|or|but|rather|instead|which|where|while|is|are"
    r"|was|being|not|with|for|by|though|though|then|here)\b"
)
_CLOSED = re.compile(
    rf"{_CLOSE}\s*(?:$|\n|[.。,，、;!?…()\[\]【】〖」』\"'}}>]|:|—|-\s|项|选项|吧|呢|吗|啊|了"
    rf"|(?i:option|choice)\b"
    rf"|(?i:{_WORDS})|[的是才就而和或与及因由正对符没都均皆还也])"
)
_ENDED = re.compile(
    rf"{_CLOSE}\s*(?:$|\n|[.。;!?…)\]【】〖」』\"'}}>]|,|—|项|选项|吧|呢|了|(?i:option|choice)\b|(?i:because"
    rf"|since|as|due|based|given)\b|因为|由于|而?不是|而非)"
)
_BRACKET = re.compile(r"[^\S\n]*[)\]】」』}>.:、]")
_S = r"[^\S\n]{0,4}"
_OR = re.compile(
    rf"{_CLOSE}{_S}(?:,{_S})?(?:(?i:\bor\b|\band/or\b|\bversus\b|\bvs\b)|/|\||或者?是?|还是|抑或"
    rf"|(?:也|还)可能是?|[也亦]可以?|也许是?|或许是?){_S}"
    rf"(?:(?i:(?:maybe|possibly|perhaps|option|choice|it|could|might|may|be|the)\b|选项"
    rf"|选择?)\s*)*{_OPEN}{_LETTER}"
)
_AND = re.compile(
    rf"{_CLOSE}{_S}(?:,?{_S}(?i:\band(?:\s+also)?\b|&)|[,、;&+]|和|与|以及|及|跟|同"
    rf"|[^\S\n]){_S}(?i:option|choice|选项)?[^\S\n\"'(\[]*[\"'(\[]?{_LETTER}"
)
_LISTED = re.compile(
    rf"{_CLOSE}\s*(?:$|\n|[.。;!?)\]】」』}}]|(?:都|均|皆)(?!不|错|有误)|中|之间|(?i:are both|both)\b|两项?"
    rf"|,\s*(?i:because|since|as)\b|因为)"
)
_ALTERNATIVE = re.compile(
    rf"(?:(?i:\bor\b)|或者?|还是)\s*(?i:option|choice|选项)?{_OPEN}{_LETTER}{_CLOSE}[.):、]?[^\S\n]*\S"
)
_DENIAL = re.compile(r"(?i:\bnot\b|n't|\bneither\b|\bnor\b|\bwrong\b|incorrect)|不|非|错")
_ORDINAL = re.compile(
    r"(?i:(?:option|choice|answer)\s*(?:number|no\.?|#)?\s*([1-9])(?!\d|\.\d))|(?:选项"
    r"|第)\s*([1-9一二三四五六七八九十])\s*(?:个选项|个|项|选项)?(?!\d)"
    r"|(?i:(?:the\s+)?(first|second|third|fourth|fifth|sixth|last)\s+(?:option|choice|answer"
    r"|statement|one)\b)|([①②③④⑤⑥⑦⑧⑨⑩])"
)
_NAMES = ("first", "second", "third", "fourth", "fifth", "sixth")
_PRONOUNS = frozenset("AI")
"""Letters that are English words, too."""


@dataclass(frozen=True)
class Payload:
    """What stands behind a cue.

    ``letters`` are the distinct letters stated (several: undecided, or a list); ``by`` says how
    they were stated.
    """

    letters: tuple[str, ...]
    end: int
    by: str = "letter"


def payload(text: str, start: int, options: QuestionOptions, *, closed: bool = False) -> Payload | None:
    """The letters or the option's text that stand at ``start``; None where there is neither.

    ``closed`` asks for a letter that ends its clause (or is bracketed).
    """

    opened = _START.match(text, start)
    position = opened.end() if opened else start
    whole = _longest_text(text, start, position, options)

    # An option's text beats a letter, unless the letter only heads that text ("B. Paris").
    letter = _ONE.match(text, position)
    if whole is not None and (letter is None or whole.end > letter.end() + 1):
        return whole

    # A letter whose next line begins with the next letter begins the question's list of options.
    if letter is not None and _is_letter(text, letter, options, closed):
        if letter.start() and "\n" in text[start : letter.start()] and _lists(text, letter):
            return None
        return _several(
            text, letter, named=_named(text, letter.end(), LETTERS.index(letter[1].upper()), options)
        )

    # "ABD" without commas, as answers to questions with several right options are written.
    glued = _GLUED.match(text, position)
    if glued and _is_list(glued[1], options) and _ENDED.match(text, glued.end()):
        return Payload(tuple(glued[1]), glued.end())

    numbered = re.compile(r"\d{1,2}[.)]\s+").match(text, position)
    return ordinal(text, start, options) or (
        _option_text(text, numbered.end(), options) if numbered else None
    )


def _longest_text(text: str, start: int, position: int, options: QuestionOptions) -> Payload | None:
    """The option whose text stands at ``start`` or ``position``.

    The words between, which may be filler, may also be the beginning of an option's text.
    """
    before = re.compile(_OPEN).match(text, start)
    texts = (_option_text(text, begin, options) for begin in {before.end() if before else start, position})
    return max((one for one in texts if one), key=lambda one: one.end, default=None)


def _is_list(letters: str, options: QuestionOptions) -> bool:
    """Whether capitals are letters of options, each once and in order: "ABD", but no "DNA"."""
    return list(letters) == sorted(set(letters)) and LETTERS.index(letters[-1]) < options.count


def whole_payload(text: str, options: QuestionOptions) -> Payload | None:
    """The reading of a text that should hold an answer and nothing else.

    Such texts are a box, a tag, or a JSON value.
    """
    content = text.strip().strip("\"'")
    equal = options.letter(content)
    if equal is not None and not (len(content) == 1 and content.isalpha()):
        return Payload((equal,), len(text), "text")
    return payload(text, 0, options, closed=True)


def _is_letter(text: str, match: re.Match[str], options: QuestionOptions, closed: bool) -> bool:
    """Whether a single letter is an option's and no article, pronoun or beginning of a name."""
    letter, end = match[1], match.end()
    position = LETTERS.index(letter.upper())

    bracketed = bool(text[match.start() - 1 : match.start()].strip(" \n:")) and bool(
        _BRACKET.match(text, end)
    )

    if letter.upper() in "IX" and position >= options.count:
        return False  # a pronoun; the blank of "Answer: X"
    if letter.islower():
        return position < options.count and bool(
            _CLOSED.match(text, end)
            if letter != "a"
            else _ENDED.match(text, end) or _BRACKET.match(text, end)
        )

    # Words such as "so" say little, so the letter must end its clause or be in brackets.
    if closed:
        return (
            bracketed
            or bool(_ENDED.match(text, end))
            or bool(_BRACKET.match(text, end))
            or _named(text, end, position, options)
        )

    # "A" and "I" are words: "the answer is a matter of taste".
    if letter in _PRONOUNS and not _CLOSED.match(text, end):
        return _named(text, end, position, options)
    return True


def _named(text: str, end: int, position: int, options: QuestionOptions) -> bool:
    """Whether the option's own text follows its letter."""
    return names(text[end:].split("\n")[0].lstrip(" :.,-)](\"'"), position, options)


def names(rest: str, position: int, options: QuestionOptions) -> bool:
    """Whether a text begins with that of an option.

    Behind a letter that is a word, too ("A valid argument"), it must end there.
    """
    own = alike(options.texts[position]) if position < len(options.texts) else ""
    text = alike(rest)
    return (
        bool(own)
        and text.startswith(own)
        and not (LETTERS[position] in _PRONOUNS and re.match(r"\s*\w", text[len(own) :]))
    )


def _option_text(text: str, position: int, options: QuestionOptions) -> Payload | None:
    """The longest option whose text stands here and ends at a boundary.

    None where two options have it.
    """
    line = text[position : position + 400].split("\n")[0]
    line_folded = line.casefold()
    best: tuple[int, list[int]] = (0, [])
    for number, option in enumerate(options.texts):
        own = " ".join(alike(option).split())
        if not own or not line_folded.startswith(own):
            continue

        # "12" does not state an option "1", nor "Parisian" the option "Paris".
        rest = line_folded[len(own) :]
        if rest and own[-1].isascii() and (rest[0].isalnum() or re.match(r"[.,]\d|-\w|%|/\w", rest)):
            continue
        if rest and not own[-1].isascii() and rest[0] not in " .。,,;;:!!?\"'」』】)》…，的吧了因由(":
            continue

        if len(own) >= best[0]:
            best = (len(own), [number] if len(own) > best[0] else [*best[1], number])

    if len(best[1]) != 1:
        return None
    return Payload((LETTERS[best[1][0]],), position + best[0], "text")


def _several(text: str, first: re.Match[str], *, named: bool) -> Payload:
    """The letter, and those listed with it.

    "A or B" always lists; "A, B" and "A and B" only where nothing is said of B alone. ``named``:
    the option's own text follows, which may name letters ("D) A and C").
    """
    sure, end = [first[1].upper()], first.end()

    # Letters join the list one by one; only "or", or an end of the clause behind the list, makes it
    # sure.
    listed, listed_end, maybe = list(sure), end, False
    while not named:
        match = _OR.match(text, listed_end)
        certain = match is not None
        match = match or _AND.match(text, listed_end)
        if match is None or (match[1].islower() and first[1].isupper()):
            break
        if match[1] in _PRONOUNS and not _CLOSED.match(text, match.end()) and not certain:
            break
        listed.append(match[1].upper())
        listed_end = match.end()
        maybe = not certain
        if certain:
            sure, end = list(listed), listed_end

    if maybe and _LISTED.match(text, listed_end):
        sure, end = listed, listed_end
    if len(sure) == 1:
        sure += _alternative(text, first)
    return Payload(tuple(dict.fromkeys(sure)), end)


def _alternative(text: str, first: re.Match[str]) -> list[str]:
    """The second of two options named with their texts: "(A) London or (B) Paris"."""
    rest = re.split(r"[。;!?\n]", text[first.end() : first.end() + 160])[0]

    # Small letters are articles, and a denial or a new sentence between names no alternative.
    match = _ALTERNATIVE.search(rest)
    if (
        match is None
        or match[1].islower()
        or _DENIAL.search(rest[: match.start()])
        or re.search(r"[a-z]\.\s", rest[: match.start()])
    ):
        return []
    return [match[1]] if re.match(rf"{_CLOSE}[.):、]|{_CLOSE}[)\]]", rest[match.end(1) :]) else []


def _lists(text: str, match: re.Match[str]) -> bool:
    """Whether the options are listed from here on: the next line begins with the next letter."""
    following = chr(ord(match[1]) + 1)
    return bool(re.match(rf"[^\n]*\n\s*[-*(]*{following}\s*[.):、]", text[match.end() :]))


def ordinal(text: str, start: int, options: QuestionOptions) -> Payload | None:
    """The second option, 第二个选项, ②: only where no option's text holds such numbers."""
    blank = re.compile(r"[\s:是为\"'(【「]*(?i:the\s+)?").match(text, start)
    for position in dict.fromkeys((blank.end() if blank else start, start)):
        match = _ORDINAL.match(text, position)
        if match is None:
            continue

        numeral = next(group for group in match.groups() if group)

        # Circled numbers often count statements in the question ("①③ are right"), not options.
        if numeral in "①②③④⑤⑥⑦⑧⑨⑩" and (
            not options.texts or any(re.search("[①-⑩]", option) for option in options.texts)
        ):
            return None
        number = _number(numeral, options.count)
        return Payload((LETTERS[number],), match.end(), "ordinal") if 0 <= number < options.count else None
    return None


def _number(numeral: str, count: int) -> int:
    if numeral.lower() == "last":
        return count - 1
    if numeral.lower() in _NAMES:
        return _NAMES.index(numeral.lower())
    for digits in ("123456789", "一二三四五六七八九十", "①②③④⑤⑥⑦⑧⑨⑩"):
        if numeral in digits:
            return digits.index(numeral)
    return -1
