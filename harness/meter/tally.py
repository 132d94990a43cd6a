"""Sums over a cell's answers, of which its natural figures are made (`harness.meter.natural`): kept
by the journal, added up over cells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.meter.token_prices import TokenRates


@dataclass(frozen=True)
class Setting:
    """What holds for all answers of a worker: its accelerators, the price of one's hour or of an
    endpoint's tokens, the peak FLOP/s of all; None with the reason.
    """

    accelerators: int = 1
    usd_per_hour: float | None = None
    price_source: str | None = None
    price_date: str | None = None
    price_reason: str | None = None
    ceiling: str | None = None
    ceiling_flops: float | None = None
    ceiling_reason: str | None = None
    rates: TokenRates | None = None
    currency: str = "USD"


@dataclass(frozen=True)
class Joules:
    """Energy of ``items`` answers, those of sessions metered to their end."""

    gross: float | None = None
    idle: float | None = None
    net: float | None = None
    items: int = 0
    seconds: float = 0.0
    source: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class CostTally:
    """Sums over answers; ``samples`` are lists with one number per answer: output tokens, and ttft, tpot,
    e2e in milliseconds. ``requests``: an endpoint's counts (`harness.engines.openai.tries`);
    ``uncounted``: answers without token counts; ``correct_ci95``: the share of right answers.
    """

    items: int
    sessions: int
    seconds: float
    tokens: tuple[int, int, int, int]
    """Prompt, computed, shared, output."""
    read: tuple[int, int] | None
    """Characters and bytes; None where an item is not known any more."""
    written: tuple[int, int]
    prefill: tuple[int, int, float] | None
    """Logical and computed prompt tokens, seconds."""
    decode: tuple[int, float] | None
    """Tokens after the first, seconds."""
    flops: float | None
    flops_reason: str | None
    joules: Joules
    correct: float | None
    marked: int
    metric: str | None
    correct_reason: str | None
    setting: Setting
    generated: bool
    samples: dict[str, list[float]] = field(default_factory=dict)
    latency_reason: str | None = None
    load_seconds: float | None = None
    peak_rss_bytes: int | None = None
    peak_device_bytes: int | None = None
    requests: dict[str, int] | None = None
    uncounted: int = 0
    correct_ci95: tuple[float, float] | None = None
    timed_from: str = "batch"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the journal."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CostTally:
        """The tally that `to_dict` wrote."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        setting, rates = data["setting"], data["setting"].get("rates")
        parts = {
            "joules": Joules(**data["joules"]),
            "setting": Setting(**setting | {"rates": TokenRates(**rates) if rates else None}),
        }
        return cls(**fields | parts)


def add(tallies: Sequence[CostTally]) -> CostTally:
    """The sum of some tallies of one model.

    What one of them lacks, the sum lacks; energy adds up over the items that have it.
    """
    first = tallies[0]
    if len(tallies) == 1:
        return first

    # Costs lack what a part lacks, for a sum of some parts would look like the whole. Times of
    # phases are only used as rates, for which some parts are enough.
    return CostTally(
        items=sum(tally.items for tally in tallies),
        sessions=max(tally.sessions for tally in tallies),
        seconds=math.fsum(tally.seconds for tally in tallies),
        tokens=_columns([tally.tokens for tally in tallies]),
        read=_all([tally.read for tally in tallies]),
        written=_columns([tally.written for tally in tallies]),
        prefill=_some([tally.prefill for tally in tallies]),
        decode=_some([tally.decode for tally in tallies]),
        flops=None
        if any(tally.flops is None for tally in tallies)
        else math.fsum(tally.flops or 0.0 for tally in tallies),
        flops_reason=next((tally.flops_reason for tally in tallies if tally.flops_reason), None),
        joules=_joules([tally.joules for tally in tallies]),
        correct=None
        if any(tally.correct is None for tally in tallies)
        else math.fsum(tally.correct or 0.0 for tally in tallies),
        marked=sum(tally.marked for tally in tallies),
        metric=first.metric if len({tally.metric for tally in tallies}) == 1 else None,
        correct_reason=next((tally.correct_reason for tally in tallies if tally.correct_reason), None),
        setting=tallies[-1].setting,
        generated=any(tally.generated for tally in tallies),
        samples={
            name: [x for tally in tallies for x in tally.samples.get(name, [])] for name in _names(tallies)
        },
        latency_reason=next(
            (tally.latency_reason for tally in tallies if tally.generated and tally.latency_reason),
            first.latency_reason,
        ),
        load_seconds=_most([tally.load_seconds for tally in tallies]),
        peak_rss_bytes=_most([tally.peak_rss_bytes for tally in tallies]),
        peak_device_bytes=_most([tally.peak_device_bytes for tally in tallies]),
        requests=_counts([tally.requests for tally in tallies]),
        uncounted=sum(tally.uncounted for tally in tallies),
        timed_from=first.timed_from,
    )


def _names(tallies: Sequence[CostTally]) -> list[str]:
    return list(dict.fromkeys(name for tally in tallies for name in tally.samples))


def _columns(rows: Sequence[Any]) -> Any:
    return tuple(sum(column) for column in zip(*rows, strict=True))


def _counts(rows: Sequence[dict[str, int] | None]) -> dict[str, int] | None:
    present = [row for row in rows if row is not None]
    names = dict.fromkeys(name for row in present for name in row)
    return {name: sum(row.get(name, 0) for row in present) for name in names} if present else None


def _all(rows: Sequence[Any]) -> Any:
    return None if any(row is None for row in rows) else _columns(rows)


def _some(rows: Sequence[Any]) -> Any:
    present = [row for row in rows if row is not None]
    return _columns(present) if present else None


def _most(values: Sequence[Any]) -> Any:
    present = [value for value in values if value is not None]
    return max(present) if present else None


def _joules(parts: Sequence[Joules]) -> Joules:
    metered = [part for part in parts if part.gross is not None]
    if not metered:
        return Joules(reason=next((part.reason for part in parts if part.reason), None))

    whole = len(metered) == len(parts)
    net = [part.net for part in metered]
    missing = None if whole else next(part.reason for part in parts if part.gross is None)

    return Joules(
        gross=math.fsum(part.gross or 0.0 for part in metered),
        idle=None if None in net else math.fsum(part.idle or 0.0 for part in metered),
        net=None if None in net else math.fsum(value or 0.0 for value in net),
        items=sum(part.items for part in metered),
        seconds=math.fsum(part.seconds for part in metered),
        source="+".join(sorted({part.source for part in metered if part.source})),
        reason=next((part.reason for part in metered if part.reason), None)
        if whole
        else f"a part has none: {missing}",
    )
