"""The engine on a GPU: a real shape with random weights in bf16, against lm-eval's HF engine and
the measured matrix-product ceiling.

usage: python scripts/bench_engine_gpu.py --mirror DIR [--model ID] [--dtype NAME] [--device cuda]
[--limit N] [--layers N] [--out FILE] Random weights: honest for speed, never for accuracy. Prints a
short table; JSON (machine, versions, seconds, tokens/s, TFLOP/s and their share of the best square
product of the same run) goes to results/recorded/bench-engine-gpu.json. Without lm-eval its column
stays empty. ``--device cpu --layers 2 --limit 4`` tries the script where there is no GPU.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import torch  # noqa: E402
from engine_bench import writing  # noqa: E402
from engine_bench.cases import CASES, questions  # noqa: E402
from engine_bench.ceiling import best_square, linear_flops  # noqa: E402

from harness.config.schema import ModelSpec  # noqa: E402
from harness.engines import open_engine, resolve_model  # noqa: E402
from harness.engines.transformers.engine import TransformersEngine  # noqa: E402
from harness.evaluation.manifest import describe_hardware, package_versions  # noqa: E402
from harness.items import Choice, Completion  # noqa: E402
from harness.workers.devices import find_machine  # noqa: E402

SCORED = (
    "C-Eval, one subject, 5-shot",
    "CMMLU, one subject, 5-shot",
    "HellaSwag, 4-shot, resampled",
    "ARC-easy, 0-shot",
)
_BATCH = 16


class Bench:
    """One loaded model, asked by our engine and, where it is installed, by lm-eval's on the same
    weights.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        overrides = {"num_hidden_layers": options.layers} if options.layers else {}
        spec = ModelSpec(
            id=options.model,
            weights="random",
            dtype=options.dtype,
            engine="transformers",
            config_overrides=overrides,
        )
        files = resolve_model(spec, options.mirror)
        self.options = options
        engine = open_engine(spec, files, options.device)
        assert isinstance(engine, TransformersEngine)
        self.engine = engine
        self.lm: Any = None

        # Both engines ask the same module, so weights cannot differ.
        if importlib.util.find_spec("lm_eval"):
            from lm_eval.models.huggingface import HFLM

            self.lm = HFLM(pretrained=self.engine._model, tokenizer=str(files.tokenizer), batch_size=_BATCH)
        size = 4096 if options.device.startswith("cuda") else 1024
        self.ceiling = best_square(self.engine._model.dtype, options.device, (size, 2 * size))

    def clock(self, work: Any) -> tuple[float, Any]:
        """(seconds until the device is done, what the work returns)."""
        self._wait()
        started = time.perf_counter()
        value = work()
        self._wait()
        return time.perf_counter() - started, value

    def _wait(self) -> None:
        if self.options.device.startswith("cuda"):
            torch.cuda.synchronize()

    def score(self, items: list[Choice]) -> dict[str, Any]:
        """Seconds, tokens a second, FLOP/s, and lm-eval's seconds."""
        counted, hooks = linear_flops(self.engine._model)
        seconds, answers = self.clock(lambda: list(self.engine.score(items)))
        for hook in hooks:
            hook.remove()

        # The hooks see the layers only; the output head works on the rows whose logits are read.
        head = 2 * self.engine._model.get_output_embeddings().weight.numel()
        rows = sum(
            len({pair[0] for pair in item.pairs}) if _single(answer) else sum(answer.lengths)
            for item, answer in _by_key(items, answers)
        )

        row = {
            "questions": len(items),
            "seconds": seconds,
            "logical_tokens": sum(answer.tokens.prompt for answer in answers),
            "computed_tokens": sum(answer.tokens.computed for answer in answers),
            "flops": sum(count for _, count in counted) + head * rows,
        }
        if self.lm is not None:
            from lm_eval.api.instance import Instance

            pairs = [pair for item in items for pair in item.pairs]
            requests = [
                Instance("loglikelihood", {}, pair, index, ("bench", 0, 1))
                for index, pair in enumerate(pairs)
            ]
            row["lm_eval_seconds"] = self.clock(lambda: self.lm.loglikelihood(requests, disable_tqdm=True))[0]
        return row

    def write(self, items: list[Completion]) -> dict[str, Any]:
        """The same for texts; FLOPs are not counted."""
        seconds, answers = self.clock(lambda: list(self.engine.generate(items)))

        row = {
            "questions": len(items),
            "seconds": seconds,
            "written_tokens": sum(answer.tokens.output for answer in answers),
        }
        if self.lm is not None:
            from lm_eval.api.instance import Instance

            # One budget a batch is all that it knows: grouped by budget, it could not mix them.
            options = [{"until": [], "max_gen_toks": item.max_tokens, "do_sample": False} for item in items]
            each = zip(items, options, strict=True)
            requests = [
                Instance("generate_until", {}, (item.prompt, settings), index, ("bench", 0, 1))
                for index, (item, settings) in enumerate(each)
            ]
            seconds, _ = self.clock(lambda: self.lm.generate_until(requests, disable_tqdm=True))
            row["lm_eval_seconds"] = seconds
        return row


