"""The memory estimate of `harness plan` against what was then measured on this CPU: bundled models,
and random weights of a real shape.

usage: python scripts/check_memory.py [--mirror FOLDER] [--out FILE] Each case is a process of its
own: resident memory after the imports, after the load, and its peak while the transformers engine
answers some prompts of equal length with distinct tokens. Weights are compared with what the load
added, the whole need with what the peak added. What a tiny model adds drowns in what libraries
allocate beside it, so the absolute error stands beside the relative one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

QWEN = {"id": "Qwen/Qwen2.5-0.5B-Instruct", "weights": "random", "dtype": "float32"}
CASES: list[dict[str, Any]] = [
    {"spec": {"id": "bundled/tiny-qwen"}, "batch": 16, "prompt": 256, "output": 16},
    {"spec": {"id": "bundled/tiny-llama"}, "batch": 16, "prompt": 256, "output": 16},
    {"spec": {"id": "bundled/tiny-deepseek-distill"}, "batch": 16, "prompt": 256, "output": 16},
    {"spec": QWEN | {"config_overrides": {"num_hidden_layers": 4}}, "batch": 4, "prompt": 256, "output": 8},
    {"spec": QWEN, "batch": 1, "prompt": 256, "output": 8},
    {"spec": QWEN, "batch": 8, "prompt": 512, "output": 8},
]


def resident() -> int:
    """Resident memory of this process now, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Peak:
    """The greatest resident memory seen every few milliseconds, from a thread."""

    def __init__(self) -> None:
        self.bytes, self._on = 0, True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while self._on:
            self.bytes = max(self.bytes, resident())
            time.sleep(0.003)

    def stop(self) -> int:
        """The peak."""
        self._on = False
        self._thread.join()
        return self.bytes


def measure(case: dict[str, Any], mirror: str | None) -> dict[str, Any]:
    """One case, in this process."""
    import torch
    import transformers.generation.utils  # noqa: F401  (what a load would import is there before)

    from harness.config.memory import dtype_bytes, known_architecture
    from harness.config.schema import ModelSpec
    from harness.engines import find_model, open_engine
    from harness.items import Completion
    from harness.meter.fit import Need

    spec = ModelSpec.model_validate(case["spec"])
    arch = known_architecture(spec, mirror)
    assert arch is not None

    # The first product allocates buffers of its own, which are none of the model's.
    torch.randn(512, 512) @ torch.randn(512, 512)
    files = find_model(spec, Path(mirror) if mirror else None)
    before = resident()
    engine = open_engine(spec, files, "cpu")
    loaded = resident()

    # Ids that every tokenizer has, the same in every run.
    size = min(arch.vocab_size, 1000)
    prompts = [
        tuple(3 + (7 * row + 13 * place) % (size - 3) for place in range(case["prompt"]))
        for row in range(case["batch"])
    ]
    items = [
        Completion(str(row), "", max_tokens=case["output"], prompt_ids=ids, ignore_eos=True)
        for row, ids in enumerate(prompts)
    ]

    peak = Peak()
    answers = list(engine.generate(items))
    top = peak.stop()
    assert len(answers) == case["batch"]

    need = Need(arch, dtype_bytes(spec.dtype, arch, "cpu"))
    weights = arch.weight_bytes(need.dtype_bytes)
    whole = need.bytes(case["batch"], case["prompt"] + case["output"])
    return {
        "model": spec.label,
        "layers": arch.num_hidden_layers,
        "parameters": arch.parameters,
        "weights": compared(weights, loaded - before),
        "whole": compared(whole, top - before),
        **{key: case[key] for key in ("batch", "prompt", "output")},
    }


def compared(estimate: int, measured: int) -> dict[str, float]:
    """Bytes estimated and measured, and the estimate's error."""
    return {
        "estimate": estimate,
        "measured": measured,
        "error_bytes": estimate - measured,
        "error": estimate / measured - 1,
    }


def main() -> int:
    """Runs the cases, each in a process, and writes the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mirror", default=os.environ.get("HARNESS_MIRROR"))
    parser.add_argument("--out", type=Path, default=ROOT / "results/recorded/memory-fit.json")
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case is not None:
        print(json.dumps(measure(CASES[args.case], args.mirror)))
        return 0
    from harness.evaluation.manifest import describe_hardware, package_versions
    from harness.results.files import write_json
    from harness.workers.devices import find_machine

    cases = []
    for number, case in enumerate(CASES):
        # A process per case: memory that a case gave back would hide in the next one's figure.
        command = [
            sys.executable,
            __file__,
            "--case",
            str(number),
            *(["--mirror", args.mirror] if args.mirror else []),
        ]
        process = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if process.returncode:
            cases.append(
                {"model": case["spec"]["id"], "reason": (process.stderr.strip().splitlines() or ["?"])[-1]}
            )
        else:
            cases.append(json.loads(process.stdout.strip().splitlines()[-1]))
        print(json.dumps(cases[-1]), flush=True)

    write_json(
        args.out,
        {
            "what": "memory estimated by harness plan against resident memory added, CPU, transformers "
            "engine",
            "cases": cases,
            "hardware": describe_hardware(find_machine("cpu")),
            "packages": package_versions(),
        },
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
