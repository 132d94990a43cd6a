"""Speed rows as tables: shapes, limits, energy and cost, projections; and flat, for CSV.

No measuring here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.reporting.document import NONE, Document, Table, TableCell, keys, numbers, texts
from harness.reporting.speed_notes import doubt_notes, unprojected
from harness.reporting.texts import Message, Phrase
from harness.results.records import Figure
from harness.results.speed import Phase, Share, SpeedResults, SpeedRow

NOTES = (
    Phrase(
        "tok/s: median of repeats ± half of its 95 % interval (percentile bootstrap); "
        "! where that is wider than asked for."
    ),
    Phrase(
        "prefill and decode: from the engine's own event times; TTFT, TPOT, e2e: medians over "
        "requests, "
        "from intended arrival. -f json has all."
    ),
)
LIMIT_NOTE = Phrase(
    "MFU, MBU, efficiency: shares of the ceilings measured on this machine; "
    "sheet: roofline efficiency against the datasheet."
)
PROJECTED_NOTE = Phrase(
    "projected: a range carried from one datasheet to another, never a measurement; "
    "* the limit changes, so trust it the less."
)


def speed_document(results: SpeedResults) -> Document:
    """All rows: tables for people, speed.json's own data, and every figure flat."""
    return Document(
        results.name,
        tuple(speed_tables(results)),
        (*NOTES, *unprojected(results)),
        data=lambda: results.model_dump(mode="json"),
        records=lambda: csv_rows(results),
    )


def speed_tables(results: SpeedResults) -> list[Table]:
    """One table each of rates and latencies, limits, energy and cost (where there are any), and
    projections (where asked for).
    """
    rows = [row for row in results.rows if row.rate.output_tps is not None]
    shown = [_rates(rows)] if rows else []
    if any(row.limit.whole for row in rows):
        shown.append(_limits([row for row in rows if row.limit.whole]))
    if any(row.energy or row.cost for row in rows):
        shown.append(_costs([row for row in rows if row.energy or row.cost]))
    if any(row.projected for row in rows):
        shown.append(_projected(rows))
    return shown


