"""A parity comparison for people: a table, the items that differ, the verdict and what it rests on;
and the same as plain data.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.analysis.parity_verdict import (
    FULL,
    FULL_PREFIX,
    HALF,
    HALF_PREFIX,
    CellParity,
    ItemDifference,
    MetricDifference,
    Parity,
)
from harness.reporting.document import Document, Points, Table, TableCell, keys, numbers, texts
from harness.reporting.texts import Message, Phrase
from harness.reporting.writers.json import finite

CLIP = 70
"""Characters of a differing text that are shown, from shortly before where it differs."""


def parity_document(parity: Parity, *, items: int = 5) -> Document:
    """The comparison; at most ``items`` differing items of each cell."""
    columns = [*keys("model", "task"), *numbers("items", "max Δ", "p99 Δ", "mean Δ", "flips", "texts ≠")]
    columns += [*texts("metric"), *numbers("first", "second", "Δ/SE"), *texts("verdict")]
    table = Table.of("", columns, [_row(cell) for cell in parity.cells])
    lists = [points for cell in parity.cells if (points := _items(cell, items)) is not None]
    if parity.reasons:
        lists.append(Points(Phrase("Why:"), tuple(map(Message, parity.reasons))))
    verdict = Phrase("Can this backend be trusted? {verdict}", verdict=Message(parity.verdict))
    lists.append(Points(verdict, tuple(map(Message, _thresholds(parity)))))
    title = Phrase(
        "first: {first}; second: {second}", first=Message(parity.first), second=Message(parity.second)
    )
    return Document(title, (table,), lists=tuple(lists), data=lambda: parity_data(parity))


def _thresholds(parity: Parity) -> list[str]:
    nats = " or ".join(f"{value:g}" for value in sorted({cell.tolerance for cell in parity.cells}) or [HALF])
    return [
        f"yes: every Δ (nats a token) ≤ {nats}, the same options picked, the same texts, metrics "
        f"within one standard error (SE)",
        f"within noise: 99 % of Δ ≤ {nats}, greedy texts equal over {HALF_PREFIX:.0%} from their "
        f"start, metrics within one SE",
        f"(where both sides compute in fp32: {FULL:g} and {FULL_PREFIX:.0%})",
    ]


def _row(cell: CellParity) -> list[TableCell]:
    spread = cell.logprobs
    gaps = (spread.max, spread.p99, spread.mean) if spread else (None, None, None)
    flips = str(cell.argmax_flips) if spread else ""

    # Items that were not generated have no texts to differ; the cell then stays empty.
    texts_apart = f"{cell.texts_differing}/{cell.texts}" if cell.texts else ""
    return [
        TableCell(cell.model),
        TableCell(cell.task),
        TableCell(str(cell.items), cell.items),
        *(TableCell("" if gap is None else _small(gap), gap) for gap in gaps),
        TableCell(flips, cell.argmax_flips if spread else None),
        TableCell(texts_apart),
        *_metric(cell.metrics[0] if cell.metrics else None),
        TableCell(Message(cell.verdict)),
    ]


def _metric(metric: MetricDifference | None) -> list[TableCell]:
    if metric is None:
        return [TableCell("")] * 4
    ratio = TableCell(f"{metric.ratio:.2f}", metric.ratio) if metric.stderr is not None else TableCell("")
    figures = [TableCell(f"{value:.4g}", value) for value in (metric.first, metric.second)]
    return [TableCell(metric.metric), *figures, ratio]


def _small(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}" if value < 0.01 else f"{value:.3g}"


def _items(cell: CellParity, most: int) -> Points | None:
    """The largest differences of a cell, one line per item."""
    if not cell.differing or not most:
        return None
    more = f", the {most} largest" if len(cell.differing) > most else ""
    title = f"{cell.model} {cell.task}: {len(cell.differing)} of {cell.items} items differ{more}"
    return Points(Message(title), tuple(Message(_item(one)) for one in cell.differing[:most]))


def _item(one: ItemDifference) -> str:
    if one.what != "text":
        return f"  item {one.key}: {one.what}, {_small(one.size)} a token: {one.first} | {one.second}"
    start_of_difference = next(
        (at for at, (a, b) in enumerate(zip(one.first, one.second, strict=False)) if a != b), 0
    )
    start = max(0, start_of_difference - 20)
    texts = (f"{'…' if start else ''}{text[start : start + CLIP]!r}" for text in (one.first, one.second))
    return f"  item {one.key}: text from character {start_of_difference + 1}: {' | '.join(texts)}"


def parity_data(parity: Parity) -> dict[str, Any]:
    """Plain data for JSON, which has no infinity: null instead."""
    data: dict[str, Any] = finite(dataclasses.asdict(parity))

    # A property of the records, which asdict leaves out.
    for cell, plain in zip(parity.cells, data["cells"], strict=True):
        for metric, entry in zip(cell.metrics, plain["metrics"], strict=True):
            entry["standard_errors"] = finite(metric.ratio)

    return {
        **data,
        "thresholds": {
            "float32": FULL,
            "other": HALF,
            "float32_prefix": FULL_PREFIX,
            "other_prefix": HALF_PREFIX,
        },
    }
