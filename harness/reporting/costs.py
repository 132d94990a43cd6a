"""What each model of a comparison costs, as axes to draw its score against: its size, FLOPs,
dollars and joules an item, its speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from harness.analysis.comparison import Comparison
from harness.analysis.scopes import Scope
from harness.reporting.speed_file import read_speed_rows, speed_file
from harness.reporting.table import speed
from harness.results.schema import Row

Kind = Literal["size", "flops", "usd", "joules", "speed", "bench"]
SCALES = (
    (1e15, "P"),
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
)


@dataclass(frozen=True)
class CostAxis:
    """A quantity by the model's position, with 95 % intervals where it was measured more than once."""

    kind: Kind
    values: dict[int, float]
    intervals: dict[int, tuple[float, float]] = field(default_factory=dict)
    shape: str = ""
    """Of `harness bench`: ``64>32 x4``."""

    def text(self, value: float) -> str:
        """A value in short; a billion parameters are B, 10⁹ of anything else G."""
        shown = scaled(value)
        return shown.replace("G", "B") if self.kind == "size" else shown

    @property
    def more_is_better(self) -> bool:
        """Whether a model wants much of it."""
        return self.kind in ("speed", "bench")


def cost_axes(comparison: Comparison, scope: Scope) -> list[CostAxis]:
    """What is known to draw a scope's scores against; an axis may know fewer than all models.

    Parameters and FLOPs an item always; then dollars and joules an item of the scope's tasks,
    tokens a second of the evaluation, and output tokens a second of one shape of `harness bench`
    with its interval, each only where at least two models have it.
    """
    sizes = {
        position: float(one.model.parameters)
        for position, one in enumerate(comparison.models)
        if one.model.parameters
    }
    always = [
        CostAxis("size", sizes),
        CostAxis("flops", _flops(comparison)),
        CostAxis("speed", _speeds(comparison)),
    ]

    # A run knows neither joules nor prices everywhere: an axis of one point would say nothing.
    more = [CostAxis("usd", _natural(comparison, scope, "money", "usd_per_item"))]
    more += [CostAxis("joules", _natural(comparison, scope, "energy", "joules_per_item")), _bench(comparison)]
    return always + [axis for axis in more if len(axis.values) > 1]


def _natural(comparison: Comparison, scope: Scope, part: str, name: str) -> dict[int, float]:
    """A figure of the runs' cost records by position: of the scope's task, or of its language where it
    is an average.
    """
    figures = {}
    for position, one in enumerate(comparison.models):
        for run in dict.fromkeys(cell.run.results.name for cell in one.cells.values()):
            results = next(cell.run.results for cell in one.cells.values() if cell.run.results.name == run)
            for row in results.costs:
                mine = row.task == scope.name or (
                    scope.kind == "average" and row.scope == "language" and row.language == scope.language
                )
                value = getattr(getattr(row, part), name)

                if row.model == one.model.model and mine and value:
                    figures[position] = float(value)
    return figures


def _bench(comparison: Comparison) -> CostAxis:
    """Output tokens a second by position, of the shape of one speed.json that most of the models were
    measured in.
    """
    best = CostAxis("bench", {})
    folders = {cell.run.folder.path for one in comparison.models for cell in one.cells.values()}
    for file in filter(None, map(speed_file, sorted(folders))):
        # Rates of different shapes cannot be held against each other: one shape is drawn.
        shapes: dict[str, CostAxis] = {}
        for row in read_speed_rows(file):
            rate, axis = (
                row.rate.output_tps,
                shapes.setdefault(row.shape, CostAxis("bench", {}, {}, row.shape)),
            )
            for position, one in enumerate(comparison.models):
                if rate is not None and row.identity.id == one.model.id and row.workload.mode == "closed":
                    axis.values[position] = rate.median
                    if rate.ci95 is not None:
                        axis.intervals[position] = rate.ci95
        best = max([best, *shapes.values()], key=lambda axis: len(axis.values))
    return best


def _flops(comparison: Comparison) -> dict[int, float]:
    """FLOPs an item by position: 2 × the matrices a token passes through × logical tokens, and the
    head for each token that is predicted.

    Over the tasks that every model was asked; attention's share, small at these lengths, is left
    out (Kaplan et al. 2020, section 2.1). Only models whose config.json is at hand or whose preset
    knows it.
    """
    from harness.config.memory import known_architecture
    from harness.config.schema import ModelSpec
    from harness.errors import ModelError

    places = [place for place, one in enumerate(comparison.models) if one.cells]
    everyone = [contest for contest in comparison.contests if set(contest.cells) == set(places)]
    flops = {}
    for position in places if everyone else ():
        try:
            arch = known_architecture(ModelSpec(id=comparison.models[position].model.id))
        except (
            ModelError,
            ValueError,
        ):  # a broken config, an id of no use here: left out, as any model without a config
            continue
        rows = [contest.row(position) for contest in everyone]
        tokens, outputs, items = (
            _sum(rows, "prompt", "output"),
            _sum(rows, "output"),
            sum(row.n for row in rows),
        )
        if arch is not None and tokens and items:
            flops[position] = (
                2 * (arch.layer_matrices * tokens + arch.head_matrix * max(outputs, items)) / items
            )
    return flops


def _sum(rows: Iterable[Row], *kinds: str) -> int:
    return sum(int(getattr(row.tokens, kind)) for row in rows for kind in kinds)


def _speeds(comparison: Comparison) -> dict[int, float]:
    """Logical tokens a second by position; nothing where runs were made on different hardware, or do
    not say on which.
    """
    machines = {
        str(cell.run.manifest.get("hardware")) for one in comparison.models for cell in one.cells.values()
    }
    if len(machines) != 1 or machines == {"None"}:
        return {}
    rates = {
        position: speed([cell.rows[0] for cell in one.cells.values()])[1]
        for position, one in enumerate(comparison.models)
    }
    return {position: rate for position, rate in rates.items() if rate}


def scaled(value: float, digits: int = 4) -> str:
    """7.6G, 772k: so many significant digits and the power of a thousand."""
    for size, mark in SCALES:
        if value >= size:
            return f"{value / size:.{digits}g}{mark}"
    return f"{value:.{digits}g}"
