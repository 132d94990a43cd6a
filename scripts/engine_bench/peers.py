"""One peer in its own process: loads the model once and answers every case.

Run by bench_engine.py as ``python -m engine_bench.peers``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from engine_bench.asking import Answers, logprobs_of
from engine_bench.cases import CASES, questions
from engine_bench.measure import measured, resident_mb
from harness.items import Choice


class Ours:
    """harness's transformers engine."""

    def __init__(self, model: Path, dtype: str) -> None:
        from harness.config.schema import ModelSpec
        from harness.engines import open_engine

        self.engine: Any = open_engine(ModelSpec(id=str(model), dtype=dtype), device="cpu")

    def answer(self, tasks: list[list[Choice]]) -> Answers:
        """Log-probabilities by item."""
        return {
            f"{number} {score.key}": list(score.logprobs)
            for number, items in enumerate(tasks)
            for score in self.engine.score(items)
        }

    def extra(self) -> dict[str, Any]:
        """What the engine says of itself."""
        info = self.engine.info
        return {"dtype": info.dtype, **info.extra}


class LmEval:
    """lm-eval's own HF engine, asked through its own entry point, one request a choice as its tasks
    make them.
    """

    def __init__(self, model: Path, dtype: str, batch: int) -> None:
        from lm_eval.models.huggingface import HFLM

        self.lm: Any = HFLM(pretrained=str(model), dtype=dtype, batch_size=batch, device="cpu")
        self.batch = batch

    def answer(self, tasks: list[list[Choice]]) -> Answers:
        """Log-probabilities by item; tasks are pooled, as lm-eval does."""
        keys = [
            (f"{place} {item.key}", pair)
            for place, items in enumerate(tasks)
            for item in items
            for pair in item.pairs
        ]
        return logprobs_of(self.lm, keys)

    def extra(self) -> dict[str, Any]:
        """Its batch size."""
        return {"batch_size": self.batch}


def main() -> None:
    """usage: peers.py ORDERS.json: {peer, model, dtype, batch, mirror, root, limit, out, cases}.

    Writes what it measured to ``out``.
    """
    orders = json.loads(Path(sys.argv[1]).read_text())
    mirror, root = Path(orders["mirror"]), Path(orders["root"])
    chosen = [case for case in CASES if case.name in orders["cases"]]
    tasks_of = {case.name: questions(case, mirror, root, orders["limit"]) for case in chosen}

    started = time.perf_counter()
    model = Path(orders["model"])
    peer: Any = (
        Ours(model, orders["dtype"])
        if orders["peer"] == "ours"
        else LmEval(model, orders["dtype"], orders["batch"])
    )
    loaded = time.perf_counter() - started

    # The first call pays for what is built once; the measurement starts after it.
    peer.answer([[Choice("warm", (("Once upon", " a time"), ("Once upon", " b")))]])
    idle = resident_mb()

    results = {}
    for name, tasks in tasks_of.items():
        answers, cost = measured(lambda tasks=tasks: peer.answer(tasks))  # type: ignore[misc]
        results[name] = {
            **cost,
            "above_idle_mb": cost["peak_mb"] - idle,
            "questions": sum(map(len, tasks)),
            "answers": answers,
        }
        print(
            orders["peer"],
            orders["dtype"],
            name,
            {key: round(value, 2) for key, value in cost.items()},
            file=sys.stderr,
            flush=True,
        )
    Path(orders["out"]).write_text(
        json.dumps({"load_seconds": loaded, "idle_mb": idle, "cases": results, **peer.extra()})
    )


if __name__ == "__main__":
    main()
