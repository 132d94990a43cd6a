"""Which of a task's metrics stands for it in tables and comparisons."""

from __future__ import annotations

from collections.abc import Iterable

from harness.results.schema import GroupRow, Row

NORMED = ("arc_", "hellaswag", "piqa", "openbookqa")
"""Tasks reported by length-normed accuracy everywhere, because their options differ in length."""
Key = tuple[str, str]
"""(metric, filter)."""


def primary(name: str, rows: Iterable[Row | GroupRow]) -> Key | None:
    """The metric and filter that a task's line shows: the first that has a value, but

    - ``acc_norm`` where there are acc and acc_norm and the task is ARC, HellaSwag, PIQA or OpenBookQA;
    - ``bits_per_byte`` for perplexity, because words and tokens do not compare across languages and tokenizers.
    """
    keys = list(dict.fromkeys((row.metric, row.filter or "none") for row in rows if row.metric and row.value is not None))
    metrics = {metric for metric, _ in keys}
    wanted = "bits_per_byte" if "bits_per_byte" in metrics else None
    if name.startswith(NORMED) and {"acc", "acc_norm"} <= metrics:
        wanted = "acc_norm"
    return next((key for key in keys if wanted in (None, key[0])), None)
