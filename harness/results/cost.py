"""What answers cost: the record of natural figures, one per (model, task) and per (model, language).

A null has its reason beside it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from harness.results.records import Distribution, EnergyRecord, Latency, Record

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
    "ttft": "ms to an item's first token. since batch: from the engine's getting the batch of items, "
    "all of which arrive at once, so waiting for a place counts. since request: from sending the request "
    "that was answered (earlier tries are counted, not timed) to the first chunk with text or thought.",
    "tpot": "ms (last token − first token) / (output tokens − 1), answers of two tokens or more; tokens as "
    "usage counts them, since a chunk of a stream may hold several.",
    "e2e": "ms to an item's last token, since the same moment; needs no stream.",
    "quantiles": "linear interpolation between order statistics (numpy's default). ci95: the two order "
    "statistics that enclose the percentile with 95 %; where no two do, it is null: p90 takes 36 values, "
    "p95 72, p99 368.",
    "requests": "sent to an endpoint, repetitions included; failed by kind, a status as the server gave it; "
    "repeated: failures followed by another try; unanswered: items given up; error_share: failed / sent; "
    "per_second: answered / seconds. A session that was killed left its failures uncounted.",
    "mfu": "FLOPs of computed tokens (docs/meter.md) by seconds and the datasheet's peak in the "
    "number format used, all GPUs together.",
    "energy": "gross: all that the device took while the engine answered. idle: its power before "
    "the load, for as long. net: the "
    "difference. Only sessions that were metered to their end count, and items are theirs.",
    "money": "basis hours: price of an hour × accelerators × seconds, without the load. basis tokens: "
    "(prompt − cached) × price_input + cached × price_cached_input + output × price_output, thoughts being "
    "output, with the tokens of failed tries that the server counted (lost). In currency, never converted.",
    "per_right": "money of the tasks whose metric counts answers by their right answers; low and high "
    "are its 95 % interval, that of the share of right answers turned round.",
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
    """Per second of the engine's wall clock.

    Prefill and decode by the seconds of their own phases.
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
    """Milliseconds; null for scoring. ``since``: what they count from (`DEFINITIONS`)."""

    since: Literal["batch", "request"] = "batch"

    ttft: Distribution | None = None
    tpot: Distribution | None = None
    e2e: Distribution | None = None
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
    """Money for all items, by tokens or by hours; the ``usd`` figures only where that is dollars."""

    basis: Literal["tokens", "hours"] | None = None
    currency: str | None = Field(None, description="ISO code.")
    total: float | None = None
    per_item: float | None = None
    per_1000_items: float | None = None
    per_right: float | None = Field(None, description="Per right answer.")
    per_right_low: float | None = None
    per_right_high: float | None = Field(None, description="Null where it has no upper bound.")
    uncounted: int = Field(0, description="Answers without token counts, which are not in it.")
    lost: float | None = Field(None, description="Of total, for failed tries that the server counted.")
    price_input: float | None = Field(None, description="Per million prompt tokens.")
    price_cached_input: float | None = None
    price_output: float | None = Field(None, description="Per million generated tokens.")
    usd: float | None = None
    usd_per_item: float | None = None
    usd_per_correct: float | None = None
    usd_per_million_output_tokens: float | None = None
    usd_per_hour: float | None = None
    accelerators: int | None = None
    price_source: str | None = None
    price_date: str | None = None
    reason: str | None = None


class RequestFigures(Record):
    """Requests to an endpoint."""

    sent: int
    answered: int
    repeated: int = 0
    unanswered: int = Field(0, description="Items that were given up.")
    failed: dict[str, int] = Field(
        default_factory=dict,
        description="Failures by kind: http_429 (any status), timeout, connection, dropped, unreadable, "
        "error_in_answer.",
    )
    failures: int = 0
    error_share: float | None = Field(None, description="Failures by requests sent.")
    per_second: float | None = Field(None, description="Answered requests per second.")
    lost_prompt_tokens: int = 0
    lost_output_tokens: int = 0
    lost_uncounted: int = Field(0, description="Failed tries that had begun to answer, without counts.")


class Quality(Record):
    """What the cost bought."""

    metric: str | None = None
    n: int = 0
    correct: float | None = None
    accuracy: float | None = None
    reason: str | None = None


class CostRow(Record):
    """Natural figures of one model on one task, on all tasks of one language, or on all its tasks
    (``scope``).
    """

    model: str
    scope: Literal["task", "language", "model"]
    task: str | None = None
    language: str | None = None
    workload: Literal["natural"] = "natural"
    weights: str = "pretrained"
    items: int
    sessions: int
    seconds: float
    tokens: TokenFigures
    rate: Rate
    answer_tokens: Distribution | None = None
    latency_ms: AnswerLatency
    memory: Memory
    limit: Limit
    energy: EnergyUsed
    money: Money
    quality: Quality
    requests: RequestFigures | None = Field(None, description="Null for engines in process.")

    @model_validator(mode="before")
    @classmethod
    def _scope_of_old_rows(cls, data: Any) -> Any:
        """Runs of earlier versions knew rows of tasks and of languages only."""
        if isinstance(data, dict) and "scope" not in data:
            return data | {"scope": "language" if data.get("task") is None else "task"}
        return data
