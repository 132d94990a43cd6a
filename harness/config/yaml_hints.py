"""What a line of YAML that went wrong probably has: punctuation of a Chinese keyboard, curly quotes,
a missing space.

YAML takes a full-width colon for a letter, so its own complaint is about something else, often on a
later line. These hints are looked for only where a mistake was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

SIGNS = {
    "：": ("a full-width colon", "': ' (colon and space)"),
    "，": ("a full-width comma", "', '"),
    "、": ("a Chinese list comma", "', '"),
    "；": ("a full-width semicolon", "', '"),
    "【": ("a full-width bracket", "'['"),
    "】": ("a full-width bracket", "']'"),
    "［": ("a full-width bracket", "'['"),
    "］": ("a full-width bracket", "']'"),
    "｛": ("a full-width brace", "'{'"),
    "｝": ("a full-width brace", "'}'"),
    "－": ("a full-width hyphen", "'- '"),
    "—": ("a long dash", "'- '"),
    "–": ("a dash", "'- '"),
    "＝": ("a full-width equals sign", "'='"),
    "＃": ("a full-width number sign", "'#'"),
    "“": ("a curly quote", "'\"'"),
    "”": ("a curly quote", "'\"'"),
    "„": ("a curly quote", "'\"'"),
    "‘": ("a curly quote", '"\'"'),
    "’": ("a curly quote", '"\'"'),
    "＂": ("a full-width quote", "'\"'"),
    "＇": ("a full-width quote", '"\'"'),
    "\u3000": ("a full-width space", "plain spaces"),
    "\u00a0": ("a no-break space", "plain spaces"),
    "\u200b": ("an invisible space", "nothing in its place"),
    "\ufeff": ("an invisible mark", "nothing in its place"),
}
"""By character, what it is called and what YAML wants instead."""
BACK = 5
"""Lines above a syntax error in which its cause may stand."""
_SQUEEZED = re.compile(r"(?:^|[\s{,])-?\s*(?P<key>[A-Za-z_]\w*):(?P<value>[^\s:/\\][^\s,}\]]*)")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


def line_hint(file: Path, line: int, *, syntax: bool, keys: Sequence[str]) -> str:
    """What to change on a line, in a few words; empty where nothing strange stands there.

    ``syntax``: YAML itself did not understand the text, whose cause may stand some lines above.
    ``keys``: names that a config may use, behind which a colon needs its space.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        return ""

    # The line itself first, then upwards: the nearest strange thing is the likeliest cause.
    last = max(0, line - 1 - BACK) if syntax else line - 1
    for position in range(min(line, len(lines)) - 1, last - 1, -1):
        for column, text in text_hints(lines[position], keys):
            where = f"column {column}" if position == line - 1 else f"line {position + 1}, column {column}"
            return f"{where}: {text}"
    return ""


def text_hints(text: str, keys: Sequence[str]) -> Iterator[tuple[int, str]]:
    """(column, what stands there and what to write) for each strange thing outside quotes and
    comments.
    """
    plain = _COMMENT.sub(_blank, _QUOTED.sub(_blank, text))
    flow = any(bracket in plain for bracket in "[{【［｛")
    for index, char in enumerate(plain):
        # Between Chinese words such a sign is text, unless a list or mapping is open on this line.
        if char in SIGNS and (flow or not _is_han(plain[index - 1 : index])):
            name, wanted = SIGNS[char]
            yield index + 1, f"{name} {char!r}; YAML needs {wanted}"
    for match in _SQUEEZED.finditer(plain):
        if match["key"] in keys:
            column = match.start("value") + 1
            yield column, f"a space is missing behind the colon: write '{match['key']}: {match['value']}'"


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"
