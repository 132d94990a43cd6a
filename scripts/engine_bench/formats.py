"""Arg-maxes that change between number formats, on a trained model: ``python -m
engine_bench.formats ROOT MIRROR LIMIT OUT``.

The reference is fp32. lm-eval's bf16 keeps log-probabilities and their sums in bf16; ours are fp32
in every format. On a processor without bf16 our engine computes bf16 weights in fp32, so ours is
measured twice: as it runs here, and made to compute in bf16, as elsewhere.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from engine_bench.asking import Answers
from engine_bench.cases import Case, questions
from engine_bench.peers import LmEval, Ours
from harness.items import Choice

MODEL = "harness/data/models/tiny-qwen"
TASKS = ("arc_easy", "piqa", "openbookqa", "xcopa_zh")
BATCH = 32


def differing(reference: Answers, answers: Answers) -> int:
    """Items whose best choice (the first of equals) is another one."""
    return sum(best(values) != best(answers[key]) for key, values in reference.items())


def best(values: list[float]) -> int:
    """Place of the largest, the first of equals."""
    return values.index(max(values))


def tied(answers: Answers) -> int:
    """Items with several best choices."""
    return sum(values.count(max(values)) > 1 for values in answers.values())


def main() -> None:
    """Writes the counts as JSON."""
    root, mirror, out = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[4])
    limit = int(sys.argv[3]) or None
    items: list[list[Choice]] = questions(Case("formats", TASKS, 0, limit, 0, 0), mirror, root, limit)
    model = root / MODEL
    record: dict[str, Any] = {"model": MODEL, "tasks": TASKS, "items": sum(map(len, items))}

    reference = Ours(model, "float32").answer(items)
    theirs = LmEval(model, "float32", BATCH).answer(items)
    record["lm-eval, fp32"] = {
        "differ": differing(reference, theirs),
        "largest_difference": _worst(reference, theirs),
    }

    # On processors without bf16 products the engine computes in fp32; the patch forbids it.
    ours = Ours(model, "bfloat16")
    runs = {f"ours, bf16 computed in {ours.extra()['compute_dtype']}": ours.answer(items)}
    with mock.patch(
        "harness.engines.transformers.engine.widen", lambda model: str(model.dtype).removeprefix("torch.")
    ):
        forced = Ours(model, "bfloat16")
    runs["ours, bf16 computed in bfloat16"] = forced.answer(items)
    runs["lm-eval, bf16"] = LmEval(model, "bfloat16", BATCH).answer(items)

    for name, answers in runs.items():
        record[name] = {
            "differ": differing(reference, answers),
            "tied": tied(answers),
            "largest_difference": _worst(reference, answers),
        }
        print(name, record[name], file=sys.stderr, flush=True)
    out.write_text(json.dumps(record))


def _worst(left: Answers, right: Answers) -> float:
    return max(abs(a - b) for key, values in left.items() for a, b in zip(values, right[key], strict=True))


if __name__ == "__main__":
    main()
