"""How short answers are compared: what of a text does not count, and the mark of one answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from harness.errors import ConfigError
from harness.names import INVISIBLE

DEFAULT = ("case",)
ORDER = ("traditional", "width", "case", "punctuation", "space")
"""Every step, in the order in which they are taken."""
_QUOTES = dict.fromkeys(map(ord, "“”‘’「」『』《》〈〉"))
_ENDS = " \t\r\n\u3000。，、；：？！…．.,;:?!\"'`*_~·—–-()（）[]【】{}"
_COMMAS = re.compile(r"(?<!\d)\s*[，、,；;]\s*|\s*[，、,；;]\s*(?!\d)")


def steps_of(names: Sequence[str] | None) -> tuple[str, ...]:
    """The steps that a config names, in order. Raises ConfigError where a package is missing."""
    chosen = DEFAULT if names is None else tuple(step for step in ORDER if step in names)
    if "traditional" in chosen and find_spec("opencc") is None:
        raise ConfigError(
            "normalize: traditional needs the package opencc: pip install 'open-weight-harness[chinese]'"
        )
    return chosen


def filter_name(steps: Sequence[str]) -> str:
    """What stands beside the score: nothing where answers are compared as usual."""
    return "none" if tuple(steps) == DEFAULT else "+".join(steps) or "exact"


@lru_cache(maxsize=1)
def _simplifier() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


def normal(text: str, steps: Sequence[str]) -> str:
    """The text without what does not count; white space around it and invisible characters"
    " never do."""
    plain = text.translate(INVISIBLE).strip()
    for step in steps:
        if step == "traditional":
            plain = _simplifier().convert(plain)
        elif step == "width":
            plain = unicodedata.normalize("NFKC", plain).strip()
        elif step == "case":
            plain = plain.casefold()
        elif step == "punctuation":
            plain = _unpunctuated(plain)
        elif step == "space":
            plain = "".join(plain.split())
    return plain


def _unpunctuated(text: str) -> str:
    """Without quotation marks and what stands at the ends; inside, one kind of comma.

    Signs that belong to a number stay: -5, .5, 3.5, 1,200, 5!.
    """
    plain = text.translate(_QUOTES)
    left, right = 0, len(plain)
    while right > left and plain[right - 1] in _ENDS and not re.search(r"\d!+$", plain[left:right]):
        right -= 1
    while left < right and plain[left] in _ENDS and not re.match(r"[-.–]\.?\d", plain[left:right]):
        left += 1
    return _COMMAS.sub(",", plain[left:right]) or text


def mark(doc: Mapping[str, Any], results: Sequence[Any], steps: tuple[str, ...]) -> dict[str, float]:
    """lm-eval's ``process_results``: 1 where the answer is one of the document's right answers."""
    answer = normal(str(results[0]), steps)
    golds = doc.get("answers") or [doc["answer"]]
    return {"exact_match": float(any(answer == normal(gold, steps) for gold in golds))}
