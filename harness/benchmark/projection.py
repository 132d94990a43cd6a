"""What another chip would give for a measured shape: ranges, never figures
(`harness.meter.roofline.project`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.benchmark.limits import Ceilings, PhaseWork, times
from harness.benchmark.shapes import Shape
from harness.errors import HarnessError
from harness.meter.hardware import Chip, chips, find_chip
from harness.meter.roofline import Ceiling, datasheet, project
from harness.results.speed import Projected


def chosen_chips(names: Sequence[str]) -> list[Chip]:
    """The chips of these names; ``all`` is the whole catalogue.

    Raises ConfigError for an unknown one.
    """
    if any(name.lower() == "all" for name in names):
        return list(chips().values())
    return list({chip.name: chip for chip in map(find_chip, names)}.values())


def projections(
    parts: Mapping[str, PhaseWork],
    shape: Shape,
    ceilings: Ceilings,
    wanted: Sequence[str],
    reasons: dict[str, str],
) -> list[Projected]:
    """The shape on each wanted chip but its own.

    Both ends compare datasheets; without one for this device there is nothing to compare.
    """
    if not wanted:
        return []
    if ceilings.sheet is None or ceilings.chip is None or ceilings.dtype is None:
        reasons["projected"] = f"a projection compares two datasheets: {ceilings.absent}"
        return []

    # A chip that cannot be projected to has its reason; the others still have their ranges.
    ranges: list[Projected] = []
    for chip in chosen_chips(wanted):
        if chip.name == ceilings.chip.name:
            continue
        try:
            sheet = datasheet(chip, ceilings.dtype)
            ranges.append(projected(parts, shape, ceilings.sheet, times(sheet, ceilings.gpus)))
        except HarnessError as error:
            reasons[f"projected.{chip.name}"] = str(error)
    return ranges


def projected(parts: Mapping[str, PhaseWork], shape: Shape, here: Ceiling, there: Ceiling) -> Projected:
    """One shape carried from one datasheet to another, phase by phase.

    Seconds outside the phases (the host's) are carried over unchanged. Raises HarnessError where a
    phase was faster than its datasheet allows.
    """
    ranges = {
        name: project(part.work, part.seconds, here, there) for name, part in parts.items() if name != "whole"
    }

    # Phases of different requests overlap, so their sum may be longer than the whole.
    phases = sum(part.seconds for name, part in parts.items() if name != "whole")
    rest = max(0.0, parts["whole"].seconds - phases)
    low = sum(one.low for one in ranges.values()) + rest
    high = sum(one.high for one in ranges.values()) + rest

    tokens = {"prefill": shape.batch * shape.input, "decode": shape.batch * (shape.output - 1)}
    rates = {f"{name}_tps": (tokens[name] / one.high, tokens[name] / one.low) for name, one in ranges.items()}
    written = shape.batch * shape.output
    return Projected(
        chip=there.name,
        basis=f"datasheets: {here.name} to {there.name}",
        output_tps=(written / high, written / low),
        bound={name: one.bound for name, one in ranges.items()},
        same_bound=all(one.same_bound for one in ranges.values()),
        **rates,
    )
