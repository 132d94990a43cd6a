"""The page's charts as inline SVG: ranking with intervals, Chinese against English, score against
what a model costs.

Chinese and English, better and worse are told apart by shape or sign as well as by colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from harness.analysis.gap import Gap
from harness.analysis.scopes import Scope
from harness.reporting.comparison import share
from harness.reporting.html.svg import WIDTH, Axis, drawing, element, fitted, line, text
from harness.reporting.inert import visible
from harness.texts import Words

ROW = 34.0
"""Height of a model's row: its name above, its mark below."""
EDGE = 12.0
CHARS = 42
"""Characters of a name that have room beside a score (a Chinese one counts twice)."""


def clipped(name: str, most: int = CHARS) -> str:
    """A name that fits its row; Chinese characters are twice as wide."""
    shown, used = "", 0
    for char in visible(name):
        used += 2 if ord(char) > 0x2E7F else 1
        if used > most:
            return shown + "…"
        shown += char
    return shown


def _ground(axis: Axis, height: float, title: str) -> Markup:
    """Grid lines, tick values and the axis' title below rows of ``height``."""
    parts = []
    for tick in axis.ticks():
        parts += [
            line(axis.at(tick), 4, axis.at(tick), height, "grid"),
            text(axis.at(tick), height + 13, f"{tick:.4g}", "middle", "tick"),
        ]
    return Markup("").join([*parts, text(WIDTH / 2, height + 29, title, "middle", "tick")])


def ranking_chart(scope: Scope, labels: Sequence[str], words: Words, title: str) -> Markup:
    """Models best first: a dot at the score, a line over its 95 % interval, a dashed line at the
    chance level.
    """
    ends = [end for score in scope.scores.values() for end in (score.ci95 or (score.value,))]
    values = [
        *ends,
        *(score.value for score in scope.scores.values()),
        *([scope.chance] if scope.chance is not None else []),
    ]
    axis = fitted(values, EDGE, WIDTH - EDGE, shares=scope.shares)
    height = ROW * len(scope.order)
    parts = [
        _ground(axis, height, words("axis_score", metric=scope.metric or words("mean_of", n=scope.parts)))
    ]
    if scope.chance is not None:
        parts.append(line(axis.at(scope.chance), 4, axis.at(scope.chance), height, "chance"))
    for row, place in enumerate(scope.order):
        score, top = scope.scores[place], row * ROW
        parts += [
            text(EDGE, top + 14, clipped(labels[place])),
            text(WIDTH - EDGE, top + 14, share(score.value), "end", "label value"),
        ]
        if score.ci95 is not None:
            parts.append(line(axis.at(score.ci95[0]), top + 24, axis.at(score.ci95[1]), top + 24, "interval"))
        parts.append(element("circle", cx=axis.at(score.value), cy=top + 24, r=4, cls="dot"))
    return drawing(height + 36, title, *parts)


def gap_chart(found: Sequence[Gap], labels: Sequence[str], words: Words, title: str) -> Markup | None:
    """Each model's mean over the pairs of tasks: a circle for Chinese, a square for English; None
    where no model has all pairs.
    """
    whole = [place for place in range(len(labels)) if all(place in gap.differences for gap in found)]
    if not found or not whole:
        return None
    zh = {place: sum(gap.zh[place] for gap in found) / len(found) for place in whole}
    en = {place: sum(gap.en[place] for gap in found) / len(found) for place in whole}
    ends = [*zh.values(), *en.values()]
    axis = fitted(ends, EDGE, WIDTH - EDGE, shares=max(ends) <= 1)
    height = ROW * len(whole)
    parts = [_ground(axis, height, words("axis_score", metric=words("mean_of", n=len(found))))]
    for row, place in enumerate(sorted(whole, key=lambda place: zh[place] - en[place])):
        y = row * ROW + 24
        parts += [
            text(EDGE, y - 10, clipped(labels[place])),
            line(axis.at(zh[place]), y, axis.at(en[place]), y, "span"),
        ]
        parts.append(element("rect", x=axis.at(en[place]) - 5, y=y - 5, width=10, height=10, cls="english"))
        parts.append(element("circle", cx=axis.at(zh[place]), cy=y, r=5, cls="chinese"))
    return drawing(height + 36, title, *parts)


@dataclass(frozen=True)
class Point:
    """A model in a scatter plot: its number in the list below, what it costs (or how fast it is),
    its score, and intervals of both.
    """

    number: int
    x: float
    score: float
    ci95: tuple[float, float] | None
    x_ci95: tuple[float, float] | None = None


def frontier(points: Sequence[Point], *, more_is_better: bool) -> list[Point]:
    """Points that none beats on both axes, along x.

    A higher score is better; ``more_is_better`` says which way x is.
    """
    order = sorted(points, key=lambda point: (-point.x if more_is_better else point.x, -point.score))
    best: list[Point] = []
    for point in order:
        if not best or point.score > best[-1].score:
            best.append(point)
    return best[::-1] if more_is_better else best


def scatter(
    points: Sequence[Point],
    titles: tuple[str, str, str],
    tick: Callable[[float], str],
    *,
    more_is_better: bool,
) -> Markup:
    """Score (up) against x (right), with the frontier.

    ``titles``: the chart's, the x axis', the y axis'.
    """
    values = [end for point in points for end in (point.x_ci95 or (point.x,))]
    across = fitted(values, 48.0, WIDTH - 16.0, log=min(values) > 0 and max(values) / min(values) >= 4)
    ends = [end for point in points for end in (point.ci95 or (point.score,))]
    up = fitted(ends, 210.0, 22.0, shares=max(ends) <= 1 and min(ends) >= 0)
    parts = [text(8, 12, titles[2], cls="tick"), text((48 + WIDTH) / 2, 244, titles[1], "middle", "tick")]
    for value in up.ticks():
        parts += [
            line(48, up.at(value), WIDTH - 8, up.at(value), "grid"),
            text(43, up.at(value) + 4, f"{value:.4g}", "end", "tick"),
        ]
    for value in _thinned(across):
        parts += [
            line(across.at(value), 22, across.at(value), 210, "grid"),
            text(across.at(value), 225, tick(value), "middle", "tick"),
        ]
    best = frontier(points, more_is_better=more_is_better)
    parts += [
        line(across.at(a.x), up.at(a.score), across.at(b.x), up.at(b.score), "frontier")
        for a, b in pairwise(best)
    ]
    for point in points:
        x, y = across.at(point.x), up.at(point.score)
        if point.ci95 is not None:
            parts.append(line(x, up.at(point.ci95[0]), x, up.at(point.ci95[1]), "interval"))
        if point.x_ci95 is not None:
            parts.append(line(across.at(point.x_ci95[0]), y, across.at(point.x_ci95[1]), y, "interval"))
        parts.append(
            element("circle", cx=x, cy=y, r=4, cls="dot")
        )  # smaller than most intervals, so that these are seen
        top = up.at(point.ci95[1]) if point.ci95 is not None else y - 4
        parts.append(text(x, top - 4, str(point.number), "middle", "number"))
    return drawing(252, titles[0], *parts)


def _thinned(axis: Axis) -> list[float]:
    """Ticks with room for their labels: at most five."""
    ticks = axis.ticks()
    return ticks[:: -(-len(ticks) // 5)]
