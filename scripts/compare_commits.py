"""Whether two states of the project score and generate equally fast, and whether alike to the bit.

    git worktree add ../before COMMIT
    python scripts/compare_commits.py ../before . [--sessions 4] [--rounds 10] [--out FILE]

In each session one fresh process imports the project from each of the two trees; then they take
turns with short runs (before, after, after, before, …), so that whatever else the machine does falls
on both. Two models, neither of which needs a download: the bundled tiny-qwen, and seeded noise in
Qwen2.5-0.5B's shape, cut to a few layers. Times are seconds on the clock and, less disturbed by
other programs, of the processor. The interval of a ratio of medians is a bootstrap's over runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
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
KINDS = ("scoring", "generation")
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


def work(name: str, model: str) -> None:
    """A worker: opens the engine and runs the kind of work that each line of standard input names.

    Prints one line of JSON per run; the first ones warm up, and have a digest of the answers.
    """
    from harness.config.schema import ModelSpec
    from harness.engines import open_engine, resolve_model

    spec = ModelSpec(id=model, dtype="float32")
    engine = open_engine(spec, resolve_model(spec), "cpu")
    scored, continued, tokens = SIZES[name]
    choices, completions = questions(scored), prompts(continued, tokens)
    runs: dict[str, Callable[[], Iterator[Any]]] = {
        "scoring": lambda: engine.score(choices),
        "generation": lambda: engine.generate(completions),
    }
    for run in runs.values():
        answers = sorted(map(_facts, run()))
        print(
            json.dumps({"digest": hashlib.sha256(json.dumps(answers).encode()).hexdigest()[:16]}), flush=True
        )

    for line in sys.stdin:
        run = runs[line.strip()]
        started, before = time.perf_counter(), time.process_time()
        for _ in run():
            pass
        figures = {
            "seconds": time.perf_counter() - started,
            "processor_seconds": time.process_time() - before,
        }
        print(json.dumps(figures), flush=True)


def _facts(answer: Any) -> list[Any]:
    """What must not differ between the trees: log-probabilities to the bit, or the text."""
    values = getattr(answer, "logprobs", None)
    return [answer.key, getattr(answer, "text", None) if values is None else [v.hex() for v in values]]


class Worker:
    """A fresh process that imports the project from ``tree``; idle until it is given a turn."""

    def __init__(self, tree: Path, name: str, model: str) -> None:
        self._tree = tree
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--worker", name, model],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.digests = {kind: self._read()["digest"] for kind in KINDS}

    def run(self, kind: str) -> dict[str, float]:
        """Seconds of one run."""
        assert self._process.stdin is not None
        self._process.stdin.write(kind + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """Ends the process, whose input is then at its end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._tree}: the worker failed; run it by hand: --worker NAME MODEL")
        figures: dict[str, Any] = json.loads(line)
        return figures


def ratio(before: Sequence[float], after: Sequence[float]) -> dict[str, float]:
    """The ratio of medians, after to before, with a 95 % interval (percentile bootstrap).

    Runs are drawn as pairs, since both trees of a round met the same load.
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


def compare(
    trees: tuple[Path, Path], name: str, model: str, sessions: int, rounds: int
) -> list[dict[str, Any]]:
    """One row per kind of work and kind of time."""
    figures: dict[str, tuple[list[dict[str, float]], list[dict[str, float]]]]
    figures = {kind: ([], []) for kind in KINDS}
    digests: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for session in range(sessions):
        # Who starts first alternates, too: fresh processes get memory and addresses of their own,
        # which may make one of them a little faster for as long as it lives.
        order = (0, 1) if session % 2 == 0 else (1, 0)
        workers = {side: Worker(trees[side], name, model) for side in order}
        for kind in KINDS:
            digests[kind] |= {worker.digests[kind] for worker in workers.values()}
            for number in range(rounds):
                for side in order if number % 2 == 0 else order[::-1]:
                    figures[kind][side].append(workers[side].run(kind))
        for worker in workers.values():
            worker.close()
        print(f"{name}: session {session + 1} of {sessions}", file=sys.stderr, flush=True)

    rows = []
    for kind in KINDS:
        for clock in ("seconds", "processor_seconds"):
            before, after = ([one[clock] for one in side] for side in figures[kind])
            rows.append(
                {
                    "model": name,
                    "work": kind,
                    "clock": clock,
                    "runs": len(before),
                    "same_answers": len(digests[kind]) == 1,
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
    parser.add_argument("--sessions", type=int, default=4, help="fresh pairs of processes")
    parser.add_argument("--rounds", type=int, default=10, help="runs of each kind and tree in a session")
    parser.add_argument("--layers", type=int, default=4, help="of the model in Qwen2.5-0.5B's shape")
    parser.add_argument("--models", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--out", type=Path, help="writes the figures as JSON")
    if len(sys.argv) == 4 and sys.argv[1] == "--worker":
        work(*sys.argv[2:])
        return 0
    args = parser.parse_args()

    sys.path.insert(0, str(ROOT))
    trees = args.before.resolve(), args.after.resolve()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="harness-compare-") as folder:
        for name in args.models:
            model = TINY if name == "tiny" else str(make_model(Path(folder), args.layers))
            for row in compare(trees, name, model, args.sessions, args.rounds):
                rows.append(row)
                print(show(row), flush=True)
            # After each model: what there is stays, should the next one be interrupted.
            if args.out:
                args.out.write_text(
                    json.dumps({"what": "after against before", "rows": rows}, indent=1) + "\n"
                )
    return 0 if all(row["same_answers"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
