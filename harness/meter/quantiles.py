"""Percentiles that so many values can carry: each with the 95 % interval of two order statistics,
and none where no two enclose it.

With n independent values the k-th smallest lies below the q-quantile of their distribution with
the probability of at least k successes in Binomial(n, q), whatever the distribution (David and
Nagaraja, Order Statistics, 3rd edition, section 7.1). The greatest of n values is below it with
probability qⁿ, so a 99th percentile takes 368 values, a 95th 72, a 90th 36; fewer hold only their
greatest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
TAIL = 0.025
"""Probability of missing a quantile on either side."""


def least_count(quantile: float) -> int:
    """How many values hold a quantile of 0.5 or above: qⁿ is at most `TAIL`."""
    return math.ceil(math.log(TAIL) / math.log(quantile))


def ranks(count: int, quantile: float) -> tuple[int, int] | None:
    """The ranks (1 is the smallest) of the two of ``count`` values that enclose a quantile with
    95 %, neither likelier than 2.5 % to miss it; None where there are no such two.
    """
    if count < least_count(max(quantile, 1 - quantile)):
        return None
    import numpy as np
    from scipy.special import bdtr

    below = bdtr(np.arange(count), count, quantile)  # P(at most k values lie below), k = 0 …
    low = int(np.searchsorted(below, TAIL, side="right"))
    high = int(np.searchsorted(below, 1 - TAIL, side="left")) + 1
    return max(low, 1), min(high, count)


def percentiles(values: Sequence[float]) -> dict[str, Any]:
    """``n``, ``mean``, ``max``, ``p50`` to ``p99``, their ``ci95``, and why a percentile is None.

    Percentiles are linear between order statistics (numpy's default).

    The median stands in any case, since it needs no tail. Raises ValueError for no values at all.
    """
    import numpy as np

    array = np.sort(np.asarray(values, dtype=np.float64))
    count = len(array)
    points = np.percentile(array, [100 * quantile for quantile in PERCENTILES.values()])
    figures: dict[str, Any] = {"n": count, "mean": float(array.mean()), "max": float(array[-1]), "ci95": {}}

    missing = []
    for (name, quantile), point in zip(PERCENTILES.items(), points, strict=True):
        enclosing = ranks(count, quantile)
        figures[name] = float(point) if enclosing or name == "p50" else None
        if enclosing:
            figures["ci95"][name] = (float(array[enclosing[0] - 1]), float(array[enclosing[1] - 1]))
        elif name != "p50":
            missing.append(f"{name} takes {least_count(quantile)}")
    values_word = "value" if count == 1 else "values"
    return figures | {"reason": f"{count} {values_word}: {', '.join(missing)}" if missing else None}
