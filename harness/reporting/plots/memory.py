"""Memory by part of models whose architecture is known here, by the formulas of
`harness.config.memory`.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.reporting.plots.speed import MemoryBar


def fitted_bars(models: Iterable[tuple[str, str, str | None]], context: int, batch: int) -> list[MemoryBar]:
    """One bar per model (name, id, number format) for ``batch`` sequences of ``context``
    tokens.

    A format that is not said is the checkpoint's own. Models without a config at hand or a preset
    are left out.
    """
    from harness.config.memory import BYTES, known_architecture, memory_fit
    from harness.config.schema import ModelSpec
    from harness.errors import ModelError

    bars = {}
    for name, model, dtype in models:
        # A broken config, or an id that is none: as a model without a config.
        try:
            arch = known_architecture(ModelSpec(id=model))
        except (ModelError, ValueError):
            continue

        if arch is not None and name not in bars:
            fit = memory_fit(arch, BYTES.get(dtype or "", BYTES[arch.torch_dtype]), context, batch)
            bars[name] = MemoryBar(name, fit.weights_bytes, fit.kv_bytes, fit.activation_bytes)
    return list(bars.values())