def _single(answer: Any) -> bool:
    return all(length == 1 for length in answer.lengths)


def _by_key(items: list[Choice], answers: list[Any]) -> list[tuple[Choice, Any]]:
    answer_of = {answer.key: answer for answer in answers}
    return [(item, answer_of[item.key]) for item in items]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Every case, after one question of it to warm up."""
    bench = Bench(options)
    rows: dict[str, Any] = {}
    for case in CASES:
        if case.name in SCORED:
            (items,) = questions(replace(case, sketch=False), options.mirror, ROOT, options.limit)
            list(bench.engine.score(items[:1]))
            rows[case.name] = bench.score(items)

    without_examples = next(case for case in writing.CASES if case.shots is None)
    prompts = writing.questions(without_examples, options.mirror, ROOT, options.limit)

    # Random weights never stop, so budgets differ as lengths of real answers do.
    draw = random.Random(0)  # random weights never stop: budgets that differ as lengths do
    texts = [
        replace(item, stop=(), max_tokens=draw.choice((16, 64, 256)), ignore_eos=True) for item in prompts
    ]
    list(bench.engine.generate(texts[:2]))
    rows["generation, budgets of 16, 64 and 256"] = bench.write(texts)
    return {
        "model": options.model,
        "weights": "random",
        "ceiling_flops": bench.ceiling,
        "rows": rows,
        "engine": bench.engine.info.extra,
    }


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mirror", type=Path, default=ROOT.parent / "shared/mirror")
    parser.add_argument("--model", default="Qwen/Qwen2.5-7B-Instruct")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--layers", type=int, default=None)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--out", type=Path, default=ROOT / "results/recorded/bench-engine-gpu.json")
    options = parser.parse_args()

    record = {
        "machine": describe_hardware(find_machine("auto")),
        "versions": package_versions(),
        **measure(options),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")

    # Texts have no FLOPs: their rate is of tokens written.
    for name, row in record["rows"].items():
        share = (
            f"{row['flops'] / row['seconds'] / 1e12:.1f} TFLOP/s, "
            f"{row['flops'] / row['seconds'] / record['ceiling_flops']:.0%}"
            if "flops" in row
            else ""
        )
        rate = row.get("computed_tokens", row.get("written_tokens", 0)) / row["seconds"]
        ratio = (
            f"{row['lm_eval_seconds'] / row['seconds']:.1f}x lm-eval"
            if "lm_eval_seconds" in row
            else "no lm-eval"
        )
        print(
            f"{name:40} {row['questions']:4} questions {row['seconds']:8.2f} s {rate:10.0f} tokens/s  "
            f"{share}  {ratio}"
        )


if __name__ == "__main__":
    main()