def csv_rows(results: SpeedResults) -> tuple[list[str], list[dict[str, Any]]]:
    """(columns, rows): every figure of every row by its path in speed.json; raw samples stay
    there.
    """
    flat = [dict(flattened(row.model_dump(mode="json"), "")) for row in results.rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    return columns, [{name: row.get(name) for name in columns} for row in flat]


def flattened(data: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """Every figure of a record by its dotted path; lists as texts."""
    for key, value in data.items():
        name = f"{path}{key}"
        if isinstance(value, dict) and key not in ("reasons", "versions", "bound"):
            yield from flattened(value, f"{name}.")
        elif key == "ci95" and isinstance(value, list):
            yield from ((f"{name}.low", value[0]), (f"{name}.high", value[1]))
        elif isinstance(value, dict):
            yield name, "; ".join(f"{inner}: {text}" for inner, text in value.items())
        elif key in ("samples", "projected"):
            continue
        else:
            yield name, " ".join(map(str, value)) if isinstance(value, list) else value


def _rates(rows: Sequence[SpeedRow]) -> Table:
    figures = [
        "output tok/s",
        "prefill tok/s",
        "decode tok/s",
        "req/s",
        "good/s",
        "TTFT ms",
        "TPOT ms",
        "e2e ms",
    ]
    good = any(row.rate.goodput_ps for row in rows)
    body = []
    for row in rows:
        rate, latency, stats = row.rate, row.latency_ms, row.stats
        settled = " ?" if stats.doubts else "" if stats.settled else " !"
        cells = [
            TableCell(row.model),
            TableCell(row.shape),
            TableCell(_spread(rate.output_tps) + settled, _value(rate.output_tps)),
        ]
        cells += [_middle(figure) for figure in (rate.prefill_tps, rate.decode_tps, rate.requests_ps)]
        cells += [_middle(rate.goodput_ps)] if good else []
        cells += [
            TableCell(f"{part.p50:,.1f}", part.p50) if part else TableCell(NONE)
            for part in (latency.ttft, latency.tpot, latency.e2e)
        ]
        repeats = stats.repeats - stats.rejected
        rejects = f" (-{stats.rejected})" if stats.rejected else ""
        body.append([*cells, TableCell(f"{repeats}{rejects}", repeats)])

    # Without a deadline in the config no request is good or bad.
    if not good:
        figures.remove("good/s")
    rejected = any(row.stats.rejected for row in rows)
    notes: list[str] = []
    if rejected:
        notes.append(Phrase("repeats: kept (and rejected ones, because the machine drifted)."))
    notes += doubt_notes(rows)
    columns = [*keys("model", "shape"), *numbers(*figures, "repeats")]
    return Table.of(Phrase("Rates and latencies"), columns, body, notes)


def _limits(rows: Sequence[SpeedRow]) -> Table:
    columns = [*keys("model", "shape", "phase"), *numbers("TFLOP", "GB", "ms"), *texts("bound")]
    columns += numbers("MFU", "MBU", "efficiency", "sheet")
    body = []
    for row in rows:
        for name in ("prefill", "decode"):
            phase: Phase | None = getattr(row.limit, name)
            if phase is None:
                continue

            # Shares are of this machine's measured ceilings; the datasheet's stands last, apart.
            here = phase.measured
            work = [
                TableCell(f"{phase.flops / 1e12:.4g}", phase.flops / 1e12),
                TableCell(f"{phase.bytes / 1e9:.4g}", phase.bytes / 1e9),
                TableCell(f"{1000 * phase.seconds:,.1f}", 1000 * phase.seconds),
            ]
            shares = [_percent(getattr(here, part, None)) for part in ("mfu", "mbu", "roofline")]
            sheet = _percent(phase.datasheet.roofline if phase.datasheet else None)
            names = [TableCell(row.model), TableCell(row.shape), TableCell(Phrase(name))]
            body.append([*names, *work, TableCell(Phrase(here.bound) if here else NONE), *shares, sheet])
    ceilings = dict.fromkeys(_ceiling(share) for row in rows for share in _shares(row))
    return Table.of(Phrase("Limits of one wave"), columns, body, (*ceilings, LIMIT_NOTE))


def _shares(row: SpeedRow) -> list[Share]:
    whole = row.limit.whole
    return [share for share in (whole.measured, whole.datasheet) if share] if whole else []


def _ceiling(share: Share) -> str:
    return Message(f"{share.name}: {share.flops / 1e12:.4g} TFLOP/s, {share.bandwidth / 1e9:,.4g} GB/s.")


def _costs(rows: Sequence[SpeedRow]) -> Table:
    columns = [*keys("model", "shape"), *numbers("J/token", "net J/token", "W", "$/M output", "$/M total")]
    body = []
    for row in rows:
        energy, cost = row.energy, row.cost
        net = energy.joules_net / energy.tokens if energy and energy.joules_net is not None else None
        watts = energy.joules_gross / energy.seconds if energy else None
        body.append(
            [
                TableCell(row.model),
                TableCell(row.shape),
                _formatted(energy.joules_per_token if energy else None, ".3g"),
                _formatted(net, ".3g"),
                _formatted(watts, ",.0f"),
                _formatted(cost.usd_per_million_output if cost else None, ",.3g"),
                _formatted(cost.usd_per_million_total if cost else None, ",.3g"),
            ]
        )

    # The same price stands behind many rows, and is cited once.
    prices = dict.fromkeys(
        Message(
            f"${row.cost.usd_per_hour:g} an hour x {row.cost.gpus}: {row.cost.source}"
            + (f", {row.cost.date}" if row.cost.date else "")
            + "."
        )
        for row in rows
        if row.cost
    )
    return Table.of(Phrase("Energy and cost"), columns, body, prices)


def _projected(rows: Sequence[SpeedRow]) -> Table:
    columns = [
        *keys("model", "shape", "chip (projected)"),
        *numbers("output tok/s", "prefill tok/s", "decode tok/s"),
    ]
    columns += texts("bound")
    body = []
    for row in rows:
        for one in row.projected:
            # A projection across a change of the limit is a guess at best, and is marked.
            marks = ", ".join(f"{name} {bound}" for name, bound in one.bound.items())
            marks += "" if one.same_bound else " *"
            ranges = map(_range, (one.output_tps, one.prefill_tps, one.decode_tps))
            body.append([row.model, row.shape, one.chip, *ranges, marks])
    return Table.of(Phrase("Projected, not measured"), columns, body, (PROJECTED_NOTE,))


def _formatted(value: float | None, form: str) -> TableCell:
    return TableCell(NONE) if value is None else TableCell(format(value, form), value)


def _value(figure: Figure | None) -> float | None:
    return None if figure is None else figure.median


def _middle(figure: Figure | None) -> TableCell:
    return TableCell(NONE) if figure is None else TableCell(_number(figure.median), figure.median)


def _spread(figure: Figure | None) -> str:
    if figure is None:
        return NONE
    if figure.ci95 is None or not figure.median:
        return _number(figure.median)
    return f"{_number(figure.median)} ±{50 * (figure.ci95[1] - figure.ci95[0]) / figure.median:.1f}%"


def _range(pair: tuple[float, float] | None) -> str:
    return NONE if pair is None else f"{_number(pair[0])} to {_number(pair[1])}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.1f}"


def _percent(share: float | None) -> TableCell:
    return TableCell(NONE) if share is None else TableCell(f"{100 * share:.1f}%", share)
