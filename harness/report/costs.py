"""What each model of a comparison costs, as axes to draw its score against: parameters, FLOPs an item, tokens a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.analysis.comparison import Comparison
from harness.report.table import speed
from harness.results.schema import Row

Kind = Literal["size", "flops", "speed"]
SCALES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class CostAxis:
    """A quantity by the model's place, with 95 % intervals where it was measured more than once."""

    kind: Kind
    values: Mapping[int, float]
    intervals: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    def text(self, value: float) -> str:
        """A value in short; a billion parameters are B, 10⁹ of anything else G."""
        shown = scaled(value)
        return shown.replace("G", "B") if self.kind == "size" else shown

    @property
    def more_is_better(self) -> bool:
        """Whether a model wants much of it."""
        return self.kind == "speed"


def cost_axes(comparison: Comparison) -> list[CostAxis]:
    """Parameters, FLOPs an item, tokens a second; an axis may know fewer than all models."""
    sizes = {place: float(one.model.parameters) for place, one in enumerate(comparison.models) if one.model.parameters}
    return [CostAxis("size", sizes), CostAxis("flops", _flops(comparison)), CostAxis("speed", _speeds(comparison))]


def _flops(comparison: Comparison) -> dict[int, float]:
    """FLOPs an item by place: 2 × the matrices a token passes through × logical tokens, and the head for each token that is predicted.

    Over the tasks that every model was asked; attention's share, small at these lengths, is left out (Kaplan et al. 2020, section 2.1).
    Only models whose config.json is at hand or whose preset knows it.
    """
    from harness.config.memory import known_architecture
    from harness.config.schema import ModelSpec
    from harness.errors import ModelError

    places = range(len(comparison.models))
    everyone = [contest for contest in comparison.contests if set(contest.cells) == set(places)]
    found = {}
    for place in places if everyone else ():
        try:
            arch = known_architecture(ModelSpec(id=comparison.models[place].model.id))
        except (ModelError, ValueError):  # a broken config, an id of no use here: left out, as any model without a config
            continue
        rows = [contest.row(place) for contest in everyone]
        tokens, outputs, items = _sum(rows, "prompt", "output"), _sum(rows, "output"), sum(row.n for row in rows)
        if arch is not None and tokens and items:
            found[place] = 2 * (arch.layer_matrices * tokens + arch.head_matrix * max(outputs, items)) / items
    return found


def _sum(rows: Iterable[Row], *kinds: str) -> int:
    return sum(int(getattr(row.tokens, kind)) for row in rows for kind in kinds)


def _speeds(comparison: Comparison) -> dict[int, float]:
    """Logical tokens a second by place; nothing where runs were made on different hardware, or do not say on which."""
    machines = {str(cell.run.manifest.get("hardware")) for one in comparison.models for cell in one.cells.values()}
    if len(machines) != 1 or machines == {"None"}:
        return {}
    rates = {place: speed([cell.rows[0] for cell in one.cells.values()])[1] for place, one in enumerate(comparison.models)}
    return {place: rate for place, rate in rates.items() if rate}


def scaled(value: float, digits: int = 4) -> str:
    """7.6G, 772k: so many significant digits and the power of a thousand."""
    for size, mark in SCALES:
        if value >= size:
            return f"{value / size:.{digits}g}{mark}"
    return f"{value:.{digits}g}"
