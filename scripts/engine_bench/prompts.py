"""Building and tokenising 5-shot CMMLU prompts, ours and lm-eval's: ``python -m
engine_bench.prompts WHO MODEL MIRROR LIMIT``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

from harness.items import Choice

TASKS = ("cmmlu_anatomy", "cmmlu_virology")
Found = tuple[float, float, list[tuple[list[int], list[int]]]]


def ours(model: Path, mirror: Path, limit: int) -> Found:
    """(seconds of building, of tokenising, ids of every pair)."""
    from harness.config.schema import ModelSpec, TaskEntry
    from harness.engines.files import resolve_model
    from harness.engines.tokenizer import load_tokenizer
    from harness.tasks import DataSources, expand, load
    from harness.tasks.api import PromptStyle

    spec = ModelSpec(id=str(model))
    encoder = load_tokenizer(spec, resolve_model(spec))
    entries = [TaskEntry.model_validate({"task": name, "fewshot": 5}) for name in TASKS]
    specs = expand(entries, limit=limit, base_dir=Path.cwd()).tasks
    tasks = [load(one, DataSources(mirror=mirror), seed=1234, allow_code=False) for one in specs]

    # Loading a tokenizer and data is left out: both sides read the same files.
    started = time.perf_counter()
    pairs: list[Any] = [
        pair
        for task in tasks
        for item in task.items(PromptStyle(None, multiturn=False), limit)
        if isinstance(item, Choice)
        for pair in item.pairs
    ]
    built = time.perf_counter()
    ids = encoder.pairs(pairs)
    return (
        built - started,
        time.perf_counter() - built,
        [(list(context), list(rest)) for context, rest in ids],
    )


def theirs(model: Path, mirror: Path, limit: int) -> Found:
    """The same by lm-eval: its tasks' build_all_requests, and its engine's tokenisation of each
    pair.
    """
    import datasets
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    from harness.tasks.catalogue import Catalogue

    lm: Any = HFLM(pretrained=str(model), batch_size=8, device="cpu")
    real = datasets.load_dataset
    entry = Catalogue().find(TASKS[0])
    if entry is None or entry.path is None:
        raise SystemExit(f"no task {TASKS[0]}")

    # lm-eval would ask the hub for data sets; it is given the mirror's.
    manager = TaskManager(include_defaults=False, include_path=str(entry.path.parent))
    with mock.patch.object(
        datasets,
        "load_dataset",
        lambda path, name=None, **kw: real(str(mirror / "datasets" / path), name, **kw),
    ):
        loaded: Any = manager.load(list(TASKS))
    tasks = [loaded["tasks"][name] for name in TASKS]

    started = time.perf_counter()
    for task in tasks:
        task.set_config(key="num_fewshot", value=5)
        task.build_all_requests(limit=limit, rank=0, world_size=1)
    built = time.perf_counter()
    ids = [lm._encode_pair(*request.args) for task in tasks for request in task.instances]
    return (
        built - started,
        time.perf_counter() - built,
        [(list(context), list(rest)) for context, rest in ids],
    )


def main() -> None:
    """Prints one JSON line; ``ids`` is a hash, to be equal on both sides."""
    import hashlib

    who, model, mirror, limit, out = sys.argv[1:]
    building, tokenising, ids = {"ours": ours, "lm-eval": theirs}[who](Path(model), Path(mirror), int(limit))
    digest = hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:16]
    figures = {
        "building_seconds": building,
        "tokenising_seconds": tokenising,
        "pairs": len(ids),
        "ids": digest,
    }
    Path(out).write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
