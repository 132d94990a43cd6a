"""What answers cost: the record of natural figures, one per (model, task) and per (model, language).

A null has its reason beside it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.results.records import EnergyRecord, Latency, Record, Spread

DEFINITIONS: dict[str, str] = {
    "workload": "natural: the evaluation's own prompts and endings, from the engine process that "
    "gave the accuracy, after the load.",
    "seconds": "wall clock of the engine on these items, added over sessions and workers; the "
    "load is not in it.",
    "tokens": "the model's own. Logical prompt tokens are what one-by-one work would read, "
    "computed ones went through the model.",
    "prefill": "prompt tokens by the seconds of passes that read prompts (scoring: by all "
    "seconds). Null where an engine reads and writes "
    "in one step.",
    "decode": "output tokens after each answer's first, by the seconds of steps that write them. "
    "Null as for prefill.",
    "characters": "NFC code points; bytes are UTF-8. Read: each context and continuation as "
    "rendered, logical. Written: answers as kept, "
    "thoughts included, stop texts not.",
    "answer_tokens": "generated tokens per answer.",
    "ttft": "ms from the engine's getting the batch of items to an item's first token: all arrive "
    "at once, so waiting for a place counts.",
    "tpot": "ms (last token − first token) / (output tokens − 1), answers of two tokens or more.",
    "e2e": "ms from the engine's getting the batch of items to an item's last token.",
    "quantiles": "linear interpolation between order statistics (numpy's default).",
    "mfu": "FLOPs of computed tokens (docs/meter.md) by seconds and the datasheet's peak in the "
    "number format used, all GPUs together.",
    "energy": "gross: all that the device took while the engine answered. idle: its power before "
    "the load, for as long. net: the "
    "difference. Only sessions that were metered to their end count, and items are theirs.",
    "money": "price of an hour × accelerators × seconds; the load is not in it.",
    "correct": "right answers by the task's primary metric, where that counts answers.",
    "peak_device_bytes": "greatest memory of tensors while these items were answered, weights included.",
    "peak_rss_bytes": "greatest resident memory of the worker up to the end of these items.",
}
"""Every metric's definition, kept with the figures."""


class TokenFigures(Record):
    """Tokens, characters and bytes of all items, and how they go together."""

    prompt: int = Field(description="Logical.")
    computed: int
    shared: int
    output: int
    read_characters: int | None = None
    read_bytes: int | None = None
    written_characters: int = 0
    written_bytes: int = 0
    read_characters_per_token: float | None = None
    written_characters_per_token: float | None = None


class Rate(Record):
    """Per second of the engine's wall clock; prefill and decode by the seconds of their own
    phases.
    """

    items: float | None = None
    prompt_tokens: float | None = Field(None, description="Logical.")
    computed_tokens: float | None = None
    output_tokens: float | None = None
    prefill_tokens: float | None = Field(None, description="Logical prompt tokens by seconds of prefill.")
    prefill_computed_tokens: float | None = Field(
        None, description="Computed prompt tokens by seconds of prefill."
    )
    decode_tokens: float | None = None
    characters: float | None = Field(None, description="Read and written.")
    bytes: float | None = Field(None, description="Read and written.")
    written_characters: float | None = None
    reason: str | None = None


class AnswerLatency(Latency):
    """Milliseconds; null for scoring."""

    ttft: Spread | None = None
    tpot: Spread | None = None
    e2e: Spread | None = None
    reason: str | None = None


class Memory(Record):
    """What the model took."""

    load_seconds: float | None = None
    peak_rss_bytes: int | None = None
    peak_device_bytes: int | None = None
    reason: str | None = None


class Limit(Record):
    """Share of the machine that was reached."""

    flops: float | None = Field(None, description="Of computed tokens.")
    flops_per_item: float | None = None
    flops_per_correct: float | None = None
    mfu: float | None = None
    ceiling: str | None = Field(None, description="Which peak.")
    ceiling_flops: float | None = None
    reason: str | None = None


class EnergyUsed(EnergyRecord):
    """Joules of ``items`` items."""

    items: int = 0
    joules_per_item: float | None = None
    joules_per_correct: float | None = None
    reason: str | None = None


class Money(Record):
    """Dollars of all items."""

    usd: float | None = None
    usd_per_item: float | None = None
    usd_per_correct: float | None = None
    usd_per_million_output_tokens: float | None = None
    usd_per_hour: float | None = None
    accelerators: int | None = None
    price_source: str | None = None
    price_date: str | None = None
    reason: str | None = None


class Quality(Record):
    """What the cost bought."""

    metric: str | None = None
    n: int = 0
    correct: float | None = None
    accuracy: float | None = None
    reason: str | None = None


class CostRow(Record):
    """Natural figures of one model on one task, or (``task`` null) on all tasks of one language."""

    model: str
    task: str | None = None
    language: str | None = None
    workload: Literal["natural"] = "natural"
    weights: str = "pretrained"
    items: int
    sessions: int
    seconds: float
    tokens: TokenFigures
    rate: Rate
    answer_tokens: Spread | None = None
    latency_ms: AnswerLatency
    memory: Memory
    limit: Limit
    energy: EnergyUsed
    money: Money
    quality: Quality
