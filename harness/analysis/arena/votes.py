"""Votes as they are counted.

For each pair of models how often either was preferred and how often neither; with style, battle by
battle.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import DataError
from harness.names import tidy

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

STYLE = ("length", "headers", "bold", "lists")
"""What style control holds constant, as LMArena does.

Tokens of the answer, headings, bold spans, list entries.
"""


@dataclass(frozen=True)
class Votes:
    """Counted votes of R rows.

    ``first`` and ``second`` are indices into ``models``; ``outcome`` 1, 0 or 0.5 is the first
    one's; ``weight`` counts battles. Without style a row is a pair with an outcome; with it a row
    is a battle, and ``style`` (R, 4) holds (x_a − x_b)/(x_a + x_b + 1) of each feature of `STYLE`,
    so that exchanging the two sides only changes its sign. ``notes`` say what reading changed or
    left out.
    """

    models: tuple[str, ...]
    first: Codes
    second: Codes
    outcome: Array
    weight: Array
    style: Array
    notes: tuple[str, ...] = ()

    @property
    def battles(self) -> float:
        """How many votes there are."""
        return float(self.weight.sum())

    def counts(self) -> Array:
        """Battles of each model, in the order of ``models``."""
        size = len(self.models)
        return np.asarray(
            np.bincount(self.first, self.weight, size) + np.bincount(self.second, self.weight, size),
            dtype=np.float64,
        )

    def wins(self) -> Array:
        """(K, K): how often the row's model was preferred to the column's.

        A tie is half a win of each.
        """
        size = len(self.models)
        won = np.bincount(self.first * size + self.second, self.weight * self.outcome, size * size)
        lost = np.bincount(self.second * size + self.first, self.weight * (1 - self.outcome), size * size)
        return np.asarray(won + lost, dtype=np.float64).reshape(size, size)

    def keep(self, dropped: Collection[str]) -> Votes:
        """Without some models and their battles.

        Raises DataError for a name that is not there, or where fewer than two models are left.
        """
        dropped = {tidy(name) for name in dropped}
        unknown = sorted(dropped - set(self.models))
        if unknown:
            raise DataError(
                f"no votes on {', '.join(map(repr, unknown))}: nothing to leave out; models are"
                f" named as in the file"
            )

        names = tuple(name for name in self.models if name not in dropped)
        if len(names) < 2:
            raise DataError(
                f"{len(names)} model left of {len(self.models)}: ratings need two; leave fewer out"
            )

        # Dropped models get the code −1; battles with one of them are left out.
        numbers = {name: index for index, name in enumerate(names)}
        codes = np.array([numbers.get(name, -1) for name in self.models])
        first, second = codes[self.first], codes[self.second]
        rows = (first >= 0) & (second >= 0)

        return Votes(
            names,
            first[rows],
            second[rows],
            self.outcome[rows],
            self.weight[rows],
            self.style[rows],
            self.notes,
        )

    def sparse(self, least: int) -> list[str]:
        """Models with fewer than ``least`` battles."""
        return [name for name, count in zip(self.models, self.counts(), strict=True) if count < least]
