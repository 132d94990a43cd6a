"""Whether two states of the project score and generate equally fast, and whether alike to the bit.

    git worktree add ../before COMMIT
    python scripts/compare_commits.py ../before . [--rounds 12] [--out FILE]

Each measurement is a fresh process that imports the project from one of the two trees, and the trees
take turns (before, after, after, before, …), so that whatever else the machine does falls on both.
Two models, neither of which needs a download: the bundled tiny-qwen, and seeded noise in
Qwen2.5-0.5B's shape, cut to a few layers. Times are seconds on the clock and, less disturbed by
other programs, of the processor. The interval of a ratio of medians is a bootstrap's over rounds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TINY = "bundled/tiny-qwen"
SHAPE = {
    "vocab_size": 151_936,
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
    "max_position_embeddings": 32_768,
    "rope_theta": 1_000_000.0,
}
"""Of Qwen2.5-0.5B, but for its 24 layers."""
SIZES = {"tiny": (64, 48, 48), "qwen-0.5b-shape": (6, 4, 12)}
"""Questions scored, prompts continued, tokens written for each prompt."""
REPEATS = 3
RESAMPLES = 4000


def make_model(folder: Path, layers: int) -> Path:
    """Writes a model of the shape to a folder, with the tokenizer of tiny-qwen, and returns it."""
    import shutil

    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from harness.config.schema import ModelSpec
    from harness.engines import resolve_model

    torch.manual_seed(0)
    Qwen2ForCausalLM(Qwen2Config(**SHAPE, num_hidden_layers=layers)).save_pretrained(folder)
    for file in resolve_model(ModelSpec(id=TINY)).path.iterdir():
        if file.name.startswith(("tokenizer", "vocab", "merges", "special")):
            shutil.copy(file, folder / file.name)
    return folder


def questions(count: int) -> list[Any]:
    """Multiple choice after five examples: two thirds of one letter, a third of several tokens."""
    from harness.items import Choice

    shots = "".join(
        f"Question: What is {n} plus {n + 2}?\nA. {n}\nB. {2 * n + 2}\nC. {n + 9}\nAnswer: B\n\n"
        for n in range(5)
    )
    items = []
    for number in range(count):
        context = f"{shots}Question: What is {7 * number} minus {number}?\nAnswer:"
        ends = (
            [" A", " B", " C", " D"] if number % 3 else [f" It is {number * n}, no less." for n in range(4)]
        )
        items.append(Choice(str(number), tuple((context, end) for end in ends)))
    return items


def prompts(count: int, tokens: int) -> list[Any]:
    """Prompts with a common beginning, half of them sampled, of various lengths of answer."""
    from harness.items import Completion, Sampling

    beginning = "Once upon a time, there was a girl who counted everything that she saw. " * 4
    return [
        Completion(
            str(number),
            f"{beginning}One day she counted {number} birds and",
            (),
            tokens - number % 5,
            Sampling(temperature=0.8 if number % 2 else 0.0, seed=number),
            ignore_eos=True,
        )
        for number in range(count)
    ]


def measure(name: str, model: str) -> dict[str, Any]:
    """One process's figures: per kind of work, medians of a few repeats, and a digest of the answers."""
    from harness.config.schema import ModelSpec
    from harness.engines import open_engine, resolve_model

    spec = ModelSpec(id=model, dtype="float32")
    engine = open_engine(spec, resolve_model(spec), "cpu")
    scored, continued, tokens = SIZES[name]
    choices, completions = questions(scored), prompts(continued, tokens)
    work: dict[str, Callable[[], Iterator[Any]]] = {
        "scoring": lambda: engine.score(choices),
        "generation": lambda: engine.generate(completions),
    }
    figures: dict[str, Any] = {}
    for kind, run in work.items():
        # The first run warms up allocators and kernels; its answers are the ones compared.
        answers = sorted(map(_facts, run()))
        digest = hashlib.sha256(json.dumps(answers).encode()).hexdigest()[:16]
        seconds, processor = [], []
        for _ in range(REPEATS):
            started, before = time.perf_counter(), time.process_time()
            for _ in run():
                pass
            seconds.append(time.perf_counter() - started)
            processor.append(time.process_time() - before)
        figures[kind] = {
            "seconds": statistics.median(seconds),
            "processor_seconds": statistics.median(processor),
            "digest": digest,
        }
    return figures


