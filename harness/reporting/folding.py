"""Text in lines of a terminal: broken at spaces and between Chinese characters, a longer word after
its separators, and never inside a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

HANG = 2
"""Columns by which the further lines of a cell or a sentence are indented, so that they are not
taken for a new one.
"""
SHORT = 10
"""Words up to this width are never broken."""
NARROW = 6
"""Below so many columns nothing is indented."""
_SEPARATORS = r"\s\-_/.,;:|"
_PIECES = re.compile(rf"[{_SEPARATORS}]*[^{_SEPARATORS}]+[{_SEPARATORS}]*|[{_SEPARATORS}]+")
_NUMBER = re.compile(r"\d[eE]?[-/,:.]$")
"""What ends inside a number where a digit follows."""
_WORDS = re.compile(r"\s*(?:[A-Za-z]+ (?=[+±−-]?\d[\d.,]*(?:[\s;:)]|$)))?(?:`[^`]*`)?\S*(?: %\S*)?\s*")
"""A word, a command in backticks, or a number with what it counts ("n 160", "80 %"), and the spaces
around it.
"""
_HAN_RANGES = "\u3000-\u9fff\uff00-\uffef\U00020000-\U0003ffff"
_OPEN, _CLOSE = "（《“‘「【〔", "，。；：、！？）》”’」】〕…—"
"""Marks that begin, or end, a line in Chinese only together with their neighbour."""
_HAN = re.compile(
    rf"[{_OPEN}]*(?:[{_HAN_RANGES}]|(?:(?![{_OPEN}])[^{_HAN_RANGES}])+)[{_CLOSE}]*\s*|[{_OPEN}]+"
)


def words(text: str, short: int = SHORT) -> Iterator[str]:
    """What is best kept on one line: words, commands in backticks, Chinese expressions and parts of
    Chinese names up to ``short`` columns, of longer ones single characters with their punctuation.
    """
    for word in _WORDS.findall(text):
        characters = _HAN.findall(word)
        if len(characters) < 2 or _length(word) <= short:
            yield from [word] if word else []
        else:
            for part in _parts(word):
                yield from [part] if short > SHORT and _length(part) <= short else _HAN.findall(part)


def least(text: str) -> int:
    """Columns into which the text folds without breaking what need not be broken."""
    whole = ([word] if _length(word) <= SHORT else pieces(word) for word in words(text))
    return max((cell_len(piece.strip()) for parts in whole for piece in parts), default=0)


def pieces(text: str) -> Iterator[str]:
    """The parts of a text between which it may be broken: after separators, but not inside a
    number, a date or 6.0e-06, and between Chinese characters.
    """
    for part in _parts(text):
        yield from _HAN.findall(part)


def _parts(text: str) -> Iterator[str]:
    begin = end = 0
    for part in _PIECES.findall(text):
        end += len(part)
        if not (_NUMBER.search(text, begin, end) and text[end : end + 1].isdigit()):
            yield text[begin:end]
            begin = end
    if text[begin:]:
        yield text[begin:]


def folded(text: str, width: int, hang: int = 0, short: int = SHORT) -> str:
    """The text in lines of at most ``width`` terminal columns, those after the first indented by
    ``hang``; every character is kept but the spaces at which lines are broken. Chinese up to
    ``short`` columns stays together.
    """
    if cell_len(text) <= width:
        return text
    indent = len(text) - len(text.lstrip(" "))
    hang += indent

    # A number that fits is worth more than the indent.
    if width - hang < NARROW or any(width - hang < _length(piece) <= width for piece in pieces(text)):
        hang = 0
        text = text if width - indent >= NARROW else text.lstrip(" ")
    lines = [""]
    for word in words(text, short):
        if _length(lines[-1] + word) <= width:
            lines[-1] += word
        elif _length(word) <= width - hang:
            lines.append(" " * hang + word)
        else:
            _fold_word(lines, word, width, hang)
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _fold_word(lines: list[str], word: str, width: int, hang: int) -> None:
    """Adds a word that is wider than a line, piece by piece; a piece without separators is broken
    wherever the line ends.
    """
    for piece in pieces(word):
        if lines[-1].strip() and _length(lines[-1] + piece) > width:
            lines.append(" " * hang)
        lines[-1] += piece
        while _length(lines[-1]) > width:
            head = _head(lines[-1], width)
            lines[-1:] = [head, " " * hang + lines[-1][len(head) :]]


def balanced(text: str, width: int) -> str:
    """The text in as few lines as `folded` needs, all about equally long."""
    count = folded(text, width).count("\n")
    for narrower in range(max(least(text), -(-cell_len(text) // (count + 1))), width):
        lines = folded(text, narrower)
        if lines.count("\n") == count and max(map(cell_len, lines.split("\n"))) <= narrower:
            return lines
    return folded(text, width)


def _length(text: str) -> int:
    return cell_len(text.rstrip())


def _head(text: str, width: int) -> str:
    """The longest beginning of at most ``width`` columns, at least one character beyond the
    indent.
    """
    end = len(text) - len(text.lstrip(" ")) + 1
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def clean(text: str) -> str:
    """Text without control characters: names and reasons are data, and a terminal obeys escape
    sequences. The joiners inside emoji and Persian words stay.
    """
    return "".join(char if char.isprintable() or char in "\u200c\u200d" else " " for char in text)
