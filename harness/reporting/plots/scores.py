"""Charts of scores: ranking with intervals, Chinese against English, score against what a model
costs; on paper and on the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis.gap import Gap, overall
from harness.analysis.notes import translated
from harness.analysis.paired import Difference
from harness.analysis.scopes import Scope
from harness.reporting.comparison import NONE, interval, share, signed
from harness.reporting.costs import CostAxis
from harness.reporting.plots.axes import Axis, Kinds, Names, hover
from harness.reporting.plots.forms import (
    PAPER,
    ROOM,
    ROW,
    ROW_ABOVE,
    Frame,
    clipped,
    dots,
    level,
    reasons,
    row_texts,
    scatter,
    table,
)
from harness.reporting.plots.frontier import frontier
from harness.reporting.plots.theme import FAINT, Rows, heading, series
from harness.reporting.scopes import metric_name, reading, scope_name
from harness.texts import Words

if TYPE_CHECKING:
    import altair
    from altair import TopLevelMixin as Chart

WHY = 52
"""Characters of a reason that fit into a row (a Chinese one counts twice)."""


def span(values: Sequence[float], *, shares: bool = False, least: float | None = None) -> tuple[float, float]:
    """An axis' ends with some room round the values, nothing below ``least``; one of shares never
    leaves 0 to 1.
    """
    room = (max(values) - min(values)) * 0.06 or abs(values[0]) * 0.1 or 0.05
    low, high = min(values) - room, max(values) + room
    if shares:
        return max(0.0, low), min(1.0, high)
    return low if least is None else max(least, low), high


def least(values: Sequence[float]) -> float | None:
    """0 where no value is below: perplexities, bits and costs are never negative."""
    return 0.0 if min(values) >= 0 else None


def tips(words: Words, *keys: str) -> list[altair.Tooltip]:
    """What is shown on hover: fields by the names of their columns."""
    return hover({key: words(f"col_{key}") for key in keys})


def ranking(scope: Scope, labels: Sequence[str], words: Words, frame: Frame = PAPER) -> Chart:
    """Models best first: a dot at the score, a line over its 95 % interval, a dashed line at the
    chance level; models without a score last, with the reason.
    """
    import altair as alt

    rows = [_ranked(scope, place, labels[place]) for place in scope.order]
    absent = [_absent(why, labels[place], words) for place, why in sorted(scope.missing.items())]
    names = Names("model", [row["model"] for row in (*rows, *absent)], labels=not frame.page)
    chance = [scope.chance] if scope.chance is not None else []
    ends = [row[key] for row in rows for key in ("low", "high")] + chance
    title = words("axis_score", metric=metric_name(scope, words))
    axis = Axis(title, domain=span(ends, shares=scope.shares, least=least(ends)))

    shown = tips(words, "model", "score", "interval", "rank", "n")
    layers = dots(rows, names, axis, tips=shown) + row_texts([*rows, *absent], names, frame, "score")
    layers += [level("chance", one, axis.x("chance")) for one in chance]
    layers += reasons(absent, names) if absent else []
    chart = frame.fit(alt.layer(*layers), height=_height(len(rows) + len(absent), frame))
    more = reading(words("p_ranking_chance" if chance else "p_ranking"), [scope], words)
    return _headed(chart, scope_name(scope, words), more, words, frame)


def _absent(why: str, name: str, words: Words) -> dict[str, Any]:
    """The row of a model without a score: the reason stands where its dot would be."""
    return {"model": name, "score": NONE, "why": clipped(translated(why, words.language), WHY)}


def _ranked(scope: Scope, place: int, name: str) -> dict[str, Any]:
    """One model's row: what is drawn, and what is shown on hover."""
    score, rank, mark = scope.scores[place], scope.ranks.get(place), scope.mark(place)
    low, high = score.ci95 or (score.value, score.value)

    # On paper the name is all that stands beside a dot, on the page the score does, too.
    drawn = {"model": f"{name}{' ' if mark else ''}{mark}", "value": score.value, "low": low, "high": high}
    texts = {"score": share(score.value) + mark, "n": score.n, "interval": interval(score.ci95)}
    texts["hint"] = f"{name}: {texts['score']} ({texts['interval']})"
    return drawn | texts | {"rank": f"{rank.low}–{rank.high}" if rank else ""}


def language_gap(
    gaps: Sequence[Gap], labels: Sequence[str], words: Words, frame: Frame = PAPER
) -> Chart | None:
    """Each model's mean in both languages over the pairs of tasks, and on paper beside it the paired
    difference with its 95 % interval.

    None where no model has all pairs.
    """
    import altair as alt

    whole = {place: pair for place in range(len(labels)) if (pair := _whole(gaps, place)) is not None}
    if not whole:
        return None
    shown = {place: labels[place] for place in whole}
    order = [shown[place] for place in sorted(whole, key=lambda place: whole[place].value)]
    height = _height(len(whole), frame)
    means = _in_both(gaps, shown, order, words, frame)

    # The page has the differences in the table below its chart; two plots side by side would be
    # too small on a phone.
    if frame.page:
        return _headed(frame.fit(means, height=height), words("h_gap"), "", words, frame)
    pairs = _differences({shown[place]: pair for place, pair in whole.items()}, order, words)
    left, right = means.properties(width=250, height=height), pairs.properties(width=190, height=height)
    return _headed(alt.hconcat(left, right, spacing=14), words("h_gap"), words("p_gap"), words, frame)


