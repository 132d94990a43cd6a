"""Charts of scores: ranking with intervals, Chinese against English, score against what a model
costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis.gap import Gap, overall
from harness.analysis.paired import Difference
from harness.analysis.scopes import Scope
from harness.reporting.comparison import interval, share, signed
from harness.reporting.costs import CostAxis
from harness.reporting.html.charts import Point, frontier
from harness.reporting.html.tables import metric_name, scope_name
from harness.reporting.plots.theme import COLOURS, FAINT, INK, Rows, heading, series
from harness.texts import Words

if TYPE_CHECKING:
    import altair
    from altair import TopLevelMixin as Chart

ROW = 24
"""Points a model's row is high."""
BARE = {"ticks": False, "domain": False, "grid": True, "labelOverlap": False}


def span(values: Sequence[float], *, shares: bool = False) -> list[float]:
    """An axis' ends with some room round the values; one of shares never leaves 0 to 1."""
    room = (max(values) - min(values)) * 0.06 or abs(values[0]) * 0.1 or 0.05
    low, high = min(values) - room, max(values) + room
    return [max(0.0, low), min(1.0, high)] if shares else [low, high]


def tips(words: Words, *keys: str) -> list[altair.Tooltip]:
    """What is shown on hover: fields by the names of their columns."""
    import altair

    return [altair.Tooltip(f"{key}:N", title=words(f"col_{key}")) for key in keys]


def ranking(scope: Scope, labels: Sequence[str], words: Words) -> Chart:
    """Models best first: a dot at the score, a line over its 95 % interval, a dashed line at the
    chance level.
    """
    import altair as alt

    rows: Rows = []
    for place in scope.order:
        score, rank = scope.scores[place], scope.ranks.get(place)
        low, high = score.ci95 or (score.value, score.value)
        row = {
            "model": labels[place],
            "value": score.value,
            "low": low,
            "high": high,
            "score": share(score.value),
            "n": score.n,
        }
        rows.append(
            row | {"interval": interval(score.ci95), "rank": f"{rank.low}–{rank.high}" if rank else ""}
        )
    chance = [scope.chance] if scope.chance is not None else []
    scale = alt.Scale(
        domain=span([row[key] for row in rows for key in ("low", "high")] + chance, shares=scope.shares),
        nice=False,
    )
    title = words("axis_score", metric=metric_name(scope, words))
    order = [labels[place] for place in scope.order]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("model:N", sort=order, title=None, axis=alt.Axis(**BARE)),
        tooltip=tips(words, "model", "score", "interval", "rank", "n"),
    )
    layers: list[Any] = [
        base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(
            x=alt.X("low:Q", scale=scale, title=title), x2="high:Q"
        ),
        base.mark_point(fill=COLOURS[0], stroke=INK, size=70, strokeWidth=1).encode(
            x=alt.X("value:Q", scale=scale, title=title)
        ),
    ]
    if chance:
        level = alt.Chart(alt.Data(values=[{"chance": scope.chance}]))
        layers.append(
            level.mark_rule(strokeDash=[4, 3], color=FAINT).encode(
                x=alt.X("chance:Q", scale=scale, title=title)
            )
        )
    made = alt.layer(*layers).properties(height=ROW * len(rows) + 8)
    return heading(
        made, scope_name(scope, words), words("p_ranking_chance" if chance else "p_ranking"), words.language
    )


def language_gap(found: Sequence[Gap], labels: Sequence[str], words: Words) -> Chart | None:
    """Left each model's mean in both languages over the pairs of tasks, right the paired difference
    with its 95 % interval.

    None where no model has all pairs.
    """
    import altair as alt

    whole = {place: pair for place in range(len(labels)) if (pair := _whole(found, place)) is not None}
    if not whole:
        return None
    order = [labels[place] for place in sorted(whole, key=lambda place: whole[place].value)]
    size = {"height": ROW * len(whole) + 8}
    left = _in_both(found, {place: labels[place] for place in whole}, order, words).properties(
        width=250, **size
    )
    right = _differences({labels[place]: pair for place, pair in whole.items()}, order, words).properties(
        width=190, **size
    )
    return heading(alt.hconcat(left, right, spacing=14), words("h_gap"), words("p_gap"), words.language)


def _in_both(found: Sequence[Gap], labels: Mapping[int, str], order: Sequence[str], words: Words) -> Any:
    """Each model's mean in both languages, joined by a line."""
    import altair as alt

    rows: Rows = []
    for place, label in labels.items():
        for language in ("zh", "en"):
            value = sum(getattr(gap, language)[place] for gap in found) / len(found)
            rows.append(
                {"model": label, "language": words(f"col_{language}"), "value": value, "score": share(value)}
            )
    told, values = series([words("col_zh"), words("col_en")]), [row["value"] for row in rows]
    title = words("axis_score", metric=words("mean_of", n=len(found)))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(
            "value:Q", title=title, scale=alt.Scale(domain=span(values, shares=max(values) <= 1), nice=False)
        ),
        y=alt.Y("model:N", sort=list(order), title=None, axis=alt.Axis(**BARE)),
    )
    color = alt.Color("language:N", scale=told.color, title=None)
    shape = alt.Shape("language:N", scale=told.shape, title=None)
    points = base.mark_point(size=75).encode(color=color, shape=shape, tooltip=tips(words, "model", "score"))
    return alt.layer(base.mark_line(color=FAINT, strokeWidth=1.2).encode(detail="model:N"), points)


