"""Names and cells that people bring: when two names are one, which file a name gets, and which
texts stand for a missing value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"))
"""Zero-width characters, the byte-order mark, soft hyphen and direction marks: nobody sees them, a
comparison of texts does.
"""
DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-")
"""Hyphens, the dash of figures, the short dash and the minus sign, which word processors put for a
plain one.
"""
_TWINS = str.maketrans("асеорхукмтвнѕіј", "aceopxykmtbhsij") | str.maketrans("οανικρτυχ", "oavikptux")
"""Cyrillic and Greek letters that look like Latin ones."""
PANDAS = (
    "nan",
    "NaN",
    "-nan",
    "-NaN",
    "NAN",
    "None",
    "null",
    "NULL",
    "Null",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "<NA>",
    "NaT",
)
SPREADSHEETS = (
    "#VALUE!",
    "#REF!",
    "#DIV/0!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "1.#IND",
    "-1.#IND",
    "1.#QNAN",
    "-1.#QNAN",
)
MISSING = frozenset((*PANDAS, *SPREADSHEETS))
"""What table programs write where there is no value: pandas' list (``pandas.read_csv``,
``na_values``), and the errors of spreadsheets.
"""


def tidy(name: str) -> str:
    """A name as it is compared and shown: NFKC (so that full width is half width), no invisible
    characters, plain hyphens, single spaces inside, none around. Case is kept.
    """
    return " ".join(unicodedata.normalize("NFKC", name).translate(INVISIBLE).translate(DASHES).split())


def blank(text: str) -> bool:
    """Whether a text shows nothing: empty, spaces of any width, invisible characters."""
    return not text.translate(INVISIBLE).strip()


def missing(text: str) -> bool:
    """Whether a text is blank or one that stands for a missing value."""
    return blank(text) or text.translate(INVISIBLE).strip() in MISSING


def retold(names: Iterable[str]) -> list[str]:
    """What was changed, one line per changed name: ``'qwen ' is read as 'qwen'``."""
    return [f"{name!r} is read as {tidy(name)!r}" for name in dict.fromkeys(names) if name != tidy(name)]


def alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Names that differ by case, separators (gpt-4, gpt_4) or letters of another script that look
    the same, group by group.
    """
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(re.sub(r"[\s_-]+", "-", name.casefold().translate(_TWINS)), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def file_name(name: str) -> str:
    """A file name for a model or task: anything but letters, digits, dot, dash and underscore
    becomes an underscore.
    """
    safe = "".join(char if char.isalnum() or char in "._-" else "_" for char in name)
    return safe.lstrip(".") or "_"


def clash_key(name: str) -> str:
    """Equal for names that would share a file on some file system: what `tidy` evens out, signs
    that file names do not keep, capitals.
    """
    return file_name(tidy(name)).casefold()


def clash(name: str, other: str) -> str:
    """How two names with equal keys are refused, without a place."""
    if name == other:
        return f"are called {name!r}"
    difference = "which differ only in spaces, capitals or signs that a file name does not keep"
    return f"are called {other!r} and {name!r}, {difference}"
