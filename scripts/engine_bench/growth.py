"""Time and memory over 10^3, 10^4, 10^5 short items of a small model: ``python -m
engine_bench.growth MODEL MOST OUT``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine_bench.measure import measured, resident_mb
from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.items import Choice


def items(count: int) -> list[Choice]:
    """Short questions with two answers each, no two alike and all equally long, however many there
    are.
    """
    texts = [f"Lily saw {(n * 7919) % 100_000:05d} birds in the tree. She" for n in range(count)]
    return [Choice(str(n), ((text, " ran home"), (text, " sang."))) for n, text in enumerate(texts)]


def main() -> None:
    """Writes, for each number of items, seconds, and memory: of the items themselves, and above the
    idle engine with its items.
    """
    model, most, out = sys.argv[1:]
    engine = open_engine(ModelSpec(id=model, dtype="float32"), device="cpu")
    list(engine.score(items(200)))

    rows = []
    for count in (size for size in (1_000, 10_000, 100_000) if size <= int(most)):
        # The items themselves take memory, which is none of the engine's.
        before = resident_mb()
        requests = items(count)
        loaded = resident_mb()
        (answered,), cost = measured(lambda requests=requests: (sum(1 for _ in engine.score(requests)),))  # type: ignore[misc]
        row = {
            "items": count,
            "answered": answered,
            **cost,
            "items_mb": loaded - before,
            "above_items_mb": cost["peak_mb"] - loaded,
        }
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    Path(out).write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
