"""Random numbers that task code draws from Python's and numpy's global generators.

They are the same at every run.
"""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def seeded(python: int, numpy: int) -> Iterator[None]:
    """These seeds inside; outside, everybody's random numbers continue undisturbed."""
    import numpy as np

    before, numpy_before = random.getstate(), np.random.get_state()
    random.seed(python)
    np.random.seed(numpy)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)


def draws(config: Mapping[str, Any]) -> bool:
    """Whether a task's config may draw random numbers when a document is rendered.

    It may where a template or a function's module holds the word "random".
    """
    return any(_says_random(value) for value in config.values())


def _says_random(value: Any) -> bool:
    if isinstance(value, str):
        return "random" in value or "shuffle" in value
    if isinstance(value, Mapping):
        return draws(value)
    if isinstance(value, (list, tuple)):
        return any(map(_says_random, value))
    if isinstance(value, functools.partial):
        return _says_random(value.func) or _says_random(value.args) or draws(value.keywords)
    return callable(value) and "random" in _source(value)


def _source(function: Any) -> str:
    """The text of the module that a function is of.

    "random" where it cannot be read, so that it counts as drawing.
    """
    try:
        return Path(inspect.getsourcefile(function) or "").read_text(encoding="utf-8", errors="replace")
    except (OSError, TypeError):
        return "random"