def _facts(answer: Any) -> list[Any]:
    """What must not differ between the trees: log-probabilities to the bit, or the text."""
    values = getattr(answer, "logprobs", None)
    return [answer.key, getattr(answer, "text", None) if values is None else [v.hex() for v in values]]


def run_worker(tree: Path, name: str, model: str) -> dict[str, Any]:
    """Measures in a fresh process that imports the project from ``tree``.

    Raises SystemExit with its last line when it fails.
    """
    environment = os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).resolve()), "--worker", name, model]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{tree}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def ratio(before: Sequence[float], after: Sequence[float]) -> dict[str, float]:
    """The ratio of medians, after to before, with a 95 % interval (percentile bootstrap).

    Rounds are drawn as pairs, since both trees of a round met the same load.
    """
    pairs = np.array([before, after])
    draws = np.random.default_rng(0).integers(0, pairs.shape[1], (RESAMPLES, pairs.shape[1]))
    medians = np.median(pairs[:, draws], axis=-1)
    low, high = np.percentile(medians[1] / medians[0], [2.5, 97.5])
    return {
        "before": float(np.median(before)),
        "after": float(np.median(after)),
        "ratio": float(np.median(after) / np.median(before)),
        "low": float(low),
        "high": float(high),
    }


def compare(trees: tuple[Path, Path], name: str, model: str, rounds: int) -> list[dict[str, Any]]:
    """One row per kind of work and kind of time."""
    figures: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for number in range(rounds):
        # Who begins alternates: a machine that warms up or slows down favours neither.
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            figures[side].append(run_worker(trees[side], name, model))
        print(f"{name}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)

    rows = []
    for kind in figures[0][0]:
        digests = {one[kind]["digest"] for side in figures for one in side}
        for clock in ("seconds", "processor_seconds"):
            before, after = ([one[kind][clock] for one in side] for side in figures)
            rows.append(
                {
                    "model": name,
                    "work": kind,
                    "clock": clock,
                    "rounds": rounds,
                    "same_answers": len(digests) == 1,
                    **ratio(before, after),
                }
            )
    return rows


def show(row: dict[str, Any]) -> str:
    """A row for people."""
    same = "the same answers" if row["same_answers"] else "DIFFERENT ANSWERS"
    return (
        f"{row['model']:16} {row['work']:11} {row['clock']:18} {row['before']:8.3f} {row['after']:8.3f} s  "
        f"ratio {row['ratio']:.3f} [{row['low']:.3f}, {row['high']:.3f}]  {same}"
    )


def main() -> int:
    """Compares two trees; 1 where their answers differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--layers", type=int, default=4, help="of the model in Qwen2.5-0.5B's shape")
    parser.add_argument("--models", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--out", type=Path, help="writes the figures as JSON")
    if len(sys.argv) == 4 and sys.argv[1] == "--worker":
        print(json.dumps(measure(*sys.argv[2:])))
        return 0
    args = parser.parse_args()

    sys.path.insert(0, str(ROOT))
    trees = args.before.resolve(), args.after.resolve()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="harness-compare-") as folder:
        for name in args.models:
            model = TINY if name == "tiny" else str(make_model(Path(folder), args.layers))
            rows += compare(trees, name, model, args.rounds)
    for row in rows:
        print(show(row))
    if args.out:
        args.out.write_text(json.dumps({"what": "after against before", "rows": rows}, indent=1) + "\n")
    return 0 if all(row["same_answers"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
