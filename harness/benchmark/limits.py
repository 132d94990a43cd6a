"""How near to the limits a shape came: work by formula, over time and ceilings as measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.benchmark.figures import Sample
from harness.benchmark.shapes import Shape
from harness.config.architecture import Architecture
from harness.config.memory import BYTES
from harness.errors import ConfigError, HarnessError
from harness.meter.hardware import Chip, find_chip
from harness.meter.roofline import Ceiling, Dtype, datasheet, efficiency
from harness.meter.work import NumberFormat, Work, generation, prefill
from harness.results.speed import Phase, ShapeLimit, Share

SHEET: dict[str, Dtype] = {"bfloat16": "bf16", "float16": "fp16"}


@dataclass(frozen=True)
class Ceilings:
    """What a model's device can do: measured, and by the catalogue where it has the chip.

    ``absent`` says why there is no datasheet.
    """

    measured: Ceiling
    sheet: Ceiling | None
    chip: Chip | None
    dtype: Dtype | None
    gpus: int
    absent: str = ""


@dataclass(frozen=True)
class PhaseWork:
    """A phase of one wave: its work and the median of its seconds."""

    work: Work
    seconds: float


def ceilings_of(load: dict[str, Any]) -> Ceilings:
    """From what a worker said when it loaded. Several GPUs have several times one's ceilings."""
    gpus = max(1, int(load.get("gpus") or 0))
    best = load["ceiling"]
    measured = times(Ceiling(str(best["name"]), best["flops"], best["bandwidth"]), gpus)

    # The measured ceiling always stands; the datasheet's has three ways to be missing.
    device, dtype = str(load["info"]["device"]), SHEET.get(str(load["computed"]))
    try:
        chip = find_chip(device)
    except ConfigError:
        return Ceilings(measured, None, None, dtype, gpus, f"{device} is not in the hardware catalogue")
    if dtype is None:
        return Ceilings(measured, None, chip, None, gpus, f"the catalogue has no {load['computed']} figures")
    try:
        sheet = datasheet(chip, dtype)
    except ConfigError as error:
        return Ceilings(measured, None, chip, dtype, gpus, str(error))
    return Ceilings(measured, times(sheet, gpus), chip, dtype, gpus)


def times(ceiling: Ceiling, gpus: int) -> Ceiling:
    """The ceiling of several devices alike."""
    if gpus == 1:
        return ceiling
    return Ceiling(f"{gpus} x {ceiling.name}", gpus * ceiling.flops, gpus * ceiling.bandwidth)


def phases(samples: Sequence[Sample], shape: Shape, load: dict[str, Any]) -> dict[str, PhaseWork]:
    """Work and time of one wave: prefill, decode (where there is any) and whole.

    Raises HarnessError where there is no formula for it.
    """
    if shape.rate:
        raise HarnessError("open loop: which requests share a pass is not known, so neither are the bytes")
    if load.get("arch") is None:
        raise HarnessError("the architecture has no formula here")
    if load.get("quantisation"):
        raise HarnessError(
            f"quantised ({load['quantisation']}): the formulas' bytes are those of one number format"
        )

    # The engine computes in one number format, weights and cache alike.
    arch = Architecture(**load["arch"])
    size = BYTES[str(load["computed"])]
    form = NumberFormat(size, size, bool(load.get("latent")))
    first = prefill(arch, shape.input, batch=shape.batch, form=form)
    whole = generation(arch, shape.input, shape.output, shape.batch, form=form)
    parts = {"prefill": PhaseWork(first, _median(samples, "prefill_seconds"))}
    if shape.output > 1:
        rest = Work(whole.flops - first.flops, whole.bytes - first.bytes)
        parts["decode"] = PhaseWork(rest, _median(samples, "decode_seconds"))
    return parts | {"whole": PhaseWork(whole, _median(samples, "wall"))}


def limit_of(parts: dict[str, PhaseWork], ceilings: Ceilings, reasons: dict[str, str]) -> ShapeLimit:
    """Every phase against both ceilings."""
    if ceilings.sheet is None:
        reasons["limit.datasheet"] = ceilings.absent
    return ShapeLimit(**{name: _phase(part, ceilings) for name, part in parts.items()})


def _phase(part: PhaseWork, ceilings: Ceilings) -> Phase:
    return Phase(
        flops=part.work.flops,
        bytes=part.work.bytes,
        seconds=part.seconds,
        measured=_share(part, ceilings.measured),
        datasheet=_share(part, ceilings.sheet) if ceilings.sheet else None,
    )


def _share(part: PhaseWork, ceiling: Ceiling) -> Share:
    reached = efficiency(part.work, part.seconds, ceiling)
    return Share(
        name=ceiling.name,
        flops=ceiling.flops,
        bandwidth=ceiling.bandwidth,
        mfu=reached.mfu,
        mbu=reached.mbu,
        roofline=reached.roofline,
        bound=reached.bound,
    )


def _median(samples: Sequence[Sample], name: str) -> float:
    return float(statistics.median(getattr(sample, name) / len(sample.walls) for sample in samples))
