"""Whether our shape figures are vLLM's own: `vllm bench latency`, `harness bench` and `vllm bench
throughput`, in turn, each a process.

usage: python scripts/bench_agreement.py [--rounds N] [--out FILE]     (in the environment of `make
test-vllm`, on a quiet machine)

One model (58 million parameters in Qwen2's shape, random weights, fp32), the same engine arguments,
two shapes: 8 requests of 128 prompt and 64 output tokens (latency), 16 requests of 128 and 32
(throughput). Rounds are added to those that the file already has. Compared are medians over all
rounds: seconds of a batch, and output tokens/s. Theirs know no drift rule, so ours count rejected
repeats, too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from bench_repeatability import bench_command  # noqa: E402

CONFIG = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 768,
    "intermediate_size": 2048,
    "num_hidden_layers": 8,
    "num_attention_heads": 12,
    "num_key_value_heads": 4,
    "vocab_size": 10_240,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
}
LATENCY = {"input": 128, "output": 64, "batch": 8}
THROUGHPUT = {"input": 128, "output": 32, "batch": 16}
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "TOKENIZERS_PARALLELISM": "true",
}
VLLM = """
import importlib.metadata, sys
known = importlib.metadata.version
importlib.metadata.version = lambda name: known("vllm-cpu") + "+cpu" if name == "vllm" else known(name)
from vllm.entrypoints.cli.main import main
sys.argv[0] = "vllm"
main()
"""
"""The `vllm` command itself: its CPU build's distribution has another name than the one it asks
for; "cpu" in it chooses the platform.
"""
WINDOW = 257
"""Our engine's max_model_len for these shapes, so that vLLM's own has the same."""


def make_model(folder: Path) -> Path:
    """A folder with a config.json and the packaged tokenizer; weights are made up by vLLM
    (load_format: dummy).
    """
    import shutil

    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1), encoding="utf-8")
    for file in (ROOT / "harness/data/models/tiny-qwen").glob("tokenizer*"):
        shutil.copy(file, folder / file.name)
    return folder


def run(command: list[str], passes: tuple[int, ...] = (0,)) -> str:
    """Standard output of a command; ends the script with its last words where it fails."""
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    env = os.environ | ENVIRONMENT | {"PYTHONPATH": path}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in passes:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def vllm_bench(kind: str, model: Path, shape: dict[str, int], *more: str) -> dict[str, Any]:
    """What `vllm bench KIND` writes."""
    out = model.parent / f"{kind}.json"

    # Its own lengths of random prompts win over the plain ones.
    prefix = (
        "--random-" if kind == "throughput" else "--"
    )  # its own lengths of random prompts win over the plain ones
    lengths = [f"{prefix}input-len", str(shape["input"]), f"{prefix}output-len", str(shape["output"])]

    engine = [
        "--load-format",
        "dummy",
        "--dtype",
        "float32",
        "--max-model-len",
        str(WINDOW),
        "--enforce-eager",
        "--block-size",
        "128",
    ]
    engine += ["--no-enable-prefix-caching", "--model", str(model), "--tokenizer", str(model)]
    run([sys.executable, "-c", VLLM, "bench", kind, *lengths, *engine, *more, "--output-json", str(out)])
    figures: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return figures


def ours(model: Path, shape: dict[str, int]) -> dict[str, Any]:
    """The one row of a `harness bench` of one shape, with its raw seconds a wave."""
    config = model.parent / "bench.yaml"
    speed = {"input": [shape["input"]], "output": [shape["output"]], "concurrency": [shape["batch"]]}
    spec = {
        "id": str(model),
        "name": "small",
        "weights": "random",
        "engine": "vllm",
        "dtype": "float32",
        "max_length": WINDOW - 1,
    }
    text = {
        "name": "agreement",
        "device": "cpu",
        "models": [spec],
        "speed": speed | {"seconds": 15, "drift": 0.05, "energy_seconds": 0},
    }

    config.write_text(json.dumps(text), encoding="utf-8")
    out = model.parent / "run"
    table = run(
        bench_command(config, out),
        (0, 1),
    )

    # A row is partial where a figure is missing; the raw seconds of its waves are there all the
    # same.
    row: dict[str, Any] = json.loads(table)["rows"][0]
    if row["status"] not in ("ok", "partial"):
        sys.exit(f"harness bench: {row['reason']}")

    lines = [
        json.loads(line) for line in (out / "speed-samples.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    walls = [wall for line in lines if line["kind"] == "repeat" for wall in line["walls"]]
    return {
        "walls": walls,
        "row": {key: row[key] for key in ("status", "rate", "latency_ms", "limit", "stats", "identity")},
    }


def one_round(model: Path) -> dict[str, Any]:
    """Theirs, ours, theirs: the raw seconds of a batch of each."""
    latency = vllm_bench(
        "latency",
        model,
        LATENCY,
        "--batch-size",
        str(LATENCY["batch"]),
        "--num-iters-warmup",
        "2",
        "--num-iters",
        "8",
    )

    # Ours lies between theirs, so that a machine that drifts favours neither.
    mine = ours(model, LATENCY)
    rival = ours(model, THROUGHPUT)
    prompts = str(THROUGHPUT["batch"])
    rates = [
        vllm_bench(
            "throughput",
            model,
            THROUGHPUT,
            "--num-prompts",
            prompts,
            "--num-warmups",
            prompts,
            "--dataset-name",
            "random",
        )
    ]

    # The summary can only be trusted where both wrote the tokens that were asked for.
    expected = THROUGHPUT["batch"] * (THROUGHPUT["input"] + THROUGHPUT["output"])
    tokens = [rate["total_num_tokens"] for rate in rates]
    return {
        "latency": {
            "vllm_seconds": latency["latencies"],
            "harness_seconds": mine["walls"],
            "harness": mine["row"],
        },
        "throughput": {
            "vllm_seconds": [rate["elapsed_time"] for rate in rates],
            "vllm_tokens": tokens,
            "expected_tokens": expected,
            "harness_seconds": rival["walls"],
            "harness": rival["row"],
        },
    }


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over all rounds and their ratios."""
    ratios = {}
    for kind, shape in (("latency", LATENCY), ("throughput", THROUGHPUT)):
        theirs, mine = (
            [value for one in rounds for value in one[kind][name]]
            for name in ("vllm_seconds", "harness_seconds")
        )
        theirs_median, mine_median = statistics.median(theirs), statistics.median(mine)

        # One ratio per round shows how far rounds differ from each other.
        by_round = [
            statistics.median(one[kind]["harness_seconds"]) / statistics.median(one[kind]["vllm_seconds"])
            for one in rounds
        ]

        tokens = shape["batch"] * shape["output"]
        ratios[kind] = {
            "shape": shape,
            "vllm_seconds": theirs_median,
            "harness_seconds": mine_median,
            "vllm_output_tps": tokens / theirs_median,
            "harness_output_tps": tokens / mine_median,
            "ratio": mine_median / theirs_median,
            "ratio_by_round": by_round,
            "within_5_percent": abs(mine_median / theirs_median - 1) <= 0.05,
        }
    return ratios


def main() -> None:
    """Runs the comparison."""
    from harness.evaluation.manifest import describe_hardware, package_versions
    from harness.workers.devices import find_machine

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "results/recorded/bench-agreement.json")
    args = parser.parse_args()

    # Rounds of earlier calls stay: each call adds its own.
    record = json.loads(args.out.read_text(encoding="utf-8")) if args.out.exists() else {"rounds": []}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(args.rounds):
            record["rounds"].append(one_round(make_model(Path(scratch) / f"round{number}" / "model")))
            record |= {
                "summary": summary(record["rounds"]),
                "model": CONFIG,
                "environment": ENVIRONMENT,
                "packages": package_versions(),
            }
            record["hardware"] = describe_hardware(find_machine("cpu"))
            args.out.parent.mkdir(parents=True, exist_ok=True)
            args.out.write_text(
                json.dumps(record, indent=1).replace(f"{scratch}/", "") + "\n", encoding="utf-8"
            )
    print(json.dumps(record["summary"], indent=1))


if __name__ == "__main__":
    main()
