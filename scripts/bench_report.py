"""How long `harness report --html` takes, how large the page is and how fast it opens: 20 models ×
60 tasks, 12,000 to 1.2 million samples.

usage: python scripts/bench_report.py [--out FILE] [--sizes 10 100 1000] [--long 100] [--folder DIR]
[--repeats 3] Runs are those of bench_compare.py (in --folder those of an earlier call are used
again), and one with answers of 600 characters, so that they fill all that a page takes. Each is
timed as a whole process; the median counts. Opening is headless Chromium from the call to the load
event, and until the list of questions stands (absent without one). The growth exponent is the slope
of log seconds over log samples between the last two sizes. JSON goes to results/recorded/.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests")]

from bench_compare import MODELS, TASKS, write_run  # noqa: E402
from support.chromium import Browser, find_chromium  # noqa: E402

from harness.evaluation.manifest import describe_hardware, package_versions  # noqa: E402
from harness.results.files import write_json  # noqa: E402
from harness.workers.devices import find_machine  # noqa: E402

TARGETS = {"seconds": 20.0, "bytes": 30 * 10**6, "open_seconds": 3.0}
LONG = 600
"""Characters of an answer in the run that fills the page's budget."""
READY = "document.querySelectorAll('#list article, #items article, article').length > 0"


def measure(folder: Path, page: Path, repeats: int) -> dict[str, Any]:
    """Seconds of the command, bytes of the page, seconds to open it."""
    seconds, peaks = [], []
    for _ in range(repeats):
        begin = time.perf_counter()

        # The child itself says its peak: the parent would see the greatest of all children.
        code = (
            "import resource, sys; from harness.cli.main import main; sys.argv[0] = 'harness'\n"
            "try: main()\nfinally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [sys.executable, "-c", code, "report", str(folder), "--html", str(page)]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds.append(round(time.perf_counter() - begin, 3))
        if process.returncode:
            sys.exit(f"report ended with {process.returncode}: {process.stderr[-2000:]}")
        peaks.append(int(process.stdout.split()[-1]) * (1 if sys.platform == "darwin" else 1024))

    figures = {
        "seconds": seconds,
        "median_seconds": statistics.median(seconds),
        "peak_bytes": max(peaks),
        "bytes": page.stat().st_size,
    }
    return figures | opened(page, repeats)


def opened(page: Path, repeats: int) -> dict[str, Any]:
    """Seconds from asking for the page to its load event and to the first question shown, a fresh
    browser each time.
    """
    if find_chromium() is None:
        return {"open_seconds": None, "shown_seconds": None}
    loads, shows = [], []
    for _ in range(repeats):
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
            Browser(Path(profile)) as browser,
        ):
            browser.look(1200)
            begin = time.perf_counter()
            loads.append(round(browser.open(page), 3))
            if not browser.run(READY):
                sys.exit("the page shows no question after its load event")
            shows.append(round(time.perf_counter() - begin, 3))
            if browser.complaints:
                sys.exit(f"the page complains: {browser.complaints[0]}")
    return {"open_seconds": statistics.median(loads), "shown_seconds": statistics.median(shows)}


def main() -> None:
    """Writes run folders of growing size and times the page of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "results/recorded/bench-report.json")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 1000], help="items a task")
    parser.add_argument(
        "--long", type=int, nargs="*", default=[100], help="items a task of runs with long answers"
    )
    parser.add_argument("--folder", type=Path, help="keep the run folders here")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()

    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        sizes = [*((items, 0) for items in args.sizes), *((items, LONG) for items in args.long)]
        for items, characters in sizes:
            length = f"-said-{characters}" if characters else ""
            folder = (args.folder or Path(scratch)) / f"items-{items}{length}"

            # Run folders that were kept are not written again: only the command is timed.
            if not (folder / "results.json").exists():
                write_run(folder, MODELS, TASKS, items, said=characters)

            facts = {
                "models": MODELS,
                "tasks": TASKS,
                "items": items,
                "samples": MODELS * TASKS * items,
                "answer_characters": 1 + characters,
            }
            rows.append(facts | measure(folder, Path(scratch) / f"{items}.html", args.repeats))
            print(json.dumps(rows[-1]), flush=True)
    record(rows, args.out)


def record(rows: list[dict[str, Any]], out: Path) -> None:
    """Writes what was found, the growth, and whether each target is met."""

    # Runs of long answers test the budget of bytes; growth is by samples alone.
    rising, growth = [one for one in rows if one["answer_characters"] == 1], None
    if len(rising) > 1:
        seconds, samples = (
            math.log(rising[-1][key] / rising[-2][key]) for key in ("median_seconds", "samples")
        )
        growth = round(seconds / samples, 3)

    shown = [one["shown_seconds"] for one in rows if one["shown_seconds"] is not None]
    met = {
        name: max(one[key] for one in rows) <= TARGETS[name]
        for name, key in (("seconds", "median_seconds"), ("bytes", "bytes"))
    }
    met["open_seconds"] = max(shown) <= TARGETS["open_seconds"] if shown else None

    data = {
        "what": "seconds of `harness report --html` on made-up runs, whole processes; the page's bytes; "
        "seconds to open it in Chromium",
        "machine": describe_hardware(find_machine()),
        "packages": package_versions(),
        "found": rows,
        "growth_exponent": growth,
        "targets": TARGETS,
        "met": met,
    }
    write_json(out, data)
    print(json.dumps({"growth_exponent": growth, "met": met}))


if __name__ == "__main__":
    main()
