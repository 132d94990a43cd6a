"""Natural figures: what an evaluation's own answers cost, from the sums of its cells
(`harness.meter.tally`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from harness.meter.checks import MeasurementError, require_clock, require_finite, require_last
from harness.meter.money import Interval, money_of
from harness.meter.quantiles import percentiles
from harness.meter.tally import CostTally, add
from harness.results.cost import (
    AnswerLatency,
    CostRow,
    EnergyUsed,
    Limit,
    Memory,
    Quality,
    Rate,
    RequestFigures,
    TokenFigures,
)
from harness.results.records import Distribution

SCORING = "scoring answers whole items: there is no first token"
NO_PHASES = "this engine reads and writes in one step, or kept no times of its phases"


def cost_row(
    tallies: Sequence[CostTally],
    model: str,
    *,
    task: str | None,
    language: str | None,
    weights: str = "pretrained",
    right_share: Interval | None = None,
    scope: Literal["task", "language", "model"] | None = None,
) -> CostRow:
    """The figures of some tallies of one model.

    Costs of a right answer are those of the tallies whose metric counts answers; ``right_share`` is
    the 95 % interval of their share of right answers.
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
        scope=scope or ("task" if task is not None else "language"),
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
        money=money_of(whole, right, right_share),
        requests=_requests(whole),
        quality=_quality(whole, right),
    )


def spread(values: Sequence[float]) -> Distribution | None:
    """Mean and quantiles; None of nothing. Raises NotFiniteError for a value that is no number."""
    if not values:
        return None
    figures = percentiles(values)
    require_finite("a mean", figures["mean"])
    return Distribution(**figures)


def latencies(answers: Sequence[Any]) -> tuple[dict[str, list[float]], str | None]:
    """Samples of ttft, tpot and e2e in milliseconds of generations, and the reason why one is
    missing (a missing or broken clock).

    An endpoint's answers count from their own request, an engine's from the batch. End to end needs
    no first token, so it is there without streams, too.
    """
    try:
        require_last(answers)
    except MeasurementError as error:
        return {}, str(error)
    begins = [answer.sent or 0.0 for answer in answers]
    whole = [1000 * (answer.last_token - begin) for answer, begin in zip(answers, begins, strict=True)]
    samples = {"e2e": _rounded(whole)}

    try:
        require_clock(answers)
    except MeasurementError as error:
        return samples, str(error)
    first = [1000 * (answer.first_token - begin) for answer, begin in zip(answers, begins, strict=True)]
    steps = [answer.tokens.output - 1 for answer in answers]
    # An answer of one token has no time between tokens.
    tpot = [(end - begin) / count for begin, end, count in zip(first, whole, steps, strict=True) if count > 0]
    return {"ttft": _rounded(first), "tpot": _rounded(tpot), **samples}, None


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in values]


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
    missing = None in (spreads["ttft"], spreads["e2e"])
    return AnswerLatency(**spreads, since=tally.timed_from, reason=reason if missing else None)


def _requests(tally: CostTally) -> RequestFigures | None:
    """An endpoint's requests; None for engines in process, which have none."""
    counts = tally.requests
    if counts is None:
        return None
    sent, answered = counts.get("sent", 0), counts.get("answered", 0)
    failed = {
        name.removeprefix("failed."): times for name, times in counts.items() if name.startswith("failed.")
    }
    return RequestFigures(
        sent=sent,
        answered=answered,
        repeated=counts.get("repeated", 0),
        unanswered=counts.get("unanswered", 0),
        failed=failed,
        failures=sum(failed.values()),
        error_share=_by(sum(failed.values()), sent),
        per_second=_by(answered, tally.seconds),
        lost_prompt_tokens=counts.get("lost_prompt", 0),
        lost_output_tokens=counts.get("lost_output", 0),
        lost_uncounted=counts.get("lost_uncounted", 0),
    )


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
