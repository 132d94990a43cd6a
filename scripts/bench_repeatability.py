"""Whether `harness bench` finds the same twice: pairs of whole runs, one right after the other.

usage: python scripts/bench_repeatability.py [--pairs N] [--out FILE]     (on a quiet machine)

Each run is a process of its own with one cell: 58 million parameters in Qwen2's shape (random
weights, fp32), 8 requests of 128 prompt and 16 output tokens, three seconds a repeat, calibrations
of a second, until the half-width of the median's 95 % interval is 3 % or 240 seconds are spent.
Pairs are added to those that the file already has. Counted are the pairs in which both runs reached
3 %, and those whose intervals overlap.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CONFIG = {
    "name": "repeatability",
    "device": "cpu",
    "speed": {
        "input": [128],
        "output": [16],
        "concurrency": [8],
        "seconds": 240,
        "repeat_seconds": 3.0,
        "calibration_seconds": 1.0,
        "energy_seconds": 0,
    },
}


def bench_command(config: Path, out: Path) -> list[str]:
    """A whole `harness bench` that begins anew and prints its data."""
    bench = [sys.executable, "-m", "harness.cli.main", "bench", str(config)]
    return [*bench, "--out", str(out), "--fresh", "--json", "--quiet"]


def one_run(config: Path, out: Path) -> dict[str, Any]:
    """A whole `harness bench`: its statistics."""
    begin = time.perf_counter()
    command = bench_command(config, out)

    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    process = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path}
    )
    if process.returncode not in (0, 1):
        sys.exit(f"harness bench ended with {process.returncode}:\n{process.stderr[-2000:]}")

    row = json.loads(process.stdout)["rows"][0]
    names = (
        "samples",
        "repeats",
        "rejected",
        "median",
        "ci95",
        "half_width",
        "settled",
        "cv",
        "drift_median",
        "drift_max",
        "stolen_share",
        "seconds",
    )

    # A model without a formula for its work has no limit.
    ceiling = row["limit"]["whole"]["measured"] if row["limit"]["whole"] else None
    return {
        "status": row["status"],
        "reason": row["reason"],
        **{key: row["stats"][key] for key in names},
        "ceiling": {key: ceiling[key] for key in ("flops", "bandwidth")} if ceiling else None,
        "process_seconds": time.perf_counter() - begin,
    }


def overlap(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two runs' intervals have a point in common; a run without one overlaps with
    nothing.
    """
    if first["ci95"] is None or second["ci95"] is None:
        return False
    return bool(max(first["ci95"][0], second["ci95"][0]) <= min(first["ci95"][1], second["ci95"][1]))


def main() -> None:
    """Runs the pairs."""
    from bench_agreement import make_model

    from harness.evaluation.manifest import describe_hardware, package_versions
    from harness.workers.devices import find_machine

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=ROOT / "results/recorded/bench-repeatability.json")

    args = parser.parse_args()

    # Pairs of earlier calls stay: each call adds its own.
    record = json.loads(args.out.read_text(encoding="utf-8")) if args.out.exists() else {"pairs": []}
    with tempfile.TemporaryDirectory() as scratch:
        spec = {
            "id": str(make_model(Path(scratch) / "model")),
            "name": "small",
            "weights": "random",
            "dtype": "float32",
        }
        config = Path(scratch) / "bench.yaml"
        config.write_text(json.dumps(CONFIG | {"models": [spec]}), encoding="utf-8")
        for _ in range(args.pairs):
            first, second = (one_run(config, Path(scratch) / name) for name in ("first", "second"))
            record["pairs"].append({"first": first, "second": second, "overlap": overlap(first, second)})

            pairs = record["pairs"]
            record |= {
                "summary": {
                    "pairs": len(pairs),
                    "both_settled": sum(
                        pair["first"]["settled"] and pair["second"]["settled"] for pair in pairs
                    ),
                    "overlapping": sum(pair["overlap"] for pair in pairs),
                    "half_widths": [
                        pair[which]["half_width"] for pair in pairs for which in ("first", "second")
                    ],
                },
                "config": CONFIG,
                "packages": package_versions(),
                "hardware": describe_hardware(find_machine("cpu")),
            }
            args.out.parent.mkdir(parents=True, exist_ok=True)
            args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            print(json.dumps(record["summary"]), flush=True)


if __name__ == "__main__":
    main()
