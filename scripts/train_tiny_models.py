"""Rebuild the tiny models that ship with the package, and the data of the bundled tasks.

The models are trained on synthetic text only, so they can be shared freely and rebuilt on two
processor cores in minutes. The stream refuses every item of the bundled tasks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from tiny.evalset import write_tasks
from tiny.families import FAMILIES
from tiny.training import rebuild

DATA = Path(__file__).resolve().parent.parent / "harness" / "data"


def main() -> None:
    """Read the command line and rebuild what it names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", choices=[*FAMILIES, "all", "none"], default="all", help="model to train (default: all)"
    )
    parser.add_argument(
        "--out", type=Path, default=DATA / "models", help="folder that receives one folder per model"
    )
    parser.add_argument(
        "--steps", type=int, default=None, help="optimizer steps, instead of the family's own number"
    )
    parser.add_argument("--tasks", action="store_true", help="also write the data files of the bundled tasks")
    options = parser.parse_args()
    torch.set_num_threads(2)
    if options.tasks:
        write_tasks(DATA / "tasks" / "data")
    names = {"all": list(FAMILIES), "none": []}.get(options.model, [options.model])
    for name in names:
        rebuild(FAMILIES[name], options.out / name, options.steps)


if __name__ == "__main__":
    main()
