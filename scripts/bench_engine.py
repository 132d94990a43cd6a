"""The engine against lm-eval's own HF engine and the shared-prefix sketch: scoring, generation,
prompts, memory and growth, in one run.

usage: python scripts/bench_engine.py [--quick] [--parts NAME ...] [--limit N] [--only TEXT ...]
    [--dtypes NAME ...] [--batch N ...] [--write-batch N ...] [--out FILE]

Prints a table; the JSON (machine, versions, raw seconds, ratios) goes to
results/recorded/bench-engine-cpu.json, where the parts measured (scoring, generation, prompts,
ceiling, growth, formats: all, unless ``--parts`` names some) replace those that were there. Every
peer is a process of its own that loads the same model and answers the same questions in the same
number format; ours runs before and after the others, and its slower time counts, so that a machine
that drifts favours nobody. ``--limit`` asks fewer questions per task, ``--only`` keeps the cases
whose names contain a text; ``--quick`` is for trying the script: six questions, two cases, nothing
written without ``--out``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from engine_bench import writing  # noqa: E402
from engine_bench.cases import CASES, SUBJECTS, Case  # noqa: E402
from engine_bench.model import make  # noqa: E402
from engine_bench.table import figures, generation, show  # noqa: E402

from harness.evaluation.manifest import describe_hardware, package_versions  # noqa: E402
from harness.workers.devices import find_machine  # noqa: E402

PARTS = ("scoring", "generation", "prompts", "ceiling", "growth", "formats")


class Bench:
    """One run: where things are, and how a peer is started."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self.options = options
        self.scratch = scratch
        self.mirror = Path(options.mirror).resolve()

    def python(self, *arguments: str | Path, **environment: str) -> str:
        """Runs Python with the repository importable; returns what it printed.

        Ends the script where it fails.
        """
        path = os.pathsep.join([str(ROOT), str(ROOT / "scripts")])

        # Tokenizers may use all cores, as they do in a real run; nobody asks the hub.
        environment = (
            os.environ
            | {"PYTHONPATH": path, "TOKENIZERS_PARALLELISM": "true", "HF_HUB_OFFLINE": "1"}
            | environment
        )

        process = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, arguments))} failed ({process.returncode})")
        return process.stdout

    def module(self, name: str, *arguments: str | Path) -> Any:
        """Runs one of engine_bench's modules, which writes JSON to its last argument."""
        out = self.scratch / "out.json"
        self.python("-m", f"engine_bench.{name}", *arguments, out)
        return json.loads(out.read_text())

    def cases(self, dtype: str) -> list[Case]:
        """The cases measured in a number format."""
        only = ("XCOPA", "CMMLU") if self.options.quick else self.options.only
        return [case for case in CASES if dtype in case.dtypes and any(text in case.name for text in only)]

    def peer(self, who: str, dtype: str, model: Path, batch: int = 0) -> dict[str, Any]:
        """One peer's measurements of all cases in a number format."""
        orders = {
            "peer": who,
            "model": str(model),
            "dtype": dtype,
            "batch": batch,
            "mirror": str(self.mirror),
            "root": str(ROOT),
        }
        orders |= {
            "limit": 6 if self.options.quick else self.options.limit,
            "out": str(self.scratch / "peer.json"),
        }
        orders |= {"cases": [case.name for case in self.cases(dtype) if case.rival or who == "ours"]}
        (self.scratch / "orders.json").write_text(json.dumps(orders))
        self.python("-m", "engine_bench.peers", self.scratch / "orders.json")
        return dict(json.loads((self.scratch / "peer.json").read_text()))

    def sketch(self, dtype: str, model: Path) -> dict[str, Any]:
        """The yardstick's own JSON, by case; empty where its file is not there."""
        figures = {}
        for case in self.cases(dtype):
            if case.sketch and Path(self.options.sketch).is_file():
                subjects = SUBJECTS if len(case.tasks) > 1 else SUBJECTS[-1:]
                folder = self.mirror / "datasets/ceval/ceval-exam"
                figures[case.name] = json.loads(
                    self.python(self.options.sketch, model, folder, *subjects, "--dtype", dtype)
                )
        return figures

    def scoring(self) -> dict[str, Any]:
        """Log-probabilities: ours, the sketch, lm-eval, ours again."""
        scoring = {}
        for dtype in self.options.dtypes:
            if self.cases(dtype):
                model = make(self.scratch / dtype, self.mirror, dtype)
                first = self.peer("ours", dtype, model)
                sketch = self.sketch(dtype, model)
                theirs = [self.peer("lm-eval", dtype, model, batch) for batch in self.options.batch]
                scoring[dtype] = figures([first, self.peer("ours", dtype, model)], sketch, theirs)
        return scoring

    def writer(self, who: str, batch: int, cases: list[str]) -> dict[str, Any]:
        """One peer's measurements of the cases of generation."""
        orders = {
            "peer": who,
            "batch": batch,
            "mirror": str(self.mirror),
            "root": str(ROOT),
            "out": str(self.scratch / "peer.json"),
        }
        orders |= {"limit": 6 if self.options.quick else self.options.limit, "cases": cases}
        (self.scratch / "orders.json").write_text(json.dumps(orders))
        # A model this small gains nothing from a second thread, and loses where the cores are
        # shared: the same for everyone.
        self.python("-m", "engine_bench.writing", self.scratch / "orders.json", OMP_NUM_THREADS="1")
        return dict(json.loads((self.scratch / "peer.json").read_text()))

    def generation(self) -> dict[str, Any]:
        """Texts: ours, transformers' own continuous batching (where no prompt is long: it is slow
        on a CPU), lm-eval, ours again.
        """
        names = [case.name for case in writing.CASES if any(text in case.name for text in self.options.only)]
        first = self.writer("ours", 0, names)
        peer = self.writer(
            "transformers",
            0,
            [case.name for case in writing.CASES if case.name in names and case.transformers],
        )

        theirs = [self.writer("lm-eval", batch, names) for batch in self.options.write_batch]
        return generation([first, self.writer("ours", 0, names)], peer, theirs)

    def prompts(self) -> dict[str, Any]:
        """Building and tokenising."""
        model = make(self.scratch / "prompts", self.mirror, "float32")
        return {
            who: self.module("prompts", who, model, self.mirror, "12" if self.options.quick else "100")
            for who in ("ours", "lm-eval")
        }

    def ceiling(self) -> list[Any]:
        """FLOP/s against the best square product."""
        return list(self.module("ceiling", self.mirror, ROOT))

    def growth(self) -> list[Any]:
        """Time and memory by the number of items."""
        return list(
            self.module(
                "growth",
                self.mirror / "models/karpathy/stories260K",
                "1000" if self.options.quick else "100000",
            )
        )

    def formats(self) -> dict[str, Any]:
        """Arg-maxes by number format."""
        return dict(self.module("formats", ROOT, self.mirror, "50" if self.options.quick else "0"))


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--mirror", default=os.environ.get("HARNESS_MIRROR") or ROOT.parent / "shared/mirror")
    parser.add_argument("--sketch", default=ROOT.parent / "shared/bench/shared_prefix_sketch.py")
    parser.add_argument(
        "--batch", type=int, nargs="+", default=[1, 8], help="lm-eval's batch sizes; the fastest counts"
    )
    parser.add_argument(
        "--write-batch", type=int, nargs="+", default=[1, 8, 16, 32], help="the same for generation"
    )
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()

    out = options.out or (None if options.quick else ROOT / "results/recorded/bench-engine-cpu.json")
    machine = {"machine": describe_hardware(find_machine("cpu")), "versions": package_versions()}

    for part in options.parts:
        with tempfile.TemporaryDirectory() as scratch:
            record = machine | {part: getattr(Bench(options, Path(scratch)), part)()}
        show(record)
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            before = json.loads(out.read_text()) if out.is_file() else {}
            if part == "generation":  # rows measured alone (``--only``) replace their own
                record[part] = before.get(part, {}) | record[part]
            out.write_text(json.dumps(before | record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
