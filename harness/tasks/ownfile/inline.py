"""Options that stand in one text: ``A. 北京 B. 上海 C. 广州``, in a cell of their own or behind the
question.
"""

from __future__ import annotations

import re

from harness.tasks.letters import LETTERS

_MARK = re.compile(
    r"(?:(?<=^)|(?<=[\s;；,，。、|?？.:：）)]))[(（\[【]?([A-ZＡ-Ｚ])(?:\s*[)）\]】]|\s?[.．、:：])\s*"
)
_BETWEEN = " \t\r\n\u3000;；,，|"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"
_WIDE = {ord("Ａ") + offset: letter for offset, letter in enumerate(LETTERS)}


def split(text: str) -> tuple[str, list[str]] | None:
    """(what stands before, the options' texts) of a text with options A, B, C … in this order.

    None where there are fewer than two, a letter is left out or stands twice, or an option is
    empty: which words are the options' is then not sure.
    """
    marks = list(_MARK.finditer(text))
    letters = "".join(match[1] for match in marks).translate(_WIDE)
    return _cut(text, marks) if letters == LETTERS[: len(letters)] else None


def split_circled(text: str) -> list[str] | None:
    """The options of a cell that lists nothing but ``①甲 ②乙 ③丙``, in this order; else None."""
    marks = list(re.finditer(rf"[{_CIRCLED}]\s*", text))
    signs = "".join(match[0].strip() for match in marks)
    parts = _cut(text, marks) if signs == _CIRCLED[: len(signs)] else None
    return parts[1] if parts is not None and not parts[0] else None


def _cut(text: str, marks: list[re.Match[str]]) -> tuple[str, list[str]] | None:
    if len(marks) < 2:
        return None
    ends = [match.start() for match in marks[1:]] + [len(text)]
    options = [text[match.end() : end].strip(_BETWEEN) for match, end in zip(marks, ends, strict=True)]
    return (text[: marks[0].start()].rstrip(), options) if all(options) else None
