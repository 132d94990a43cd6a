"""The vLLM engine against lm-eval 0.4.13's own, against LLM.generate, and beside the transformers
engine: issue 4's table, in one run.

usage: python scripts/bench_vllm.py [--quick] [--only NAME ...] [--model small|qwen|FOLDER] [--dtype
NAME] [--repeats N] [--out FILE] Prints a table; the JSON (machine, versions, raw seconds, ratios)
goes to results/recorded/bench-vllm-cpu.json. Every peer is a process of its own (vllm_bench.peer)
that loads the same model with the same vLLM settings and answers the same questions; seconds are
counted after loading and a warm-up. ``--device cuda`` measures on a GPU. ``--quick`` is for trying
the script: few questions, nothing written.
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

from vllm_bench.cases import CASES  # noqa: E402
from vllm_bench.models import make  # noqa: E402
from vllm_bench.table import compare, show  # noqa: E402

from harness.evaluation.manifest import describe_hardware, package_versions  # noqa: E402
from harness.workers.devices import find_machine  # noqa: E402


def ask(peer: str, model: Path, options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Runs one peer to its end and returns what it wrote."""
    out = scratch / f"{peer}.json"
    orders = {
        "peer": peer,
        "model": str(model),
        "dtype": options.dtype,
        "device": options.device,
        "mirror": str(options.mirror),
        "cases": [case.name for case in CASES if any(word in case.name for word in options.only)],
        "writing": any(word in "generation" for word in options.only),
        "limit": 2 if options.quick else options.limit,
        "repeats": 1 if options.quick else options.repeats,
        "out": str(out),
    }

    # A process per peer, so that none starts in memory that another one has filled.
    (scratch / "orders.json").write_text(json.dumps(orders))
    command = [sys.executable, "-m", "vllm_bench.peer", str(scratch / "orders.json")]
    path = os.pathsep.join([str(ROOT), str(ROOT / "scripts"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path})
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def add(record: dict[str, Any], old: dict[str, Any]) -> None:
    """Keeps an earlier run's cases, if it measured the same model on the same machine with the same
    versions.
    """
    for key in ("machine", "versions", "model", "dtype"):
        if record[key] != old[key]:
            raise SystemExit(f"--add: the file's {key} differs; measure again without --add")
    new = {row["case"] for row in record["cases"]}
    record["cases"] = [row for row in old["cases"] if row["case"] not in new] + record["cases"]
    record.setdefault("overhead", old.get("overhead"))
    record["peers"]["earlier"] = old["peers"]


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("--model", default="small")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument(
        "--limit", type=int, default=None, help="questions a task, instead of the case's own number"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="of what takes seconds; lm-eval's engine answers once"
    )
    parser.add_argument("--peers", nargs="+", default=["ours", "lm-eval", "transformers"])
    parser.add_argument(
        "--mirror", type=Path, default=Path(os.environ.get("HARNESS_MIRROR") or ROOT.parent / "shared/mirror")
    )
    parser.add_argument(
        "--add", action="store_true", help="keep the cases that the file has and this run does not measure"
    )
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        model = make(options.model, Path(scratch) / "model", options.mirror, options.dtype)
        peers = {peer: ask(peer, model, options, Path(scratch)) for peer in options.peers}

    # Answers were compared above; the file keeps figures only.
    record = {
        "machine": describe_hardware(find_machine(options.device)),
        "versions": package_versions(),
        "model": options.model,
        "dtype": options.dtype,
        "cases": compare(peers),
        "peers": {
            name: {key: value for key, value in peer.items() if key != "answers"}
            for name, peer in peers.items()
        },
    }

    show(record)
    out = options.out or (
        None if options.quick else ROOT / f"results/recorded/bench-vllm-{options.device}.json"
    )
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        if options.add and out.exists():
            add(record, json.loads(out.read_text()))
        out.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
