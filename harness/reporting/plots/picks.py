"""Charts of answers against keys: one bar per model in parts of what it answered, below one of what
is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis.picks import PickCounts
from harness.reporting.plots.axes import Axis, Kinds, Names
from harness.reporting.plots.forms import PAPER, ROOM, ROW, Frame, clipped, table
from harness.reporting.plots.theme import INK, Rows, heading, series
from harness.texts import Words

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart

NARROWEST = 0.07
"""Part of a bar in which a label has room."""
NAME = 18
"""Characters of a model's name beside a bar on the page."""


def picks_chart(counts: PickCounts, labels: Sequence[str], words: Words, frame: Frame = PAPER) -> Chart:
    """Each model's answers by their shares, below the shares of the right ones."""
    import altair as alt

    whole = sum(counts.keys.values())
    keys = {label: counts.keys.get(label, 0) / whole for label in counts.labels}
    shares = {words("picks_right"): keys}
    for index in counts.answers:
        name = clipped(labels[index], NAME) if frame.page else labels[index]

        # Two long names may begin alike: bars of one name would lie in one another.
        name = name if name not in shares else f"{name} {index + 1}"
        shares[name] = {label: counts.share(index, label) for label in counts.labels}
    rows = [row for name, mine in shares.items() for row in _parts(name, mine)]

    names = Names("model", list(shares), ruled=False)
    axis = Axis(words("axis_picks"), domain=(0.0, 1.0), percent=True, ticks=5)
    kinds = Kinds("answer", series(counts.labels), legend=False)
    chart = alt.layer(*_segments(rows, names, axis, kinds))
    chart = frame.fit(chart, height=ROW * len(shares) + ROOM)
    if frame.page:
        return chart
    title = words("picks_title", task=counts.name)
    more = words("picks_constant", answer=counts.constant, score=f"{counts.constant_score:.3f}")
    return heading(chart, title, more, words.language)


def _parts(name: str, shares: Mapping[str, float]) -> list[dict[str, Any]]:
    """A bar's parts end to end; what cannot be read leaves its end empty."""
    rows: list[dict[str, Any]] = []
    end = 0.0
    for label, share in shares.items():
        low, end = end, min(1.0, end + share)
        if share > 0:
            text = label if share >= NARROWEST else ""
            where = {"low": low, "high": end, "middle": (low + end) / 2}
            texts = {"text": text, "hint": f"{label} {share:.0%}"}
            rows.append({"model": name, "answer": label} | texts | where)
    return rows


def _segments(rows: Rows, names: Names, axis: Axis, kinds: Kinds) -> list[Any]:
    """Bars in parts from ``low`` to ``high``, each with its ``text`` in the middle."""
    import altair

    base = altair.Chart(table(rows)).encode(**names.channels)
    part = base.mark_bar(fillOpacity=0.4, stroke=INK, strokeWidth=0.5, height={"band": 0.75})
    bar = part.encode(
        x=axis.x("low"), x2=altair.X2("high"), color=kinds.color, description=altair.Description("hint:N")
    )
    text = base.mark_text(aria=False, fontSize=11).encode(x=axis.x("middle"), text=altair.Text("text:N"))
    return [bar, text]
