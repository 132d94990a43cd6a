"""Speed rows as tables: shapes, limits, energy and cost, projections; and flat, for CSV.

No measuring here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.reporting.sheets import Sheet
from harness.results.records import Figure
from harness.results.speed import Phase, Share, SpeedResults, SpeedRow

NOTES = (
    "tok/s: median of repeats ± half of its 95 % interval (percentile bootstrap); ! where that is wider than asked for.",
    "prefill and decode: from the engine's own event times; TTFT, TPOT, e2e: medians over requests, from intended arrival. --json has all.",
)
LIMIT_NOTE = "MFU, MBU, efficiency: shares of the ceilings measured on this machine; sheet: roofline efficiency against the datasheet."
PROJECTED_NOTE = "projected: a range carried from one datasheet to another, never a measurement; * the limit changes, so trust it the less."


def speed_sheets(results: SpeedResults) -> list[Sheet]:
    """One sheet each of rates and latencies, limits, energy and cost (where there are any), and
    projections (where asked for).
    """
    rows = [row for row in results.rows if row.rate.output_tps is not None]
    sheets = [_rates(rows)] if rows else []
    if any(row.limit.whole for row in rows):
        sheets.append(_limits([row for row in rows if row.limit.whole]))
    if any(row.energy or row.cost for row in rows):
        sheets.append(_costs([row for row in rows if row.energy or row.cost]))
    if any(row.projected for row in rows):
        sheets.append(_projected(rows))
    return sheets


def failures(results: SpeedResults) -> list[str]:
    """One line a cell that is not whole."""
    return [
        f"{row.model} {row.shape}: {row.status}: {row.reason}" for row in results.rows if row.status != "ok"
    ]


def csv_rows(results: SpeedResults) -> tuple[list[str], list[dict[str, Any]]]:
    """(columns, rows): every figure of every row by its path in speed.json; raw samples stay
    there.
    """
    flat = [dict(_flat(row.model_dump(mode="json"), "")) for row in results.rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    return columns, [{name: row.get(name) for name in columns} for row in flat]


def _flat(data: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        name = f"{path}{key}"
        if isinstance(value, dict) and key not in ("reasons", "versions", "bound"):
            yield from _flat(value, f"{name}.")
        elif key == "ci95" and isinstance(value, list):
            yield from ((f"{name}.low", value[0]), (f"{name}.high", value[1]))
        elif isinstance(value, dict):
            yield name, "; ".join(f"{inner}: {text}" for inner, text in value.items())
        elif key in ("samples", "projected"):
            continue
        else:
            yield name, " ".join(map(str, value)) if isinstance(value, list) else value


def _rates(rows: Sequence[SpeedRow]) -> Sheet:
    headers = (
        "model",
        "shape",
        "output tok/s",
        "prefill tok/s",
        "decode tok/s",
        "req/s",
        "good/s",
        "TTFT ms",
        "TPOT ms",
        "e2e ms",
        "repeats",
    )
    body = []
    for row in rows:
        latency = row.latency_ms
        middle = [f"{part.p50:,.1f}" if part else "–" for part in (latency.ttft, latency.tpot, latency.e2e)]
        stats = row.stats
        kept = f"{stats.repeats - stats.rejected}" + (f" (-{stats.rejected})" if stats.rejected else "")
        body.append(
            (
                row.model,
                row.shape,
                _spread(row.rate.output_tps) + ("" if stats.settled else " !"),
                _middle(row.rate.prefill_tps),
                _middle(row.rate.decode_tps),
                _middle(row.rate.requests_ps),
                _middle(row.rate.goodput_ps),
                *middle,
                kept,
            )
        )
    drop = () if any(row.rate.goodput_ps for row in rows) else (headers.index("good/s"),)
    notes = (
        ["kept: repeats (and rejected ones, because the machine drifted)."]
        if any(row.stats.rejected for row in rows)
        else []
    )
    return _without(Sheet("Rates and latencies", headers, tuple(body), frozenset({0, 1}), tuple(notes)), drop)


def _limits(rows: Sequence[SpeedRow]) -> Sheet:
    headers = ("model", "shape", "phase", "TFLOP", "GB", "ms", "bound", "MFU", "MBU", "efficiency", "sheet")
    body = []
    for row in rows:
        for part in ("prefill", "decode"):
            phase: Phase | None = getattr(row.limit, part)
            if phase is None:
                continue
            here = phase.measured
            shares = [_percent(getattr(here, name, None)) for name in ("mfu", "mbu", "roofline")]
            sheet = _percent(phase.datasheet.roofline if phase.datasheet else None)
            work = (f"{phase.flops / 1e12:.4g}", f"{phase.bytes / 1e9:.4g}", f"{1000 * phase.seconds:,.1f}")
            body.append((row.model, row.shape, part, *work, here.bound if here else "–", *shares, sheet))
    ceilings = dict.fromkeys(_ceiling(share) for row in rows for share in _shares(row))
    return Sheet("Limits of one wave", headers, tuple(body), frozenset({0, 1, 2, 6}), (*ceilings, LIMIT_NOTE))


def _shares(row: SpeedRow) -> list[Share]:
    whole = row.limit.whole
    return [share for share in (whole.measured, whole.datasheet) if share] if whole else []


def _ceiling(share: Share) -> str:
    return f"{share.name}: {share.flops / 1e12:.4g} TFLOP/s, {share.bandwidth / 1e9:,.4g} GB/s."


def _costs(rows: Sequence[SpeedRow]) -> Sheet:
    headers = ("model", "shape", "J/token", "net J/token", "W", "$/M output", "$/M total")
    body = []
    for row in rows:
        energy, cost = row.energy, row.cost
        net = energy.joules_net / energy.tokens if energy and energy.joules_net is not None else None
        body.append(
            (
                row.model,
                row.shape,
                f"{energy.joules_per_token:.3g}" if energy else "–",
                f"{net:.3g}" if net is not None else "–",
                f"{energy.joules_gross / energy.seconds:,.0f}" if energy else "–",
                f"{cost.usd_per_million_output:,.3g}" if cost else "–",
                f"{cost.usd_per_million_total:,.3g}" if cost else "–",
            )
        )
    prices = dict.fromkeys(
        f"${row.cost.usd_per_hour:g} an hour x {row.cost.gpus}: {row.cost.source}"
        + (f", {row.cost.date}" if row.cost.date else "")
        + "."
        for row in rows
        if row.cost
    )
    return Sheet("Energy and cost", headers, tuple(body), frozenset({0, 1}), tuple(prices))


def _projected(rows: Sequence[SpeedRow]) -> Sheet:
    headers = ("model", "shape", "chip (projected)", "output tok/s", "prefill tok/s", "decode tok/s", "bound")
    body = []
    for row in rows:
        for one in row.projected:
            marks = ", ".join(f"{name} {bound}" for name, bound in one.bound.items()) + (
                "" if one.same_bound else " *"
            )
            body.append(
                (
                    row.model,
                    row.shape,
                    one.chip,
                    _range(one.output_tps),
                    _range(one.prefill_tps),
                    _range(one.decode_tps),
                    marks,
                )
            )
    return Sheet("Projected, not measured", headers, tuple(body), frozenset({0, 1, 2, 6}), (PROJECTED_NOTE,))


def _without(sheet: Sheet, places: Sequence[int]) -> Sheet:
    keep = [place for place in range(len(sheet.headers)) if place not in places]
    rows = tuple(tuple(row[place] for place in keep) for row in sheet.rows)
    return Sheet(sheet.title, tuple(sheet.headers[place] for place in keep), rows, sheet.left, sheet.notes)


def _middle(figure: Figure | None) -> str:
    return "–" if figure is None else _number(figure.median)


def _spread(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    if figure.ci95 is None or not figure.median:
        return _number(figure.median)
    return f"{_number(figure.median)} ±{50 * (figure.ci95[1] - figure.ci95[0]) / figure.median:.1f}%"


def _range(pair: tuple[float, float] | None) -> str:
    return "–" if pair is None else f"{_number(pair[0])} to {_number(pair[1])}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.1f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}%"
