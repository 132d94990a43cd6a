"""One task asked twice: by harness, and by lm-eval's own evaluation, which reads the same local
data in its own way.
"""

from __future__ import annotations

import functools
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from harness.config.schema import ModelSpec
from harness.engines.tokenizer import ChatTemplate
from harness.engines.transformers.engine import TransformersEngine
from harness.items import Answer
from harness.tasks import DataSources, expand, load
from harness.tasks.api import Marks, PromptStyle

ROOT = Path(__file__).resolve().parents[2]
MIRROR = Path(os.environ.get("HARNESS_MIRROR") or ROOT.parent / "shared" / "mirror")
SPECS = {
    "stories": ModelSpec(id="karpathy/stories260K", dtype="float32"),
    "tiny-qwen": ModelSpec(id="bundled/tiny-qwen", dtype="float32"),
    "tiny-llama": ModelSpec(id="bundled/tiny-llama", dtype="float32"),
    "tiny-distill": ModelSpec(id="bundled/tiny-deepseek-distill", dtype="float32"),
    "qwen-4-layers": ModelSpec(
        id="Qwen/Qwen2.5-0.5B-Instruct",
        weights="random",
        dtype="float32",
        config_overrides={"num_hidden_layers": 4, "max_window_layers": 4},
    ),
}


@dataclass
class Subject:
    """A loaded model, ready to be asked in both ways."""

    spec: ModelSpec
    engine: TransformersEngine
    chat: ChatTemplate | None


def ours(
    one: Subject, task: dict[str, Any], mirror: Path | None, chat: bool
) -> tuple[dict[str, Answer], Marks]:
    """Answers and marks by harness, in a shuffled order of items, so that order is seen not to
    matter.
    """
    from harness.config.schema import TaskEntry

    entry = TaskEntry.model_validate({key: value for key, value in task.items() if key != "limit"})
    (spec,) = expand([entry], limit=task["limit"], base_dir=ROOT).tasks
    made = load(spec, DataSources(mirror=mirror), seed=1234, allow_code=False)
    style = PromptStyle(chat=one.chat if chat else None, multiturn=True)
    items: list[Any] = list(made.items(style, task["limit"]))
    random.Random(0).shuffle(items)
    ask: Any = {
        "choice": one.engine.score,
        "completion": one.engine.generate,
        "passage": one.engine.perplexity,
    }[made.kind]
    answers = {answer.key: answer for answer in ask(items)}
    return answers, made.mark(answers, style, task["limit"])


def theirs(one: Subject, task: dict[str, Any], mirror: Path | None, chat: bool) -> dict[str, Any]:
    """lm_eval.simple_evaluate with its own HF engine on the same model object, data read by the
    datasets library.
    """
    import datasets
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    from harness.tasks.catalogue import Catalogue

    lm = HFLM(
        pretrained=one.engine._model,
        tokenizer=one.engine.encoder.raw,
        backend="causal",
        batch_size=1,
        device="cpu",
    )
    entry = Catalogue().find(task["task"])
    assert entry is not None
    assert entry.path is not None
    manager = TaskManager(include_defaults=False, include_path=str(entry.path.parent))
    original = datasets.load_dataset

    @functools.wraps(original)
    def local(path: str, name: str | None = None, **kwargs: Any) -> Any:
        if path.startswith("bundled/"):
            folder = ROOT / "harness/data/tasks/data" / path.removeprefix("bundled/")
            return original("json", data_files={file.stem: str(file) for file in folder.glob("*.jsonl")})
        return original(str(mirror / "datasets" / path), name, **kwargs)  # type: ignore[operator]

    with mock.patch.object(datasets, "load_dataset", local):
        results: dict[str, Any] = lm_eval.simple_evaluate(
            model=lm,
            tasks=[task["task"]],
            num_fewshot=task.get("fewshot"),
            limit=task["limit"],
            bootstrap_iters=0,
            apply_chat_template=chat,
            fewshot_as_multiturn=chat,
            task_manager=manager,
        )
    return results
