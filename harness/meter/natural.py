"""Natural figures: what an evaluation's own answers cost, from the sums of its cells
(`harness.meter.tally`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.meter.checks import MeasurementError, require_clock, require_finite
from harness.meter.tally import CostTally, add
from harness.results.cost import (
    AnswerLatency,
    CostRow,
    EnergyUsed,
    Limit,
    Memory,
    Money,
    Quality,
    Rate,
    TokenFigures,
)
from harness.results.records import Spread

SCORING = "scoring answers whole items: there is no first token"
NO_PHASES = "this engine reads and writes in one step, or kept no times of its phases"


def cost_row(
    tallies: Sequence[CostTally],
    model: str,
    *,
    task: str | None,
    language: str | None,
    weights: str = "pretrained",
) -> CostRow:
    """The figures of some tallies of one model.

    Costs of a right answer are those of the tallies whose metric counts answers.
    """
    # What a right answer costs is asked only of tasks whose metric counts answers; the rest of the
    # time must not be charged to them.
    whole = add(tallies)
    counted = [tally for tally in tallies if tally.correct is not None]
    right = add(counted) if counted else None

    return CostRow(
        model=model,
        task=task,
        language=language,
        weights=weights,
        items=whole.items,
        sessions=whole.sessions,
        seconds=round(whole.seconds, 6),
        tokens=_tokens(whole),
        rate=_rate(whole),
        answer_tokens=spread(whole.samples.get("output", [])),
        latency_ms=_latency(whole),
        memory=Memory(
            load_seconds=whole.load_seconds,
            peak_rss_bytes=whole.peak_rss_bytes,
            peak_device_bytes=whole.peak_device_bytes,
            reason=None
            if whole.peak_device_bytes is not None
            else "no CUDA memory of this process to be read",
        ),
        limit=_limit(whole, right),
        energy=_energy(whole, right),
        money=_money(whole, right),
        quality=_quality(whole, right),
    )


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and quantiles; None of nothing. Raises NotFiniteError for a value that is no number."""
    if not values:
        return None
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    mean = require_finite("a mean", float(array.mean()))
    p50, p90, p95, p99 = (float(value) for value in np.percentile(array, [50, 90, 95, 99]))
    return Spread(n=len(values), mean=mean, p50=p50, p90=p90, p95=p95, p99=p99)


def latencies(answers: Sequence[Any]) -> tuple[dict[str, list[float]], str | None]:
    """Samples of ttft, tpot and e2e in milliseconds of generations, or none and the reason why (a
    missing or broken clock).
    """
    try:
        require_clock(answers)
    except MeasurementError as error:
        return {}, str(error)

    first = [1000 * answer.first_token for answer in answers]
    last = [1000 * answer.last_token for answer in answers]
    steps = [answer.tokens.output - 1 for answer in answers]

    # An answer of one token has no time between tokens.
    tpot = [(end - begin) / count for begin, end, count in zip(first, last, steps, strict=True) if count > 0]
    return {
        name: [round(value, 4) for value in values]
        for name, values in (("ttft", first), ("tpot", tpot), ("e2e", last))
    }, None


def _tokens(tally: CostTally) -> TokenFigures:
    prompt, computed, shared, output = tally.tokens
    characters, size = tally.read or (None, None)

    return TokenFigures(
        prompt=prompt,
        computed=computed,
        shared=shared,
        output=output,
        read_characters=characters,
        read_bytes=size,
        written_characters=tally.written[0],
        written_bytes=tally.written[1],
        read_characters_per_token=_by(characters, prompt),
        written_characters_per_token=_by(tally.written[0], output),
    )


def _rate(tally: CostTally) -> Rate:
    if tally.seconds <= 0:
        return Rate(reason="the clock did not move")

    prompt, computed, _, output = tally.tokens
    prefill, decode = tally.prefill, tally.decode
    size = tally.read
    return Rate(
        items=tally.items / tally.seconds,
        prompt_tokens=prompt / tally.seconds,
        computed_tokens=computed / tally.seconds,
        output_tokens=output / tally.seconds,
        prefill_tokens=_by(prefill[0], prefill[2]) if prefill else None,
        prefill_computed_tokens=_by(prefill[1], prefill[2]) if prefill else None,
        decode_tokens=_by(decode[0], decode[1]) if decode else None,
        characters=(size[0] + tally.written[0]) / tally.seconds if size else None,
        bytes=(size[1] + tally.written[1]) / tally.seconds if size else None,
        written_characters=tally.written[0] / tally.seconds,
        reason=NO_PHASES if prefill is None or (decode is None and tally.generated) else None,
    )


def _latency(tally: CostTally) -> AnswerLatency:
    reason = tally.latency_reason if tally.generated else SCORING
    spreads = {name: spread(tally.samples.get(name, [])) for name in ("ttft", "tpot", "e2e")}
    return AnswerLatency(**spreads, reason=reason if spreads["e2e"] is None else None)


def _limit(tally: CostTally, right: CostTally | None) -> Limit:
    setting = tally.setting
    mfu, reason = None, tally.flops_reason or setting.ceiling_reason
    if tally.flops is not None and setting.ceiling_flops and tally.seconds > 0:
        mfu = require_finite("MFU", tally.flops / tally.seconds / setting.ceiling_flops)
        reason = None

    return Limit(
        flops=tally.flops,
        flops_per_item=_by(tally.flops, tally.items),
        flops_per_correct=_by(right.flops, right.correct) if right else None,
        mfu=mfu,
        ceiling=setting.ceiling,
        ceiling_flops=setting.ceiling_flops,
        reason=reason,
    )


def _energy(tally: CostTally, right: CostTally | None) -> EnergyUsed:
    joules = tally.joules
    item = _by(joules.gross, joules.items)

    return EnergyUsed(
        joules_gross=joules.gross,
        joules_idle=joules.idle,
        joules_net=joules.net,
        items=joules.items,
        seconds=round(joules.seconds, 6),
        source=joules.source,
        joules_per_item=item,
        joules_per_correct=_of_right(_by(right.joules.gross, right.joules.items), right) if right else None,
        reason=joules.reason,
    )


def _money(tally: CostTally, right: CostTally | None) -> Money:
    setting = tally.setting
    if setting.usd_per_hour is None:
        return Money(accelerators=setting.accelerators, reason=setting.price_reason)

    second = setting.usd_per_hour * setting.accelerators / 3600
    return Money(
        usd=second * tally.seconds,
        usd_per_item=_by(second * tally.seconds, tally.items),
        usd_per_correct=_by(second * right.seconds, right.correct) if right else None,
        usd_per_million_output_tokens=_by(1e6 * second * tally.seconds, tally.tokens[3]),
        usd_per_hour=setting.usd_per_hour,
        accelerators=setting.accelerators,
        price_source=setting.price_source,
        price_date=setting.price_date,
    )


def _quality(tally: CostTally, right: CostTally | None) -> Quality:
    if right is None:
        return Quality(metric=tally.metric, reason=tally.correct_reason)
    return Quality(
        metric=right.metric, n=right.marked, correct=right.correct, accuracy=_by(right.correct, right.marked)
    )


def _of_right(per_item: float | None, right: CostTally) -> float | None:
    return None if per_item is None else _by(per_item * right.items, right.correct)


def _by(value: float | None, count: float | None) -> float | None:
    return value / count if value is not None and count else None
