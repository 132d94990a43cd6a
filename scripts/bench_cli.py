"""How long a person waits: `harness --help`, `harness plan`, and the smoke run from start to table,
as whole processes.

usage: python scripts/bench_cli.py [--runs N] [--out FILE] Prints a table and one JSON line; the
JSON goes to results/recorded/bench-cli.json. Each command runs once to warm caches, then N times in
turn with the others, so that a machine that drifts is unfair to none; medians count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness.evaluation.manifest import describe_hardware, package_versions  # noqa: E402
from harness.workers.devices import find_machine  # noqa: E402


def commands(scratch: Path) -> dict[str, list[str]]:
    """What is timed, by name.

    The smoke run starts from nothing each time; its second run finds everything done.
    """
    harness = [sys.executable, "-m", "harness.cli.main"]
    smoke = [*harness, "run", str(ROOT / "configs/smoke.yaml"), "--out", str(scratch / "smoke"), "--quiet"]
    return {
        "help": [*harness, "--help"],
        "plan smoke": [*harness, "plan", str(ROOT / "configs/smoke.yaml")],
        "run smoke": [*smoke, "--fresh"],
        "run smoke again": smoke,
    }


def once(command: list[str], scratch: Path) -> float:
    """Wall-clock seconds of one run. Ends the script where the command fails, with what it said."""
    if "--fresh" in command:
        shutil.rmtree(scratch / "smoke", ignore_errors=True)
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return seconds


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "results/recorded/bench-cli.json")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        timed = commands(scratch)
        seconds: dict[str, list[float]] = {name: [] for name in timed}
        for number in range(args.runs + 1):
            for name, command in timed.items():
                took = once(command, scratch)

                # The first round only warms the caches.
                if number:
                    seconds[name].append(round(took, 4))

    record = {
        "what": "wall-clock seconds of whole commands, warm caches",
        "machine": describe_hardware(find_machine()),
        "packages": package_versions(),
        "seconds": seconds,
        "median": {name: round(statistics.median(values), 3) for name, values in seconds.items()},
    }

    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for name, values in seconds.items():
        print(
            f"{name:18} median {statistics.median(values):7.3f} s   min {min(values):7.3f}   max "
            f"{max(values):7.3f}   n {len(values)}"
        )
    print(json.dumps(record["median"]))


if __name__ == "__main__":
    main()
