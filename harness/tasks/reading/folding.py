"""Texts made alike before they are read: widths, scripts, enclosed letters, mark-up.

Every character stays in its place: a folded text is as long as the text it came from, so that what
was read can be quoted in the model's own words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TRADITIONAL = (
    "爲選項確應該為於錯誤對終結論後擇個這點認題問綜還從說與並沒會當"
    "據則實總屬適較來見過無僅擾導擬優準雖餘開張兩萬億負圓數歲隻頁條錢"
)
_SIMPLIFIED = (
    "为选项确应该为于错误对终结论后择个这点认题问综还从说与并没会当"
    "据则实总属适较来见过无仅扰导拟优准虽余开张两万亿负圆数岁只页条钱"
)
_CHARACTERS = dict(zip(_TRADITIONAL, _SIMPLIFIED, strict=True)) | dict.fromkeys(
    "\u200b\u200c\u200d\ufeff\u2060\ufe0f\u20e3*`$~", " "
)
_CHARACTERS |= {"\r": "\n", "−": "-", "–": "-", "﹣": "-", "‘": "'", "’": "'", "“": '"', "”": '"'}
_CHARACTERS |= dict(zip("〔〕⟨⟩‹›«»〝〞﹁﹂", '[][]\'\'""""""', strict=True))
_CHARACTERS |= dict.fromkeys("✓✔✅☑", "√") | dict.fromkeys("✗✘❌", "×")
_CIRCLED = frozenset("⓪①②③④⑤⑥⑦⑧⑨⑩")
_SQUARES = {0x1F150: 26, 0x1F170: 26, 0x1F1E6: 26}
"""First code points of letters that no decomposition shows.

White letters on black circles, on black squares, and regional indicators.
"""
_MARKUP = re.compile(
    r"^\s{0,8}(?:<s>|\[/?INST\])|\\[()\[\],;!]|\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathsf"
    r"|mathit|mathbb|rm|bf|it"
    r"|operatorname)\b\s*(?=\{)"
    r"|(?<!\w)_(?=[^\W_])|(?<=[^\W_])_(?!\w)"
    r"|</?(?:b|strong|i|em|u|p|span|div|code|mark|font|sub|sup|h[1-6]|li|ul"
    r"|ol)\b[^<>\n]{0,80}>|__(?=[^\s_])|(?<=[^\s_])__",
)  # in small letters: <B> is an answer
_STRUCK = re.compile(r"~~[^\n~]{1,80}~~|<(del|s|strike)>[^\n<>]{1,80}</\1>")
_OUTER = " .。,;:!\"'「」『』【】"
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CHECKED = re.compile(r"\[[xX√]\]")


def fold(text: str) -> str:
    """The text in plain letters, with blanks for mark-up.

    Half-width forms and simplified characters of the answer's vocabulary.
    """
    plain = _STRUCK.sub(lambda match: " " * len(match[0]), text)
    plain = "".join(map(_fold_one, plain))
    plain = _BREAK.sub(lambda match: "\n" + " " * (len(match[0]) - 1), plain)
    plain = _CHECKED.sub(" √ ", plain)
    return _MARKUP.sub(lambda match: " " * len(match[0]), plain)


@lru_cache(maxsize=4096)
def _fold_one(character: str) -> str:
    if character < "\x7f":
        return _CHARACTERS.get(character, character)
    if character in _CHARACTERS:
        return _CHARACTERS[character]
    if character in _CIRCLED:
        return character

    for first, count in _SQUARES.items():
        if first <= ord(character) < first + count:
            return chr(ord("A") + ord(character) - first)

    if (
        ord(character) >= 0x2600
        and unicodedata.category(character) == "So"
        and not unicodedata.decomposition(character)
    ):
        return " "  # ✅ and the like

    # ½ and ² mean numbers, which their decompositions would break up.
    if unicodedata.decomposition(character).startswith(("<super>", "<sub>", "<fraction>")):
        return character

    whole = unicodedata.normalize("NFKC", character)
    inner = whole.strip("().")  # ⒝ and ⒈ decompose to several characters
    if len(whole) == 1 or (len(inner) == 1 and inner.isalnum()):
        return whole if len(whole) == 1 else inner
    return character


@lru_cache(maxsize=4096)
def alike(text: str) -> str:
    """A text for comparing it with an option.

    Folded, without case, outer punctuation and repeated blanks.
    """
    return " ".join(fold(text).casefold().split()).strip(_OUTER)
