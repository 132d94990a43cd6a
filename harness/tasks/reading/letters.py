"""The letter of the option that a free answer states.

Rules, in this order; the first that finds a decision counts:

1. *final*: a box, a tag, JSON, "final answer", 最终答案; but a later statement that takes it back by
   words ("wait", 更正) comes first.
2. *stated*: "the answer is B", 答案：B, 故选B, "B is the correct answer". The last one counts: it is
   what the answer settles on.
3. *alone*: one letter (with nothing else) on a line; *lead*: the answer begins with the letter,
   "B. Paris".
4. *judged*: one letter is called right, no other.
5. *text*: the whole answer, or a line of it, equals exactly one option.
6. *tentative*: "if …, the answer would be B", "a possible answer is B"; *named*: one sentence that
   names one option, and denies nothing.

Two letters in one statement ("A or B") decide nothing, and end the search. What is denied, asked,
taken back, or said of others is no statement. Where the text runs on into a next question, it is
cut there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from harness.tasks.letters import LETTERS
from harness.tasks.reading.api import Reading
from harness.tasks.reading.cues import RUN_ON
from harness.tasks.reading.denials import CORRECTED
from harness.tasks.reading.folding import alike, fold
from harness.tasks.reading.judgements import judged
from harness.tasks.reading.lines import alone, lead, lines_of
from harness.tasks.reading.options import QuestionOptions
from harness.tasks.reading.payload import ordinal
from harness.tasks.reading.statements import Statement, cued, structured

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

    # The order is the order of trust: the first rule that decides ends the search.
    for find in (_decided, alone, lead, _judgement, _option, _tentative, _mentioned):
        statement = find(plain, options)
        if statement is not None:
            return _reading(text, statement, options, several)
    return Reading(None, "nothing stated")


def _unlisted(plain: str, count: int) -> str:
    """Without the list of all letters in "Answer (A, B, C or D): B": blanks stand in its place."""
    return _all_letters(count).sub(lambda listed: " " * len(listed[0]), plain)


@lru_cache(maxsize=32)
def _all_letters(count: int) -> re.Pattern[str]:
    between = r"\s{0,2}(?:[,/、|]\s{0,2})?(?:(?i:or|and)\s{1,2}|或|和)?"
    listed = between.join(LETTERS[:count])
    return re.compile(
        rf"\(?\s{{0,2}}(?<!\w)(?:{listed}"
        rf"|A\s?[-~—至到]\s?{LETTERS[count - 1]})\s{{0,2}}\)?(?=\s{{0,2}}(?:[:=]|是|为|(?i:is\b)))"
    )


def _end(plain: str, options: QuestionOptions) -> int:
    """Where the answer ends: before a next question of the model's own.

    It does not end there before something has been stated or the first line is past.
    """
    for match in islice(RUN_ON.finditer(plain), _QUESTIONS):
        before = plain[: match.start()]
        if _decided(match[0], options):
            continue  # a question about an answer
        if before.strip() and (_decided(before, options) or alone(before, options) or lead(before, options)):
            return match.start()
    return len(plain)


def _reading(text: str, statement: Statement, options: QuestionOptions, several: bool) -> Reading:
    words = text[statement.start : statement.end].strip()
    if len(statement.letters) > 1 and not several:
        return Reading(None, f"{statement.rule}: several letters", words)
    if any(LETTERS.index(letter) >= options.count for letter in statement.letters):
        return Reading(None, f"{statement.rule}: no such option", words)
    return Reading("".join(sorted(statement.letters)), statement.rule, words)


def _decided(plain: str, options: QuestionOptions) -> Statement | None:
    """The last statement that counts.

    A final one comes before a plain one unless words of correction stand between.
    """
    every = [
        *structured(plain, options),
        *cued(plain, options),
        *(one for one in judged(plain, options) if not one.wrong),
    ]
    stated = sorted(
        (one for one in every if one.weight in ("final", "stated")), key=lambda one: (one.end, -one.start)
    )

    # A box counts more than a later "the answer is …" of the explanation, unless the model corrects
    # itself.
    final = [one for one in stated if one.weight == "final"]
    if not stated:
        return None

    last = stated[-1]
    if final and last.weight != "final" and not CORRECTED.search(plain, final[-1].end, last.end):
        return final[-1]

    # An analysis that says "the answer is …" under every option in turn has decided nothing.
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


def _judgement(plain: str, options: QuestionOptions) -> Statement | None:
    """The one letter that is called right.

    For a question that asks what is wrong it is the one called wrong.
    """
    judgements = [*judged(plain, options), *(one for one in cued(plain, options) if one.weight == "judged")]

    # Some models answer "which is wrong?" by calling their choice the right answer.
    matching = [one for one in judgements if one.wrong == options.negative] or [
        one for one in judgements if not one.wrong
    ]

    every = tuple(dict.fromkeys(letter for one in matching for letter in one.letters))
    if not matching:
        return None
    return (
        matching[-1]
        if len(every) == 1
        else Statement(every, matching[0].start, matching[-1].end, "X is right", "judged")
    )


def _option(plain: str, options: QuestionOptions) -> Statement | None:
    """The text of one option, as the whole answer or as a line of it."""
    whole = options.letter(plain)
    if whole is not None:
        return Statement((whole,), 0, len(plain), "option's text", "stated")

    # "Option 2" or 第二项 as the whole answer.
    by_position = ordinal(plain, 0, options)
    if by_position is not None and not plain[by_position.end :].strip(" \n.。!"):
        return Statement(by_position.letters, 0, by_position.end, "option's place", "stated")

    lines = [
        (start, line, letter)
        for start, line in lines_of(plain)
        if (letter := options.letter(line.strip(" -*>#")))
    ]
    letters = tuple(dict.fromkeys(letter for _, _, letter in lines))
    if not lines:
        return None
    return Statement(letters, lines[0][0], lines[-1][0] + len(lines[-1][1]), "option's text", "stated")


def _mentioned(plain: str, options: QuestionOptions) -> Statement | None:
    """The one option that a single sentence names, at its beginning or end.

    So reads "The capital of France is Paris.".
    """
    sentence = plain.strip()

    # Several sentences, or a denial, may name options that they dismiss.
    if (
        len(sentence) > _SENTENCE
        or re.search(r"[。!?\n]\s*\S|\.\s+\S", sentence)
        or _NEGATED.search(sentence)
    ):
        return None

    words = f" {' '.join(re.findall(_WORDS, sentence.casefold()))} "
    named = []
    for position, text in enumerate(options.texts):
        own = " ".join(re.findall(_WORDS, alike(text)))
        if own and f" {own} " in words:
            named.append((own, LETTERS[position]))

    # "New York City" names that option, not "New York".
    widest = [
        (own, letter)
        for own, letter in named
        if not any(f" {own} " in f" {other} " for other, _ in named if other != own)
    ]

    # A number or a single letter may stand in a sentence for many reasons.
    mention = widest[0][0] if len(widest) == 1 else ""
    if (
        len(mention) < 2
        or re.fullmatch(r"[\d .,%]+", mention)
        or not (words.startswith(f" {mention} ") or words.endswith(f" {mention} "))
    ):
        return None
    return Statement((widest[0][1],), 0, len(plain), "option named", "judged")


def _tentative(plain: str, options: QuestionOptions) -> Statement | None:
    """The letter of every supposition; different ones decide nothing."""
    suppositions = [one for one in cued(plain, options) if one.weight == "tentative"]
    last = max(suppositions, key=lambda one: one.end, default=None)
    every = tuple(dict.fromkeys(letter for one in suppositions for letter in one.letters))

    return (
        last
        if last is None or len(every) == 1
        else Statement(every, suppositions[0].start, last.end, "tentative", "tentative")
    )
