"""Whether the log-probabilities that an endpoint tells are a model's: asked of texts that no model
is sure of, by rules that hold for any model, trained or not.

Rows of the probe begin alike, fork at one token, and end alike. A causal language model's figures
are equal before the fork, differ at it (another token is predicted) and behind it (the same tokens
after another context). Zeros, constants, figures of another token (a list shifted by one) and noise
break one of these; a server's rounding and batching do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEAD = "Nine small boats left the old harbour"
FORKS = ("7", "river", "猫", "purple", "q", "of", "0", "Zürich")
TAIL = "74 lamp 9 x 31 cloud 2 quartz 8"
_LEAD, _TAIL, _ROWS = 6, 12, 4
SURE = -0.5
"""Mean log-probability above which the figures for a senseless text are nobody's: ten digits at
random are worth -2.3 each.
"""
_SAME = 1e-6
_NOISE = 0.25
"""Spread before the fork, as a part of the spread at it, that rounding and batching may make."""
_SHARE = 0.02
"""Spread at the fork, as a part of the spread right behind it, below which the figures belong one
place further to the left.
"""


@dataclass(frozen=True)
class Probe:
    """Rows of token ids, ``[rows][tokens]``, equal but for the token at place ``fork``."""

    rows: tuple[tuple[int, ...], ...]
    fork: int


def make_probe(prefix: int, encode: Callable[[str], Sequence[int]]) -> Probe:
    """The probe in a tokenizer's ids; at most 20 tokens a row."""
    lead, tail = list(encode(LEAD))[-_LEAD:], list(encode(TAIL))[:_TAIL]
    forks = list(dict.fromkeys(ids[-1] for text in FORKS if (ids := encode(text))))[:_ROWS]
    return Probe(tuple((prefix, *lead, fork, *tail) for fork in forks), 1 + len(lead))


def fault_of(values: Sequence[Sequence[float]], fork: int) -> str | None:
    """What shows that figures are no model's, in words; None where nothing does.

    ``values``: one row for each of the probe's, log-probabilities of all tokens but the first (so
    the fork's is at ``fork - 1``).
    """
    rows = np.asarray(values, dtype=np.float64)
    for row in rows:
        distinct, counts = np.unique(row, return_counts=True)
        if 2 * counts.max() > len(row):
            return f"the same figure ({distinct[counts.argmax()]:g}) for {counts.max()} of {len(row)} tokens"

    # Ten digits at random are worth -2.3 each: whoever is surer than this does not read the text.
    mean = float(rows[:, fork - 1 :].mean())
    if mean > SURE:
        return f"too sure of a senseless text (mean log-probability {mean:.2g})"

    # Between the rows, figures may differ at the fork and behind it, and must not before it.
    spread = np.ptp(rows, axis=0)
    before, at, behind = float(spread[: fork - 1].max(initial=0.0)), float(spread[fork - 1]), spread[fork:]
    if float(behind.max()) <= _SAME:
        return "the same figures after different contexts"
    if at <= _SAME or before > _NOISE * at or at < _SHARE * float(behind[0]):
        return "figures that belong to other tokens (shifted by one?), or that differ from one request to the next"
    return None
