"""A parity comparison for people: a table, the items that differ, the verdict and what it rests on;
and the same as plain data.
"""

from __future__ import annotations

import dataclasses
import math
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

HEADERS = (
    "model",
    "task",
    "items",
    "max Δ",
    "p99 Δ",
    "mean Δ",
    "flips",
    "texts ≠",
    "metric",
    "first",
    "second",
    "Δ/SE",
    "verdict",
)
RIGHT = (*range(2, 8), 9, 10, 11)
CLIP = 70
"""Characters of a differing text that are shown, from shortly before the place where it differs."""


def render_parity(parity: Parity, *, items: int = 5, width: int = 100, colour: bool = False) -> str:
    """The comparison as text; at most ``items`` differing items a cell."""
    from harness.reporting.terminal import clean, print_list

    lines = [f"first:  {clean(parity.first)}", f"second: {clean(parity.second)}", ""]
    lines.append(
        print_list(
            "", HEADERS, [_row(cell) for cell in parity.cells], right=RIGHT, width=width, colour=colour
        ).rstrip("\n")
    )
    lines.append("")
    for cell in parity.cells:
        lines += [clean(line) for line in _items(cell, items)]
    lines += [f"- {clean(reason)}" for reason in parity.reasons]
    lines += ["", f"Can this backend be trusted? {parity.verdict}", _thresholds(parity)]
    return "\n".join(lines) + "\n"


def _thresholds(parity: Parity) -> str:
    nats = " or ".join(f"{value:g}" for value in sorted({cell.tolerance for cell in parity.cells}) or [HALF])
    return (
        f"yes: every Δ (nats a token) ≤ {nats}, the same options picked, the same texts, metrics within one standard error (SE)\n"
        f"within noise: 99 % of Δ ≤ {nats}, greedy texts equal over {HALF_PREFIX:.0%} from their start, metrics within one SE\n"
        f"(where both sides compute in fp32: {FULL:g} and {FULL_PREFIX:.0%})"
    )


def _row(cell: CellParity) -> list[str]:
    spread = cell.logprobs
    gaps = [_small(spread.max), _small(spread.p99), _small(spread.mean)] if spread else ["", "", ""]
    flips = str(cell.argmax_flips) if spread else ""
    texts = f"{cell.texts_differing}/{cell.texts}" if cell.texts else ""
    return [
        cell.model,
        cell.task,
        str(cell.items),
        *gaps,
        flips,
        texts,
        *_metric(cell.metrics[0] if cell.metrics else None),
        cell.verdict,
    ]


def _metric(metric: MetricDifference | None) -> list[str]:
    if metric is None:
        return ["", "", "", ""]
    ratio = f"{metric.ratio:.2f}" if metric.stderr is not None else ""
    return [metric.metric, f"{metric.first:.4g}", f"{metric.second:.4g}", ratio]


def _small(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}" if value < 0.01 else f"{value:.3g}"


def _items(cell: CellParity, most: int) -> list[str]:
    """The largest differences of a cell, one line an item."""
    if not cell.differing or not most:
        return []
    more = f", the {most} largest" if len(cell.differing) > most else ""
    lines = [f"{cell.model} {cell.task}: {len(cell.differing)} of {cell.items} items differ{more}"]
    return [*lines, *(_item(one) for one in cell.differing[:most]), ""]


def _item(one: ItemDifference) -> str:
    if one.what != "text":
        return f"  item {one.key}: {one.what}, {_small(one.size)} a token: {one.first} | {one.second}"
    place = next((at for at, (a, b) in enumerate(zip(one.first, one.second, strict=False)) if a != b), 0)
    start = max(0, place - 20)
    texts = (f"{'…' if start else ''}{text[start : start + CLIP]!r}" for text in (one.first, one.second))
    return f"  item {one.key}: text from character {place + 1}: {' | '.join(texts)}"


def parity_data(parity: Parity) -> dict[str, Any]:
    """Plain data for JSON, which has no infinity: null instead."""
    data: dict[str, Any] = _finite(dataclasses.asdict(parity))
    for cell, made in zip(parity.cells, data["cells"], strict=True):
        for metric, entry in zip(cell.metrics, made["metrics"], strict=True):
            entry["standard_errors"] = _finite(metric.ratio)
    return {
        **data,
        "thresholds": {
            "float32": FULL,
            "other": HALF,
            "float32_prefix": FULL_PREFIX,
            "other_prefix": HALF_PREFIX,
        },
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
