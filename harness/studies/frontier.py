"""Who is on the frontier of one snapshot: no other model is rated as high for as little.

A cost is what an architecture shows.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.published.architectures import preset_of
from harness.studies import gap
from harness.studies.board import BoardEntry, BoardSnapshot, Side
from harness.studies.costs import dominated

Cost = Callable[[BoardEntry], float | None]


@dataclass(frozen=True)
class Frontier:
    """A side's models with their cost.

    ``rows``: those with a cost, best first; ``without``: those whose cost is not known, which may
    belong on the frontier.
    """

    date: datetime.date
    rows: tuple[tuple[BoardEntry, float], ...]
    without: tuple[BoardEntry, ...]

    @cached_property
    def beaten(self) -> dict[str, str]:
        """Model to one that is rated no lower and costs no more."""
        return dominated(list(self.rows))

    @property
    def best(self) -> list[tuple[BoardEntry, float]]:
        """The frontier, cheapest first."""
        return sorted((row for row in self.rows if row[0].name not in self.beaten), key=lambda row: row[1])

    @property
    def countries(self) -> Counter[str]:
        """How many of the frontier's models each country's makers made; ``?`` if unknown."""
        return Counter(entry.facts.country or "?" for entry, _ in self.best)

    def share(self, country: str) -> float:
        """Of the frontier's models, those of a country. Raises ZeroDivisionError for no models."""
        return self.countries[country] / len(self.best)

    def share_range(self, country: str) -> tuple[float, float]:
        """The 95 % interval of `share` where every rating is drawn anew (`gap.drawn`).

        A cost has no error.
        """
        # Models of one cost compete with each other, too, so they are looked at in groups of equal
        # cost.
        rows = sorted(self.rows, key=lambda row: row[1])
        mine = np.array([entry.facts.country == country for entry, _ in rows])
        starts = np.flatnonzero(np.diff([cost for _, cost in rows], prepend=-1.0))
        groups = np.split(gap.drawn([entry for entry, _ in rows]), starts[1:], axis=1)

        # In each draw a group's best is on the frontier where it is above all that is cheaper.
        bar = np.full(gap.DRAWS, -np.inf)
        count, hits = np.zeros(gap.DRAWS), np.zeros(gap.DRAWS)
        for start, group in zip(starts, groups, strict=True):
            best = group.max(axis=1)
            on = best > bar
            count += on
            hits += on & mine[start + group.argmax(axis=1)]
            bar = np.maximum(bar, best)

        low, high = np.quantile(hits / count, [0.025, 0.975], method="nearest")
        return float(low), float(high)


def frontier(snapshot: BoardSnapshot, side: Side, cost: Cost) -> Frontier:
    """The frontier of a side's models in one snapshot."""
    costs = [(entry, cost(entry)) for entry in snapshot.entries if side.holds(entry)]
    rows = tuple((entry, value) for entry, value in costs if value is not None)
    return Frontier(snapshot.date, rows, tuple(entry for entry, value in costs if value is None))


def active(entry: BoardEntry) -> float | None:
    """Billions of parameters that one token passes through, embeddings counted.

    None where no preset has the architecture.
    """
    preset = preset_of(entry.facts)
    return preset.arch.active_parameters / 1e9 if preset is not None and preset.arch is not None else None


def item_flops(prompt: int, output: int) -> Cost:
    """TFLOPs to read ``prompt`` tokens and write ``output`` by `meter.work.generation`.

    Raises ConfigError for less than a token.
    """
    from harness.meter.work import generation

    def cost(entry: BoardEntry) -> float | None:
        preset = preset_of(entry.facts)
        return (
            generation(preset.arch, prompt, output).flops / 1e12
            if preset is not None and preset.arch is not None
            else None
        )

    return cost


def quarterly(series: Sequence[BoardSnapshot]) -> list[BoardSnapshot]:
    """The last snapshot of each quarter."""
    return list({(one.date.year, (one.date.month - 1) // 3): one for one in series}.values())
