"""A list of options that a cell holds as text."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from harness.errors import ConfigError
from harness.tasks.letters import LETTERS
from harness.tasks.ownfile import inline
from harness.textfiles import Number


def list_of(value: str, location: str) -> Any:
    """A list written as text: JSON, Python, or texts split by bars or line breaks."""
    if value.lstrip().startswith(("[", "{")):
        try:
            return json.loads(value, parse_int=Number, parse_float=Number, parse_constant=Number)
        except json.JSONDecodeError:
            pass

        return _literal(value, location)

    # "A. 北京 B. 上海", on one line or several: the letters say where an option ends.
    lettered = inline.split(value)
    if lettered is not None and not lettered[0].strip():
        return lettered[1]
    if (circled := inline.split_circled(value)) is not None:
        return circled

    # Nothing but the letters: what they say may stand in the question.
    letters = re.split(r"\s*[,，、;；/ ]\s*", value.strip())
    if len(letters) > 1 and letters == list(LETTERS[: len(letters)]):
        return letters

    parts = value.split("|") if "|" in value else value.strip().splitlines()
    if len(parts) < 2:
        raise ConfigError(
            f"{location} must list 2 to 26 options (a JSON list, texts split by |, or A. … B. …),"
            f" got {value[:60]!r}"
        )
    return [part.strip() for part in parts]


def _literal(value: str, location: str) -> Any:
    """A list or object as Python writes it, which is what pandas puts into a CSV file."""
    try:
        literal = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ConfigError(
            f"{location} begins like a list and is none that can be read; write a JSON list"
        ) from error

    # Two texts side by side are one to Python, and a set has no order.
    if re.search(r"""['"]\s+['"]""", value) or isinstance(literal, set):
        raise ConfigError(
            f"{location} is a list as numpy prints it, without commas, or a set; write a JSON list (in"
            f" pandas: .tolist() and json.dumps)"
        )
    if isinstance(literal, dict):
        return literal
    return [
        Number(one) if isinstance(one, int | float) and not isinstance(one, bool) else one for one in literal
    ]
