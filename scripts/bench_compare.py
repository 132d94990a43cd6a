"""How long `harness compare` takes, and how much memory, as runs grow: 20 models × 60 tasks, from
12,000 to 1.2 million samples.

usage: python scripts/bench_compare.py [--out FILE] [--sizes 10 100 1000] [--folder DIR]
[--write-only] Run folders are made through the project's own writers (scores drawn with a fixed
seed; models differ in skill, items in difficulty), in a temporary folder or in --folder, where
those of an earlier call are used again. Each size is timed as a whole process, thrice; the median
counts. The growth exponent is the slope of log seconds over log samples between the last two sizes.
JSON goes to results/recorded/.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness.evaluation.manifest import describe_hardware, package_versions  # noqa: E402
from harness.evaluation.rows import CellFacts, make_rows  # noqa: E402
from harness.evaluation.samples import write_samples  # noqa: E402
from harness.items import Score, Tokens  # noqa: E402
from harness.results.files import write_json  # noqa: E402
from harness.results.folder import RunFolder  # noqa: E402
from harness.results.schema import ModelRow, Results, Row  # noqa: E402
from harness.tasks.api import Marks, MetricValue, SampleMark  # noqa: E402
from harness.workers.devices import find_machine  # noqa: E402

MODELS, TASKS, REPEATS = 20, 60, 3
TARGET_SECONDS, TARGET_BYTES = 10.0, 2 * 2**30


def write_run(folder: Path, models: int, tasks: int, items: int, *, said: int = 0) -> None:
    """A run of multiple-choice tasks, half Chinese and half English; every fourth task has four
    items a passage.

    ``said``: characters that each answer says beside its letter.
    """
    rows: list[Row] = []
    for task in range(tasks):
        language = "zh" if task % 2 else "en"
        name = f"{language}_task_{task:02}"

        # One difficulty per item for all models, so that their scores go together as real ones do.
        source = random.Random(task)
        ease = [source.gauss(0, 1) for _ in range(items)]
        for model in range(models):
            rows += write_cell(RunFolder(folder), f"model-{model:02}", name, ease, model / models, said)

    models_rows = [
        ModelRow(model=f"model-{number:02}", id=f"made/{number}", model_id=f"{number}", status="ok")
        for number in range(models)
    ]
    results = Results(
        name=folder.name, harness_version="0", created="", config_hash="", models=models_rows, rows=rows
    )
    write_json(RunFolder(folder).results, results.model_dump(mode="json"))


def write_cell(
    folder: RunFolder, model: str, task: str, ease: list[float], skill: float, said: int = 0
) -> list[Row]:
    """Marks, rows and samples of one model on one task."""
    source = random.Random(f"{model}{task}")
    passages = int(task[-2:]) % 4 == 0

    # An item response model of one parameter: skill against difficulty.
    right = [float(source.random() < 1 / (1 + math.exp(-(skill + value)))) for value in ease]
    samples = tuple(
        SampleMark(
            doc_id=doc,
            filter="none",
            prompt=f"{task}, question {doc}: which of the four is right? " * 4,
            target="A",
            answer=("A" if score else "B") + spoken(source, said),
            metrics={"acc": score, "acc_norm": score},
            keys=(str(doc),),
            item=str(doc),
            cluster=f"passage {doc // 4}" if passages else None,
        )
        for doc, score in enumerate(right)
    )

    answers = {
        str(doc): Score(str(doc), (-1.0, -2.0, -3.0, -4.0), (False,) * 4, (1,) * 4, Tokens(80, 20, 60, 0))
        for doc in range(len(ease))
    }
    value = math.fsum(right) / len(right)
    metrics = tuple(
        MetricValue(name, "none", value, None, len(right), True, True) for name in ("acc", "acc_norm")
    )

    marks = Marks(samples, metrics, len(right))
    facts = CellFacts(
        f"{model}{task}", f"prompt {task}", model, task, None, task[:2], 0, "float32", "made", 0.25
    )
    write_samples(folder.samples(model, task), marks, answers)
    return make_rows(facts, marks, answers, 1.0, ("ok", None))


def spoken(source: random.Random, characters: int) -> str:
    """So many characters that look like an answer and hardly compress."""
    return "".join(source.choices("因为所以这是一个问题答案 the answer is so because ", k=characters))


def measure(folder: Path) -> dict[str, Any]:
    """Median wall-clock seconds of the whole command, and its greatest resident memory in bytes."""
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        command = [sys.executable, "-m", "harness.cli.main", "compare", str(folder)]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds.append(round(time.perf_counter() - begin, 3))
        if process.returncode:
            sys.exit(f"compare ended with {process.returncode}: {process.stderr[-2000:]}")

    # Linux counts kibibytes, macOS bytes.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"seconds": seconds, "median_seconds": statistics.median(seconds), "peak_bytes_so_far": peak}


def main() -> None:
    """Writes run folders of growing size and times compare on each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "results/recorded/bench-compare.json")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000], help="items a task")
    parser.add_argument("--folder", type=Path, help="keep the run folders here")
    parser.add_argument("--write-only", action="store_true", help="make the run folders and time nothing")
    args = parser.parse_args()

    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for items in args.sizes:
            folder = (args.folder or Path(scratch)) / f"items-{items}"

            # Run folders that were kept are not written again: only the command is timed.
            if not (folder / "results.json").exists():
                write_run(folder, MODELS, TASKS, items)
            if not args.write_only:
                rows.append(
                    {
                        "models": MODELS,
                        "tasks": TASKS,
                        "items": items,
                        "samples": MODELS * TASKS * items,
                        **measure(folder),
                    }
                )
                print(json.dumps(rows[-1]), flush=True)

    if rows:
        record(rows, args.out)


def record(rows: list[dict[str, Any]], out: Path) -> None:
    """Writes what was found, the growth, and whether the target is met."""
    last = rows[-1]
    growth = None
    if len(rows) > 1:
        seconds, samples = (math.log(last[key] / rows[-2][key]) for key in ("median_seconds", "samples"))
        growth = round(seconds / samples, 3)
    data = {
        "what": "wall-clock seconds and greatest memory of `harness compare` on made-up runs, whole "
        "processes; sizes rise",
        "machine": describe_hardware(find_machine()),
        "packages": package_versions(),
        "found": rows,
        "growth_exponent": growth,
        "target": {"seconds": TARGET_SECONDS, "bytes": TARGET_BYTES},
        "met": last["median_seconds"] <= TARGET_SECONDS and last["peak_bytes_so_far"] <= TARGET_BYTES,
    }
    write_json(out, data)
    print(json.dumps({"growth_exponent": growth, "met": data["met"]}))


if __name__ == "__main__":
    main()
