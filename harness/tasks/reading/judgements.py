"""What a text calls right or wrong of a letter: "B is correct", A√ B×, "[x] B."."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.tasks.reading.cues import Weight
from harness.tasks.reading.denials import HYPOTHESIS, NOT_BEFORE_ZH, RETRACTED
from harness.tasks.reading.options import QuestionOptions
from harness.tasks.reading.payload import payload
from harness.tasks.reading.statements import Statement, is_question

_L = (
    r"[\"'「『【〖《\[({<\s]{0,8}(?<![A-Za-z0-9_\\])([A-Z])(?![A-Za-z0-9_'+])(?!-[A-Za-z])[\"'」』"
    r"】〗》\])}>]{0,8}"
)
_BEGIN = (
    r"(?:^|[\n。.!?;,:、—(]|因此|所以|故|即|只有|而|但|其实|实际上|事实上|综上|可知|得出|显然|认为"
    r"|(?i:\b(?:so|thus|therefore|hence|that|think|believe|only|because|since|and|but|while|in"
    r"|clearly|then|both|as|say)\b))"
    r"\s{0,4}(?:(?i:\b(?:the|options?|choices?|answers?|letters?|statements?|both)\b)\s{0,4}|选项"
    r"|选择|答案){0,4}"
)
_MORE = (
    rf"((?>(?:\s{{0,4}}(?:,(?i:\s{{0,4}}and\b)?|(?i:\band\b|\bor\b)"
    rf"|[、和与及或])(?i:\s{{0,4}}options?\b)?{_L}){{0,9}}))"
)
_TEXT = r"(?:[.):、,(-][^\n。!?]{0,100}?[)\s,]|\s*[(][^)\n]{0,80}[)]|\s*[\"'「][^\"'」\n]{0,80}[\"'」])?"
_RIGHT_EN = (
    r"(?i:\s*(?:is|are|was|(?:seems|appears)(?: to be)?|looks|must be|has to be|would be|should be"
    r"|can be|being)(?: both| all)?\s+"
    r"(?:(?:the|therefore|clearly|most|only|indeed|definitely|likely|probably|also|thus"
    r"|certainly|single|in fact|actually|an?)\s+)*"
)
_JUDGED = re.compile(
    rf"{_BEGIN}{_L}\s*(?:选项|项|(?i:option|choice)\b)?{_MORE}\s*(?:选项|项)?{_TEXT}\s*(?:"
    rf"(?P<answer_en>{_RIGHT_EN}(?:correct|right|best|final|appropriate|accurate)?\s*(?:answer"
    rf"|option|choice|one)\b))"
    rf"|(?P<right_en>{_RIGHT_EN}(?:correct|right|best|true|accurate|appropriate|valid"
    rf"|suitable)\b)|(?i:\s+(?:(?:fits|works|matches) best|(?:best|most accurately|correctly) \w+s"
    rf"|remains|is left)\b))"
    rf"|(?P<wrong_en>(?i:\s*(?:is|are|was|seems|appears)(?: also| clearly"
    rf"| definitely)?\s+(?:the )?(?:incorrect|wrong|false|inaccurate|untrue)\b))"
    r"|(?P<answer_zh>(?:就|才|即)?(?:是|为)(?:本题)?的?(?:唯一|最终|最佳"
    r"|最终的)?(?:正确)?的?(?:正确答案|答案|正解|正确选项|正确的选项))"
    r"|(?P<right_zh>的?(?:说法|表述|描述|叙述|内容)?(?:是|才是|才|为|最|更|完全|显然|都"
    r"|均)*(?:正确|对的|对(?=[。,;!\s]|$)|符合|当选|最佳|合适|恰当|准确|正解))"
    r"|(?P<wrong_zh>的?(?:说法|表述|描述|叙述|内容)?(?:是|为|显然|明显)*(?:不正确|错误"
    r"|错的?(?=[。,;!\s]|$)|不对|有误|不符合?)))"
)
_WRONG_ONE = re.compile(
    r"(?:(?:不正确|错误|不恰当|不当|不对|不符合?题意|不符合?|有误|不属于|不包括"
    r"|不合理)的?[^\s,。;!?:是为]{0,8}(?:是|为|:)"
    r"|(?i:\b(?:incorrect|false|wrong|untrue|exception|inaccurate)\b\s*(?:one|option|statement"
    r"|choice|answer)?\s*(?:is|:)))"
)
_NUMBERED = re.compile(
    r"(?i:(?:^|[\n.,;:]\s?|\b(?:so|thus|therefore|hence|that|only)\s)"
    r"(?=(?:the\s+)?\w+ (?:option|choice|answer|statement|one)\s+(?:is"
    r"|was)\s+(?:the\s+)?(?:correct|right|best|true|answer)\b))"
    r"|(?:^|[\n。,;:]|因此|所以|故|只有)\s?(?=第.(?:个选项|个|项|选项)(?:是|才是|才)?(?:正确|对的|符合))"
)
"""Before "the second option is correct", 第二项正确."""
_TICKED = re.compile(
    r"(?<![A-Za-z])([A-Z])\s{0,2}(?:\((?=[对错√×]\)))?([√×]|(?<=\()[对错](?=\)))|(?m:^)[\s*#>"
    r"|-]{0,8}√\s{0,3}([A-Z])\s?[.):、]"
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
    r"(?m)^[\s*#>(|-]{0,8}([A-Z])\s{0,8}(?:选项|项)?(?:[.):、|]|(?=[√×]))([^\n]{0,120}?(?:[-—:;,("
    r"|]|\.\s|\s(?=[√×])))??\s{0,4}"
    r"((?i:incorrect|correct|wrong|right|false|true)|不正确|正确|错误?|不?对|√|×)[\s).。!|]{0,8}$"
)
"""Lines of an analysis: "B. Paris - correct.", C：错误."""


def judged(text: str, options: QuestionOptions) -> Iterator[Statement]:
    """What is called right or wrong of a letter.

    "B is the correct answer" states, "B is correct" judges.
    """
    yield from _by_cue(_WRONG_ONE, text, options, "the wrong one")
    yield from _by_cue(_NUMBERED, text, options, "X is right")
    for tick in _TICKED.finditer(text):
        wrong = tick[2] in ("×", "错")
        yield Statement((tick[1] or tick[3],), tick.start(), tick.end(), "verdict", "judged", wrong=wrong)
    for only in _ONLY.finditer(text):
        if not is_question(text, only.end()):
            yield Statement((only[1],), only.start(), only.end(), "X is right", "judged")

    # "option b is correct": a small letter counts only beside such a word.
    text = _SMALL.sub(lambda small: small[1] + small[2].upper(), text)
    yield from _verdicts(text, options)
    yield from _sentences(text, options)


def _by_cue(cue: re.Pattern[str], text: str, options: QuestionOptions, rule: str) -> Iterator[Statement]:
    """Statements behind words such as "the incorrect one is" or before "the second is correct"."""
    for match in cue.finditer(text):
        stated = payload(text, match.end(), options)
        if stated is not None and not is_question(text, stated.end):
            wrong = cue is _WRONG_ONE
            yield Statement(stated.letters, match.start(), stated.end, rule, "judged", wrong=wrong)


def _verdicts(text: str, options: QuestionOptions) -> Iterator[Statement]:
    """Lines of an analysis that judge one option each."""
    for match in _VERDICT.finditer(text):
        if options.letter(f"{match[2] or ''}{match[3]}") is not None:
            continue  # an option that reads "True"
        right = bool(re.fullmatch(r"(?i:correct|right|true)|正确|对|√", match[3]))
        yield Statement((match[1],), match.start(1), match.end(3), "verdict", "judged", wrong=not right)


def _sentences(text: str, options: QuestionOptions) -> Iterator[Statement]:
    """Sentences that call one or several letters right or wrong."""
    for match in _JUDGED.finditer(text):
        kind = next((name for name, group in match.groupdict().items() if group), "right_en")
        named = re.findall(r"(?<![A-Za-z0-9])([A-Z])(?![A-Za-z0-9])", match[1] + " " + (match[2] or ""))
        letters = tuple(dict.fromkeys(named))
        if not letters or _revoked(text, match) or _echoes(text, match, options):
            continue

        # "B is the correct answer" settles it, "B is a correct answer" leaves room for others.
        definite = kind.startswith("answer") and not re.search(
            r"(?i:\b(?:is|was|be) (?:an?|one) )", match[kind]
        )
        weight: Weight = "stated" if definite else "judged"
        wrong = kind.startswith("wrong")
        yield Statement(letters, match.start(1), match.end(), "X is right", weight, wrong=wrong)


def _revoked(text: str, match: re.Match[str]) -> bool:
    """Whether words around a judgement ask, take back, deny or suppose it."""
    if is_question(text, match.end()) or RETRACTED.match(text, match.end()):
        return True
    before = text[max(text.rfind("\n", 0, match.start()), match.start() - 60) + 1 : match.start() + 1]
    return bool(
        NOT_BEFORE_ZH.search(before.rstrip())
        or re.search(r"(?i:\bif\b|\bwhether\b|\bnot that\b)[^.\n]*$", before)
        or HYPOTHESIS.search(before)
    )


def _echoes(text: str, match: re.Match[str], options: QuestionOptions) -> bool:
    """Whether the line only repeats an option of the question: one that reads "正确"."""
    return bool(re.match(r"[\s)]{0,4}[.):、]", text[match.end(1) :])) and bool(
        options.letter(text[match.end(1) : match.end()].strip(" .):、"))
    )
