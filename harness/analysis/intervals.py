"""Confidence intervals of a single score."""

from __future__ import annotations

import math

from harness.results.schema import is_share

Ends = tuple[float, float]
SIGNED = ("mcc", "pearson", "spearman", "correlation")
"""Parts of the names of metrics that lie between −1 and 1."""
Z95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""
Z80 = 0.8416212335729143
"""Its 80 % point."""


def wilson(successes: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Wilson score interval of a proportion (E. B. Wilson, JASA 22, 1927).

    It is right also near 0 and 1, where mean ± z·SE is not. ``n`` need not be whole: an effective
    sample size of clustered items is not. Raises ValueError unless 0 <= successes <= n and n > 0.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"successes must be in [0, n] with n > 0, got {successes} of {n}")

    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # Rounding may leave the end that touches 0 or 1 just inside the value itself.
    return min(p, max(0.0, centre - half)), max(p, min(1.0, centre + half))


def normal(value: float, stderr: float, z: float = Z95) -> tuple[float, float]:
    """value ± z·stderr. Raises ValueError for a negative or non-finite standard error."""
    if not math.isfinite(stderr) or stderr < 0:
        raise ValueError(f"the standard error must be finite and not negative, got {stderr}")
    return value - z * stderr, value + z * stderr


def bounds(metric: str | None, value: float, *, higher_is_better: bool) -> Ends:
    """Between which figures a metric can lie, as far as its name and a ``value`` of it tell.

    Shares 0 to 1, or 0 to 100 where they are counted in per cent; a perplexity is at least 1, what
    else is better when lower (bits, errors) at least 0; infinite where nothing is known.
    """
    name = (metric or "").lower()
    if any(part in name for part in SIGNED):
        return (-1.0, 1.0) if abs(value) <= 1 else (-math.inf, math.inf)
    if is_share(metric):
        return 0.0, 1.0

    if not higher_is_better:
        least = 1.0 if "perplexity" in name and value >= 1 else 0.0
        return (least, math.inf) if value >= least else (-math.inf, math.inf)
    if 0 <= value <= 1:
        return 0.0, 1.0
    return (0.0, 100.0) if 0 <= value <= 100 else (-math.inf, math.inf)


def possible(ends: Ends | None, metric: str | None, value: float, *, higher_is_better: bool) -> Ends | None:
    """An interval without what its metric cannot be; None for one without width, which is no
    certainty but a precision that is not known.
    """
    if ends is None or ends[0] == ends[1]:
        return None
    low, high = bounds(metric, value, higher_is_better=higher_is_better)
    return max(low, ends[0]), min(high, ends[1])


def smallest_gap(n: int, omega2: float = 1 / 9, z_alpha: float = Z95, z_power: float = Z80) -> float:
    """Smallest accuracy difference of two models that n shared items detect.

    With 80 % power at the 5 % level. Miller, arXiv 2411.00640: n = (z_{α/2} + z_β)²·ω²/δ², with ω²
    the variance of the per-item differences; 1/9 is his example, and 969 items for δ = 0.03 his
    figure. Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    return (z_alpha + z_power) * math.sqrt(omega2 / n)
