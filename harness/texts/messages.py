"""English sentences that were written down, said in another language.

A record keeps the English sentence alone, so that old and new ones read alike and nothing of a
language is in a file. Its template in the catalogue (topic ``messages``, where English texts are
their own keys) is found by matching, and what fills the template's blanks is said in the same way.
"""

from __future__ import annotations

import re
from functools import cache

from harness.texts.store import catalogue

_BLANK = re.compile(r"\{(\w+)\}")
WORDS = frozenset(
    ("model", "task", "label", "shape", "group", "metric", "engine", "dtype", "device", "status")
)
"""Blanks that hold one word, so that a short template is not found in any sentence with a colon."""
NUMBERS = frozenset(("n", "all", "asked", "missing", "accepted", "done", "total", "cores", "low", "high"))
"""Blanks that hold a number."""
DEEPEST = 4
"""Sentences inside each other: a file that cannot be read for a reason."""


def reworded(text: str, language: str, depth: int = 0) -> str:
    """The sentence in ``language``; as it is where the catalogue has no such template."""
    if language == "en" or depth == DEEPEST or not text.strip():
        return text
    exact = catalogue("messages").get(text)
    if exact is not None:
        return exact[language]

    for template, pattern in _patterns():
        if match := pattern.fullmatch(text):
            values = {name: reworded(value, language, depth + 1) for name, value in match.groupdict().items()}
            return catalogue("messages")[template][language].format(**values)
    return text


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Templates with blanks as expressions, those with the most words of their own first: of two
    that match, the one that says more is meant.
    """
    templates = [key for key in catalogue("messages") if _BLANK.search(key)]
    templates.sort(key=lambda key: -len(_BLANK.sub("", key)))
    return [(key, re.compile(_expression(key), re.DOTALL)) for key in templates]


def _expression(template: str) -> str:
    """The template as an expression; a blank that stands twice is the same text twice."""
    pieces, end, names = [], 0, set[str]()
    for blank in _BLANK.finditer(template):
        pieces.append(re.escape(template[end : blank.start()]))
        inside = r"\S+" if blank[1] in WORDS else r"[\d,.]+" if blank[1] in NUMBERS else ".+?"
        inside = r"(?:cpu|cuda|mps)\S*" if blank[1] == "device" else inside
        pieces.append(f"(?P={blank[1]})" if blank[1] in names else f"(?P<{blank[1]}>{inside})")
        names.add(blank[1])
        end = blank.end()
    return "".join([*pieces, re.escape(template[end:])])