def _differences(pairs: Mapping[str, Difference], order: Sequence[str], words: Words) -> Any:
    """Chinese minus English by model, with intervals and a line at zero."""
    import altair as alt

    rows: Rows = []
    for label, pair in pairs.items():
        low, high = pair.ci95 or (pair.value, pair.value)
        row = {
            "model": label,
            "value": pair.value,
            "low": low,
            "high": high,
            "difference": signed(pair.value),
            "n": pair.n,
        }
        rows.append(row | {"interval": interval(pair.ci95, sign=True)})
    scale = alt.Scale(domain=span([0.0, *(row[key] for row in rows for key in ("low", "high"))]), nice=False)

    def x(field: str) -> Any:
        return alt.X(f"{field}:Q", scale=scale, title=words("p_difference"), axis=alt.Axis(tickCount=5))

    y = alt.Y("model:N", sort=list(order), title=None, axis=alt.Axis(**{**BARE, "labels": False}))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=y, tooltip=tips(words, "model", "difference", "interval", "n")
    )
    zero = (
        alt.Chart(alt.Data(values=[{"zero": 0}]))
        .mark_rule(strokeDash=[4, 3], color=FAINT)
        .encode(x=x("zero"))
    )
    lines = base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(x=x("low"), x2="high:Q")
    return alt.layer(
        zero, lines, base.mark_point(fill=COLOURS[0], stroke=INK, strokeWidth=1, size=60).encode(x=x("value"))
    )


def _whole(found: Sequence[Gap], place: int) -> Difference | None:
    return found[0].differences.get(place) if len(found) == 1 else overall(found, place)


def against(axis: CostAxis, scope: Scope, labels: Sequence[str], words: Words) -> Chart:
    """Score against what a model costs, with intervals on both axes where they are known and the
    frontier as a broken line.
    """
    import altair as alt

    rows: Rows = []
    for place in (place for place in scope.order if place in axis.values):
        score, cost = scope.scores[place], axis.values[place]
        low, high = score.ci95 or (score.value, score.value)
        left, right = axis.intervals.get(place, (cost, cost))
        row = {
            "model": labels[place],
            "x": cost,
            "left": left,
            "right": right,
            "y": score.value,
            "low": low,
            "high": high,
        }
        rows.append(
            row | {"cost": axis.text(cost), "score": share(score.value), "interval": interval(score.ci95)}
        )
    told = series([row["model"] for row in rows], labels)
    ends = [row[key] for row in rows for key in ("left", "right")]
    log = min(ends) > 0 and max(ends) / min(ends) >= 4
    domain = [min(ends) / 1.3, max(ends) * 1.3] if log else span(ends)
    across = alt.Scale(type="log" if log else "linear", domain=domain, nice=False)
    giga = "B" if axis.kind == "size" else "G"
    ticks = alt.Axis(labelExpr=f"replace(format(datum.value, '~s'), 'G', '{giga}')", grid=True, tickCount=6)
    up = alt.Scale(
        domain=span([row[key] for row in rows for key in ("low", "high")], shares=scope.shares), nice=False
    )
    names = (
        words(f"axis_{axis.kind}", shape=axis.shape),
        words("axis_score", metric=metric_name(scope, words)),
    )
    x = alt.X("x:Q", scale=across, title=names[0], axis=ticks)
    y = alt.Y("y:Q", scale=up, title=names[1])
    hover = [*tips(words, "model", "score", "interval"), alt.Tooltip("cost:N", title=names[0])]
    base = alt.Chart(alt.Data(values=rows)).encode(tooltip=hover)
    color = alt.Color("model:N", scale=told.color, title=None)
    points = [Point(number, row["x"], row["y"], None) for number, row in enumerate(rows)]
    best = [
        {"x": point.x, "y": point.score} for point in frontier(points, more_is_better=axis.more_is_better)
    ]
    layers = [
        alt.Chart(alt.Data(values=best))
        .mark_line(strokeDash=[5, 4], color=FAINT, strokeWidth=1.2)
        .encode(x=x, y=y),
        base.mark_rule(strokeWidth=1.4).encode(
            x=x, y=alt.Y("low:Q", scale=up, title=names[1]), y2="high:Q", color=color
        ),
        base.mark_rule(strokeWidth=1.4).encode(
            x=alt.X("left:Q", scale=across, title=names[0], axis=ticks), x2="right:Q", y=y, color=color
        ),
        base.mark_point(size=75).encode(
            x=x, y=y, color=color, shape=alt.Shape("model:N", scale=told.shape, title=None)
        ),
    ]
    title = words(f"c_{axis.kind}", scope=scope_name(scope, words))
    return heading(alt.layer(*layers), title, words("p_cost"), words.language)
