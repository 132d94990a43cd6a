"""Predicates over what a chip's datasheet allows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Basis, Outcome, StatementFinding, listed, say
from harness.studies.predicates.keys import PredicateKeys


class Chips(PredicateKeys):
    """Every chip of ``chips`` needs longer than ``reference``, by datasheet.

    For ``what`` its arithmetic, reading or writing allows.
    """

    chips: tuple[str, ...] = Field(min_length=1)
    reference: str = "H100"
    what: Literal["arithmetic", "reading", "writing"]
    model: str = "qwen2.5-7b-instruct"
    prompt: int = Field(2048, ge=1)
    context: int = Field(2048, ge=1)
    batch: int = Field(8, ge=1)
    upto: dict[str, float] = Field(
        default_factory=dict,
        description="TFLOP/s (bf16) of the best variant, where figures of a chip differ.",
    )


def ratio(what: Chips, chip: str) -> float:
    """How much longer a chip needs than the reference at least, by datasheet.

    Raises ConfigError for an unknown chip or figure.
    """
    from harness.config.presets import find_preset
    from harness.meter import work
    from harness.meter.hardware import find_chip
    from harness.meter.roofline import datasheet

    mine, reference = datasheet(find_chip(chip), "bf16"), datasheet(find_chip(what.reference), "bf16")

    # By the roofline: the slower of arithmetic and memory bounds a step from below.
    if what.what == "arithmetic":
        return reference.flops / mine.flops
    arch = find_preset(what.model).arch
    assert arch is not None

    job = (
        work.prefill(arch, what.prompt)
        if what.what == "reading"
        else work.decode_step(arch, [what.context] * what.batch)
    )
    return mine.t_min(job) / reference.t_min(job)


def chips(what: Chips, data: Data) -> StatementFinding:
    """Holds where every chip needs longer, fails where none does.

    A bound from datasheets, never a measured speed.
    """
    ratios = {name: ratio(what, name) for name in what.chips}

    # A thousandth is no difference: datasheets are rounded.
    slower = [name for name, value in ratios.items() if value > 1.001]
    outcome: Outcome = "holds" if len(slower) == len(ratios) else "fails" if not slower else "unclear"
    rest = listed(name for name in ratios if name not in slower)

    values: dict[str, Any] = {
        "listed": listed(f"{_range(what, name, value)}×" for name, value in ratios.items()),
        "reference": what.reference,
        "prompt": what.prompt,
        "context": what.context,
        "batch": what.batch,
    }
    measured: Text = say(f"chips_{what.what}", model=what.model, **values)
    why = say("chips_unclear", names=rest) if outcome == "unclear" else None
    least = min(_least(what, name, value) for name, value in ratios.items())

    # Arithmetic is printed on the datasheet; a time by the roofline is a projection, which decides
    # nothing.
    kind: Literal["published", "projected"] = "published" if what.what == "arithmetic" else "projected"
    return StatementFinding(
        outcome,
        kind,
        measured,
        why,
        figures=dict(ratios),
        basis=Basis(say("by_datasheet")),
        brief=say(
            "brief_longer", low=f"{least:.1f}", high=f"{max(ratios.values()):.1f}", reference=what.reference
        ),
    )


def _range(what: Chips, chip: str, value: float) -> str:
    """A chip's ratio, down to that of its best variant where the sources differ."""
    least = _least(what, chip, value)
    return f"{chip} {value:.2f}" if least == value else f"{chip} {least:.2f}–{value:.2f}"


def _least(what: Chips, chip: str, value: float) -> float:
    """The ratio of a chip's best variant."""
    from harness.meter.hardware import find_chip
    from harness.meter.roofline import datasheet

    if what.what != "arithmetic" or chip not in what.upto:
        return value
    return datasheet(find_chip(what.reference), "bf16").flops / (what.upto[chip] * 1e12)
