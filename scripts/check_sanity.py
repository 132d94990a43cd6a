"""No false alarm: every config in configs/ on the mirror, its models cut to a few small layers of
random weights, a few questions a task.

Prints what the sanity checks of each run say, and why a model was left out. Exits with 1 where one
warns of something that random weights and a short budget do not bring about themselves.

    HARNESS_MIRROR=DIR python scripts/check_sanity.py [--limit 2] [CONFIG …]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from harness.config import load_config
from harness.config.schema import ModelSpec
from harness.engines import registry
from harness.engines.files import locate
from harness.errors import HarnessError
from harness.evaluation import run_config
from harness.reporting.sanity import sanity_text
from harness.results.sanity import is_clean, sanity_lines

ROOT = Path(__file__).resolve().parents[1]
SMALL = {
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
"""A model of any family in this size answers in milliseconds; its tokenizer and template are the
real ones.
"""
CAUSED = frozenset({"truncated_thoughts"})
"""What random weights and a budget of 16 tokens bring about themselves: their thoughts never
end.
"""


def small(model: dict[str, Any], mirror: Path) -> tuple[dict[str, Any] | None, str]:
    """The model cut small with random weights; None, and the reason, where its files are not at
    hand.
    """
    name = model.get("engine", registry.AUTO)
    if name != registry.AUTO and not registry.backend(name).loads_files:
        return None, "answers elsewhere"
    if str(model["id"]).startswith("bundled/"):
        return model, ""
    try:
        folder, _, _ = locate(model["id"], ModelSpec(id=model["id"]), mirror, weights=False)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (HarnessError, OSError) as error:
        return None, str(error).splitlines()[0][:100]

    # Some families state the width of a head, and then it must fit the others.
    size = SMALL | {"head_dim": 16} if "head_dim" in config else SMALL
    overrides = {key: value for key, value in size.items() if key in config}

    others = {key: value for key, value in model.items() if key not in ("gpus", "engine_args", "dtype")}
    return {
        **others,
        "engine": "transformers",
        "weights": "random",
        "config_overrides": overrides,
        "max_new_tokens": 16,
    }, ""


def check(path: Path, mirror: Path, limit: int) -> bool:
    """Runs one config and says what its sanity checks found. Returns whether it is clean."""
    loaded = load_config(path)
    data = loaded.config.model_dump(mode="json", exclude_none=True, exclude={"expect", "speed"})
    pairs = [(model["name"], *small(model, mirror)) for model in data["models"]]
    data |= {
        "models": [model for _, model, _ in pairs if model],
        "mirror": str(mirror),
        "device": "cpu",
        "limit": limit,
    }
    for task in data["tasks"]:
        task["limit"] = limit
    print(
        f"{path.name}: {len(data['models'])} of {len(pairs)} models"
        + "".join(f"\n  without {name}: {why}" for name, _, why in pairs if why)
    )
    if not data["models"] or not data["tasks"]:
        return True

    with tempfile.TemporaryDirectory() as folder:
        written = (
            loaded.base_dir / f".check-{os.getpid()}.yaml"
        )  # beside the config, so that its relative paths hold
        written.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        try:
            results = run_config(load_config(written), out=Path(folder) / "run").results
        finally:
            written.unlink()
    done = sum(row.value is not None for row in results.rows)
    print(f"  {done} scores; clean: {is_clean(results.sanity)}")
    for line in sanity_lines(results.sanity):
        print(f"  {sanity_text(line)}")
    return is_clean(row for row in results.sanity if row.kind not in CAUSED)


def main() -> int:
    """Checks the configs named, or all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configs", nargs="*", type=Path)
    parser.add_argument("--limit", type=int, default=2)
    args = parser.parse_args()
    mirror = Path(os.environ.get("HARNESS_MIRROR") or ROOT.parent / "shared" / "mirror")
    configs = args.configs or sorted(
        [*(ROOT / "configs").glob("*.yaml"), *(ROOT / "configs" / "studies").glob("*.yaml")]
    )
    clean = [check(path, mirror, args.limit) for path in configs]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
