"""Money: of the tokens that an endpoint charged, or of an accelerator's hours."""

from __future__ import annotations

from harness.meter.tally import CostTally, Setting
from harness.meter.token_prices import TokenRates
from harness.results.cost import Money

Interval = tuple[float, float]


def money_of(tally: CostTally, right: CostTally | None, share: Interval | None) -> Money:
    """What the answers cost.

    ``right``: the sums of those tasks whose metric counts answers; ``share``: the 95 % interval of
    their share of right answers. The money was spent and is known, so an interval of the price of a
    right answer is that of the share alone, turned round; its upper end is None where no right
    answer is in it.
    """
    total = spent(tally)
    if total is None:
        return Money(accelerators=tally.setting.accelerators, reason=tally.setting.price_reason)

    setting, per_right, interval = tally.setting, None, None
    if right is not None and right.marked:
        paid = spent(right) or 0.0
        per_right = paid / right.correct if right.correct else None
        interval = _turned(paid, right.marked, share)

    per_item = total / tally.items if tally.items else None
    rates, dollars = setting.rates, setting.currency == "USD"
    per_million = 1e6 * total / tally.tokens[3] if tally.tokens[3] else None
    return Money(
        basis="hours" if rates is None else "tokens",
        currency=setting.currency,
        total=total,
        per_item=per_item,
        per_1000_items=None if per_item is None else 1000 * per_item,
        per_right=per_right,
        per_right_low=interval and interval[0],
        per_right_high=interval and interval[1],
        uncounted=tally.uncounted if rates else 0,
        lost=_lost(tally) if rates else None,
        price_input=rates and rates.input,
        price_cached_input=rates and rates.cached_input,
        price_output=rates and rates.output,
        usd=total if dollars else None,
        usd_per_item=per_item if dollars else None,
        usd_per_correct=per_right if dollars else None,
        usd_per_million_output_tokens=per_million if dollars else None,
        usd_per_hour=None if rates else setting.usd_per_hour,
        accelerators=None if rates else setting.accelerators,
        price_source=setting.price_source,
        price_date=setting.price_date,
        reason=_gaps(tally) if rates else None,
    )


def spent(tally: CostTally) -> float | None:
    """Money for all answers, failed tries that the server counted included; None without a price."""
    setting = tally.setting
    if setting.rates is not None:
        prompt, _, shared, output = tally.tokens
        return setting.rates.cost(prompt, output, shared) + (_lost(tally) or 0.0)
    if setting.usd_per_hour is None:
        return None
    return setting.usd_per_hour * setting.accelerators * tally.seconds / 3600


def with_rates(setting: Setting, rates: TokenRates) -> Setting:
    """A setting in which tokens are paid, not hours."""
    from dataclasses import replace

    return replace(
        setting,
        rates=rates,
        currency=rates.currency,
        price_source=rates.source,
        price_date=rates.date,
        price_reason=None,
    )


def _lost(tally: CostTally) -> float | None:
    """Money for tries that failed although the server had counted their tokens."""
    counts, rates = tally.requests, tally.setting.rates
    if counts is None or rates is None:
        return None
    prompt, cached, output = (counts.get(f"lost_{name}", 0) for name in ("prompt", "cached", "output"))
    return rates.cost(prompt, output, cached)


def _gaps(tally: CostTally) -> str | None:
    """What the sum lacks, in words; None where nothing."""
    broken = (tally.requests or {}).get("lost_uncounted", 0)
    gaps = []
    if tally.uncounted:
        gaps.append(f"{tally.uncounted} of {tally.items} answers came without token counts")
    if broken:
        gaps.append(f"{broken} tries broke off before their token counts, which the seller may charge")
    return f"not in it: {'; '.join(gaps)}" if gaps else None


def _turned(paid: float, marked: int, share: Interval | None) -> tuple[float, float | None] | None:
    """The price of a right answer at both ends of the share of right answers."""
    if share is None or not share[1] > 0:
        return None
    low, high = share
    return paid / (high * marked), paid / (low * marked) if low > 0 else None
