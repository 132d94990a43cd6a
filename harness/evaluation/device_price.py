"""What a worker's device costs per hour, and the peak that its figures are held against."""

from __future__ import annotations

from harness.errors import HarnessError
from harness.meter.tally import Setting

CEILINGS = {"bfloat16": "bf16", "float16": "fp16"}
"""Number formats whose peak the hardware catalogue has, by torch's names."""


def setting_of(device: str, dtype: str | None, own_price: float | None) -> Setting:
    """Accelerators, price and peak of ``cpu`` or ``cuda`` (all visible GPUs) for a number format."""
    from harness.meter import prices
    from harness.meter.checks import EnergyError
    from harness.meter.nvml import visible_names

    names: list[str] = []
    unseen = "CPUs are not in the hardware catalogue; harness bench measures a ceiling"
    if device.startswith("cuda"):
        try:
            names = visible_names()
        except EnergyError as error:
            unseen = str(error)

    # All GPUs of a worker are taken to be alike: the first one's name stands for them.
    name = names[0] if names else None
    price = prices.usd_per_hour(name, own_price)
    peak, ceiling, reason = _ceiling(name, dtype, max(1, len(names))) if name else (None, None, unseen)
    return Setting(
        accelerators=max(1, len(names)),
        usd_per_hour=price.usd_per_hour if price else None,
        price_source=price.source if price else None,
        price_date=price.date if price else None,
        price_reason=None if price else prices.why_no_price(name),
        ceiling=ceiling,
        ceiling_flops=peak,
        ceiling_reason=reason,
    )


def _ceiling(name: str, dtype: str | None, count: int) -> tuple[float | None, str | None, str | None]:
    """(FLOP/s of all GPUs, what says so, why not)."""
    from harness.meter.hardware import find_chip

    form = CEILINGS.get(dtype or "")
    if form is None:
        return None, None, f"the hardware catalogue has no peak for {dtype or 'an unknown number format'}"
    try:
        chip = find_chip(name)
        peak = chip.figure(form)  # type: ignore[arg-type]
    except HarnessError as error:
        return None, None, str(error)
    return count * peak, f"datasheet: {count} × {chip.name} {form}", None
