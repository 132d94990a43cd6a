"""Generation whose lengths really differ: questions of the mirror continued by small trained models
that stop by themselves.

One peer in a process of its own: ``python -m engine_bench.writing ORDERS.json``, as `peers`.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_bench.measure import measured, resident_mb
from harness.config.schema import ModelSpec, TaskEntry
from harness.engines import open_engine
from harness.items import Completion
from harness.tasks import DataSources, expand, load
from harness.tasks.api import PromptStyle


@dataclass(frozen=True)
class Case:
    """``model``: below the repository or the mirror; ``shots`` None: the question alone, cut to 200
    characters, ended by ``stop``.
    """

    name: str
    model: str
    task: str
    shots: int | None
    questions: int
    stop: tuple[str, ...] = ()
    transformers: bool = False


TINY, STORIES = "harness/data/models/tiny-qwen", "models/karpathy/stories260K"
CASES = (
    Case("tiny-qwen, GSM8K 5-shot", TINY, "gsm8k", 5, 64),
    Case("tiny-qwen, GSM8K CoT 5-shot (shared)", TINY, "gsm8k_cot", 5, 64),
    Case("tiny-qwen, plain", TINY, "gsm8k", None, 256, ("\n\n",), transformers=True),
    Case("stories260K, plain", STORIES, "gsm8k", None, 256, ("\n",)),
)


def questions(case: Case, mirror: Path, root: Path, limit: int | None) -> list[Completion]:
    """The items of a case, greedy."""
    most = min(case.questions, limit or case.questions)
    entry = TaskEntry.model_validate({"task": case.task, "fewshot": case.shots or 0})
    (spec,) = expand([entry], limit=most, base_dir=root).tasks
    task = load(spec, DataSources(mirror=mirror), seed=1234, allow_code=False)
    items = [
        item
        for item in task.items(PromptStyle(chat=None, multiturn=False), most)
        if isinstance(item, Completion)
    ]
    if case.shots is not None:
        return items
    return [
        Completion(item.key, item.prompt.removeprefix("Question: ").split("\n")[0][:200], case.stop, 256)
        for item in items
    ]


class Ours:
    """harness's transformers engine."""

    def __init__(self, model: Path, _: int) -> None:
        self.engine: Any = open_engine(ModelSpec(id=str(model), dtype="float32"), device="cpu")

    def answer(self, items: list[Completion]) -> dict[str, str]:
        """Texts by item."""
        self.lengths = {}
        texts = {}
        for answer in self.engine.generate(items):
            texts[answer.key] = answer.text
            self.lengths[answer.key] = answer.tokens.output
        return texts


class LmEval:
    """lm-eval's own HF engine."""

    def __init__(self, model: Path, batch: int) -> None:
        from lm_eval.models.huggingface import HFLM

        self.lm: Any = HFLM(pretrained=str(model), dtype="float32", batch_size=batch, device="cpu")

    def answer(self, items: list[Completion]) -> dict[str, str]:
        """Texts by item."""
        from lm_eval.api.instance import Instance

        options = [
            {"until": list(item.stop), "max_gen_toks": item.max_tokens, "do_sample": False} for item in items
        ]
        pairs = enumerate(zip(items, options, strict=True))
        requests = [
            Instance("generate_until", {}, (item.prompt, option), index, ("bench", 0, 1))
            for index, (item, option) in pairs
        ]
        return {
            item.key: text
            for item, text in zip(items, self.lm.generate_until(requests, disable_tqdm=True), strict=True)
        }


class Library:
    """transformers' own continuous batching (``generate_batch``).

    It knows no stop texts: it writes to EOS or to the budget.
    """

    def __init__(self, model: Path, rows: int) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(model)
        self.model: Any = AutoModelForCausalLM.from_pretrained(model, dtype="float32")
        self.rows = rows

    def answer(self, items: list[Completion]) -> dict[str, str]:
        """Texts by item, cut at the stops afterwards."""
        from transformers import ContinuousBatchingConfig, GenerationConfig

        ids = [self.tokenizer(item.prompt)["input_ids"] for item in items]
        config = GenerationConfig(
            max_new_tokens=256, do_sample=False, eos_token_id=self.model.generation_config.eos_token_id
        )
        # By itself it takes all memory, and minutes for one answer.
        room = ContinuousBatchingConfig(max_batch_tokens=256, num_blocks=64)
        answers = self.model.generate_batch(ids, config, progress_bar=False, continuous_batching_config=room)
        # The library numbers its requests; their names do not sort as the numbers do.
        names = sorted(answers, key=lambda name: int(name.rsplit("_", 1)[1]))
        texts = [
            self.tokenizer.decode(answers[name].generated_tokens, skip_special_tokens=True) for name in names
        ]

        for item, text in zip(items, texts, strict=True):
            for stop in item.stop:
                texts[texts.index(text)] = text = text.split(stop)[0]
        return {item.key: text for item, text in zip(items, texts, strict=True)}


def main() -> None:
    """Orders: {peer, batch, mirror, root, limit, cases, out}.

    Writes what was measured to ``out``.
    """
    orders = json.loads(Path(sys.argv[1]).read_text())
    mirror, root = Path(orders["mirror"]), Path(orders["root"])

    cases = {}
    for case in (case for case in CASES if case.name in orders["cases"]):
        items = questions(case, mirror, root, orders["limit"])
        folder = (mirror if case.model.startswith("models/") else root) / case.model
        started = time.perf_counter()
        peer: Any = {"ours": Ours, "lm-eval": LmEval, "transformers": Library}[orders["peer"]](
            folder, orders["batch"]
        )
        loaded = time.perf_counter() - started

        # The first call pays for what is built once; the measurement starts after it.
        peer.answer(items[:2])
        idle = resident_mb()
        texts, cost = measured(lambda peer=peer, items=items: peer.answer(items))  # type: ignore[misc]

        row = {
            **cost,
            "load_seconds": loaded,
            "above_idle_mb": cost["peak_mb"] - idle,
            "questions": len(items),
            "texts": texts,
        }
        cases[case.name] = row | {"lengths": getattr(peer, "lengths", None)}
        print(
            orders["peer"],
            orders["batch"],
            case.name,
            {key: round(value, 2) for key, value in cost.items()},
            file=sys.stderr,
            flush=True,
        )
    Path(orders["out"]).write_text(json.dumps({"batch_size": orders["batch"], "cases": cases}))


if __name__ == "__main__":
    main()
