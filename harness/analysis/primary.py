"""Which of a task's metrics stands for it in tables and comparisons."""

from __future__ import annotations

from collections.abc import Iterable

from harness.results.schema import GroupRow, Row

NORMED = ("arc_", "hellaswag", "piqa", "openbookqa")
"""Tasks reported by length-normed accuracy everywhere, because their options differ in length."""
Key = tuple[str, str]
"""(metric, filter)."""


def primary(name: str, rows: Iterable[Row | GroupRow]) -> Key | None:
    """The metric and filter that a task's line shows.

    The first that has a value, but ``acc_norm`` where there are acc and acc_norm and the task is
    ARC, HellaSwag, PIQA or OpenBookQA, and ``bits_per_byte`` for perplexity, because words and
    tokens do not compare across languages and tokenizers.

    Of several filters (ways to extract the answer) that is the first in the task's own definition,
    which published figures follow.
    """
    keys = list(
        dict.fromkeys(
            (row.metric, row.filter or "none") for row in rows if row.metric and row.value is not None
        )
    )

    metrics = {metric for metric, _ in keys}
    preferred = "bits_per_byte" if "bits_per_byte" in metrics else None
    if name.startswith(NORMED) and {"acc", "acc_norm"} <= metrics:
        preferred = "acc_norm"
    return next((key for key in keys if preferred in (None, key[0])), None)


def disagreeing(key: Key | None, rows: Iterable[Row | GroupRow]) -> tuple[Key, ...]:
    """The other filters of the primary metric under which a model scores otherwise.

    In the task's order: same answers, read otherwise.
    """
    if key is None:
        return ()

    by_filter: dict[Key, dict[str, set[float]]] = {}
    for row in rows:
        if row.metric == key[0] and row.value is not None:
            by_filter.setdefault((row.metric, row.filter or "none"), {}).setdefault(row.model, set()).add(
                row.value
            )

    main = by_filter.get(key, {})
    return tuple(other for other, values in by_filter.items() if other != key and values != main)
