"""How many kernels a scoring pass launches per layer on CUDA, and how often the host waits: counted on the
pretended CUDA of the tests, over real questions, with a small random model of Qwen2.5-0.5B's heads.

usage: python scripts/count_launches.py [--mirror FOLDER] [--json FILE]

Two depths are run; their difference, divided by the layers between them, is what one layer launches.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests")]

from engine_bench import model  # noqa: E402
from engine_bench.cases import Case, questions  # noqa: E402
from support.pretended_cuda import Cuda, pretended_cuda  # noqa: E402
from support.pretended_engine import engine_on  # noqa: E402

SHAPE = {
    **model.SHAPE,
    "hidden_size": 112,
    "intermediate_size": 128,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "head_dim": 64,
}
CASES = (
    Case("C-Eval, one subject, 5-shot", ("ceval-valid_art_studies",), 5, None, 0, 0),
    Case("CMMLU, one subject, 5-shot", ("cmmlu_anatomy",), 5, 148, 0, 0),
    Case("HellaSwag, 4-shot, resampled", ("hellaswag",), 4, 48, 0, 0),
    Case("ARC-easy, 0-shot", ("arc_easy",), 0, 400, 0, 0),
)
DEPTHS = (1, 3)


def main() -> None:
    """Counts, prints a line per pass and writes JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mirror", type=Path, default=ROOT.parent / "shared" / "mirror")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    counted: dict[str, list[dict[str, Any]]] = {case.name: [] for case in CASES}
    for depth in DEPTHS:
        with tempfile.TemporaryDirectory() as folder:
            model.SHAPE.clear()
            model.SHAPE.update({**SHAPE, "num_hidden_layers": depth})
            path = model.make(Path(folder) / "model", options.mirror, "bfloat16")
            with pretended_cuda() as cuda, engine_on(cuda, str(path), dtype="bfloat16") as engine:
                for case in CASES:
                    counted[case.name].append(count(cuda, engine, case, options.mirror))

    rows = []
    for name, (few, many) in counted.items():
        passes = many["passes"]
        rows.append(
            {
                "work": name,
                "tokens": many["tokens"],
                "passes": passes,
                "launches per layer and pass": (many["launches"] - few["launches"])
                / (DEPTHS[1] - DEPTHS[0])
                / passes,
                "launches beside the layers, per pass": (3 * few["launches"] - many["launches"]) / 2 / passes,
                "syncs per pass": many["syncs"] / passes,
                "attention calls per layer and pass": (many["attention"] - few["attention"]) / 2 / passes,
            }
        )
        print(json.dumps(rows[-1]))
    if options.json:
        options.json.write_text(
            json.dumps({"model": SHAPE, "passes": rows}, indent=1) + "\n", encoding="utf-8"
        )


def count(cuda: Cuda, engine: Any, case: Case, mirror: Path) -> dict[str, Any]:
    """Launches and syncs of one case, after a question that is not counted."""
    (items,) = questions(case, mirror, ROOT, None)
    list(engine.score(items[:1]))
    before = engine._scorer.real
    cuda.counters.reset()
    list(engine.score(items))
    tokens = engine._scorer.real - before
    return {
        "tokens": tokens,
        "passes": -(-tokens // engine._budget.tokens),
        "launches": cuda.counters.launches,
        "syncs": cuda.counters.syncs,
        "attention": sum(cuda.counters.attention.values()),
    }


if __name__ == "__main__":
    main()
