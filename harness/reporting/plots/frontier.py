"""The frontier of a scatter plot: what nothing beats on both axes."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
"""What a model costs (or how fast it is), and its score."""


def frontier(points: Sequence[Point], *, more_is_better: bool) -> list[Point]:
    """Points that none beats on both axes, along x.

    A higher score is better; ``more_is_better`` says which way x is.
    """
    order = sorted(points, key=lambda point: (-point[0] if more_is_better else point[0], -point[1]))
    best: list[Point] = []
    for point in order:
        if not best or point[1] > best[-1][1]:
            best.append(point)
    return best[::-1] if more_is_better else best