def _in_both(
    gaps: Sequence[Gap], labels: Mapping[int, str], order: Sequence[str], words: Words, frame: Frame
) -> Any:
    """Each model's mean in both languages, joined by a line."""
    import altair as alt

    rows: Rows = []
    for place, label in labels.items():
        for language in ("zh", "en"):
            value = sum(getattr(gap, language)[place] for gap in gaps) / len(gaps)
            name = words(f"col_{language}")
            texts = {"model": label, "language": name, "score": share(value)}
            rows.append({**texts, "value": value, "hint": f"{label}, {name}: {share(value)}"})
    values = [row["value"] for row in rows]
    title = words("axis_score", metric=words("mean_of", n=len(gaps)))
    axis = Axis(title, domain=span(values, shares=max(values) <= 1))
    names = Names("model", order, labels=not frame.page)

    # The page's note says which shape is which language, so its chart needs no legend.
    kinds = Kinds("language", series([words("col_zh"), words("col_en")]), legend=not frame.page)
    join = alt.Chart(table(rows)).mark_line(color=FAINT, strokeWidth=1.2, aria=False)
    line = join.encode(x=axis.x("value"), detail=alt.Detail("model:N"), **names.channels)
    shown = tips(words, "model", "score")
    points = dots(rows, names, axis, ends=None, kinds=kinds, size=75, tips=shown)
    return alt.layer(line, *points, *row_texts(rows[::2], names, frame, None))


def _differences(pairs: Mapping[str, Difference], order: Sequence[str], words: Words) -> Any:
    """Chinese minus English by model, with intervals and a line at zero."""
    import altair as alt

    rows: Rows = []
    for label, pair in pairs.items():
        low, high = pair.ci95 or (pair.value, pair.value)
        texts = {"difference": signed(pair.value), "n": pair.n, "interval": interval(pair.ci95, sign=True)}
        rows.append({"model": label, "value": pair.value, "low": low, "high": high, **texts})
    ends = [0.0, *(row[key] for row in rows for key in ("low", "high"))]
    axis = Axis(words("p_difference"), domain=span(ends), ticks=5)

    names = Names("model", order, labels=False)
    shown = tips(words, "model", "difference", "interval", "n")
    return alt.layer(level("zero", 0, axis.x("zero")), *dots(rows, names, axis, size=60, tips=shown))


def _whole(gaps: Sequence[Gap], place: int) -> Difference | None:
    return gaps[0].differences.get(place) if len(gaps) == 1 else overall(gaps, place)


def against(cost: CostAxis, scope: Scope, labels: Sequence[str], words: Words, frame: Frame = PAPER) -> Chart:
    """Score against what a model costs, with intervals on both axes where they are known and the
    frontier as a broken line.
    """
    import altair as alt

    order = [place for place in scope.order if place in cost.values]
    labels = [f"{label} {scope.mark(place)}".strip() for place, label in enumerate(labels)]
    rows = [
        _priced(cost, scope, place, labels[place]) | {"number": str(n)} for n, place in enumerate(order, 1)
    ]
    across, up = _cost_axis(cost, rows, words, frame), _score_axis(scope, rows, words)
    points = [(row["x"], row["y"]) for row in rows]
    best = [{"x": x, "y": y} for x, y in frontier(points, more_is_better=cost.more_is_better)]

    named = series([row["model"] for row in rows], labels)
    kinds = None if frame.page else Kinds("model", named)
    shown = [*tips(words, "model", "score", "interval"), *hover({"cost": across.title or ""})]
    layers = scatter(rows, across, up, kinds, best=best, tips=shown)
    title = words(f"c_{cost.kind}", scope=scope_name(scope, words))
    chart = frame.fit(alt.layer(*layers), **({"height": 200} if frame.page else {}))
    return _headed(chart, title, reading(words("p_cost"), [scope], words), words, frame)


def _priced(cost: CostAxis, scope: Scope, place: int, name: str) -> dict[str, Any]:
    """One model's point with its intervals, and what is shown on hover."""
    score, value = scope.scores[place], cost.values[place]
    low, high = score.ci95 or (score.value, score.value)
    left, right = cost.intervals.get(place, (value, value))
    point = {"x": value, "left": left, "right": right, "y": score.value, "low": low, "high": high}
    texts = {"cost": cost.text(value), "score": share(score.value), "interval": interval(score.ci95)}
    hint = f"{name}: {texts['score']} ({texts['interval']}), {texts['cost']}"
    return {"model": name, **point, **texts, "hint": hint}


def _cost_axis(cost: CostAxis, rows: Rows, words: Words, frame: Frame) -> Axis:
    """What a model costs: logarithmic from a factor of four on."""
    ends = [row[key] for row in rows for key in ("left", "right")]
    log = min(ends) > 0 and max(ends) / min(ends) >= 4
    domain = (min(ends) / 1.3, max(ends) * 1.3) if log else span(ends, least=0.0)

    # Parameters are counted in billions, which d3 would call G.
    giga = "B" if cost.kind == "size" else "G"
    label = f"replace(format(datum.value, '~s'), 'G', '{giga}')"
    title = words(f"axis_{cost.kind}", shape=cost.shape)
    return Axis(title, domain=domain, log=log, ticks=4 if frame.page else 6, label=label)


def _score_axis(scope: Scope, rows: Rows, words: Words) -> Axis:
    ends = [row[key] for row in rows for key in ("low", "high")]
    domain = span(ends, shares=scope.shares, least=least(ends))
    return Axis(words("axis_score", metric=metric_name(scope, words)), domain=domain)


def _height(rows: int, frame: Frame) -> int:
    return (ROW_ABOVE if frame.page else ROW) * rows + ROOM


def _headed(chart: Any, title: str, more: str | list[str], words: Words, frame: Frame) -> Any:
    """The chart with its heading; on the page that stands in the text round it."""
    return chart if frame.page else heading(chart, title, more, words.language)
