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
    columns = [*keys("model", "task"), *texts("verdict")]
    columns += [*numbers("items", "max Δ", "p99 Δ", "mean Δ", "flips", "texts ≠")]
    columns += [*texts("metric"), *numbers("first", "second", "Δ/SE")]
    table = Table.of("", columns, [_row(cell) for cell in parity.cells])
    lists = [points for cell in parity.cells if (points := _items(cell, items)) is not None]
    if parity.reasons:
        lists.append(Points(Phrase("Why:"), tuple(map(Message, parity.reasons))))
    verdict = Phrase("Can this backend be trusted? {verdict}", verdict=Phrase(parity.verdict))
    lists.append(Points(verdict, tuple(_thresholds(parity))))
    title = Phrase(
        "first: {first}; second: {second}", first=Message(parity.first), second=Message(parity.second)
    )
    return Document(title, (table,), lists=tuple(lists), data=lambda: parity_data(parity))


def _thresholds(parity: Parity) -> list[str]:
    nats = " or ".join(f"{value:g}" for value in sorted({cell.tolerance for cell in parity.cells}) or [HALF])
    half, full = f"{HALF_PREFIX:.0%}", f"{FULL_PREFIX:.0%}"
    return [
        Phrase(
            "yes: every Δ (nats per token) ≤ {nats}, the same options picked, the same texts, metrics within "
            "one standard error (SE)",
            nats=nats,
        ),
        Phrase(
            "within noise: 99 % of Δ ≤ {nats}, greedy texts equal over {half} from their start, metrics "
            "within one SE",
            nats=nats,
            half=half,
        ),
        Phrase("(where both sides compute in fp32: {nats} and {full})", nats=f"{FULL:g}", full=full),
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
        TableCell(Phrase(cell.verdict), cell.verdict),
        TableCell(str(cell.items), cell.items),
        *(TableCell("" if gap is None else _small(gap), gap) for gap in gaps),
        TableCell(flips, cell.argmax_flips if spread else None),
        TableCell(texts_apart),
        *_metric(cell.metrics[0] if cell.metrics else None),
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
    title = Phrase(
        "{model} {task}: {n} of {items} items differ",
        model=cell.model,
        task=cell.task,
        n=len(cell.differing),
        items=cell.items,
    )
    if len(cell.differing) > most:
        title = Phrase("{differ}, the {n} largest", differ=title, n=most)
    return Points(title, tuple(_item(one) for one in cell.differing[:most]))


def _item(one: ItemDifference) -> str:
    if one.what != "text":
        return Phrase(
            "  item {key}: {what}, {size} per token: {first} | {second}",
            key=one.key,
            what=Phrase(one.what),
            size=_small(one.size),
            first=one.first,
            second=one.second,
        )

    # Long texts are shown from shortly before the character at which they part.
    start_of_difference = next(
        (at for at, (a, b) in enumerate(zip(one.first, one.second, strict=False)) if a != b), 0
    )
    start = max(0, start_of_difference - 20)
    texts = (f"{'…' if start else ''}{text[start : start + CLIP]!r}" for text in (one.first, one.second))
    return Phrase(
        "  item {key}: text from character {n}: {texts}",
        key=one.key,
        n=start_of_difference + 1,
        texts=" | ".join(texts),
    )


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
