"""What the tests of the tasks room share: the mirror, data sources, and a model that answers by
hashing its question.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.config.schema import TaskEntry
from harness.items import Answer, Choice, Completion, Generation, Item, Likelihood, Score
from harness.tasks import DataSources, Task, expand, load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("HARNESS_HUB", raising=False)


@pytest.fixture(scope="session")
def mirror() -> Path:
    path = Path(os.environ.get("HARNESS_MIRROR") or ROOT / "../shared/mirror").resolve()
    if not (path / "datasets").is_dir():
        pytest.skip(f"no data mirror at {path}: set HARNESS_MIRROR")
    return path


@pytest.fixture(scope="session")
def loaded(mirror: Path) -> Callable[..., Task]:
    """Loads a task of the mirror by name, with settings of `TaskEntry`; kept for the session."""
    kept: dict[str, Task] = {}

    def get(name: str, **settings: Any) -> Task:
        key = f"{name} {settings}"
        if key not in kept:
            spec = expand([TaskEntry(task=name, **settings)], limit=None, base_dir=Path()).tasks[0]
            kept[key] = load(spec, DataSources(mirror))
        return kept[key]

    return get


class Hashing:
    """A model whose answers are decided by a hash of the question, and a chat template in the
    manner of ChatML.
    """

    @staticmethod
    def share(*texts: str) -> float:
        """A number in [0, 1)."""
        return int(hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8], 16) / 2**32

    @classmethod
    def logprob(cls, context: str, continuation: str) -> tuple[float, bool]:
        return -10 * cls.share(context, continuation) * len(continuation), cls.share(
            continuation, context
        ) > 0.5

    @classmethod
    def rolling(cls, text: str) -> float:
        return -3 * len(text) * cls.share(text)

    @classmethod
    def written(cls, context: str) -> str:
        """A generated text with something for most filters to find."""
        number = int(cls.share(context) * 20)
        return f" Some steps. The answer is {number}. 答案是 {number}。 #### {number}"

    @classmethod
    def answer(cls, item: Item) -> Answer:
        if isinstance(item, Choice):
            pairs = [cls.logprob(*pair) for pair in item.pairs]
            return Score(
                item.key,
                tuple(p for p, _ in pairs),
                tuple(g for _, g in pairs),
                tuple(len(c) for _, c in item.pairs),
            )
        if isinstance(item, Completion):
            return Generation(item.key, cls.written(item.prompt), "eos")
        return Likelihood(item.key, cls.rolling(item.text))

    @staticmethod
    def chat(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        text = "".join(
            f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n" for message in messages
        )
        return text + ("<|im_start|>assistant\n" if add_generation_prompt else "")


@pytest.fixture(scope="session")
def model() -> type[Hashing]:
    return Hashing


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """An empty mirror."""
    (tmp_path / "datasets").mkdir()
    return tmp_path


@pytest.fixture
def sums(tmp_path: Path) -> Callable[..., Task]:
    """Four sums whose answers are generated: the last number counts."""
    rows = [{"q": f"{n} + 1 =", "a": str(n + 1)} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = {
        "task": "sums",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{q}}",
        "doc_to_target": "a",
        "generation_kwargs": {"until": ["\n\n"], "do_sample": False, "max_gen_toks": 40},
        "filter_list": [
            {
                "name": "number",
                "filter": [{"function": "regex", "regex_pattern": "(\\d+)"}, {"function": "take_first"}],
            }
        ],
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    }

    def make(changes: dict[str, Any] | None = None, **settings: Any) -> Task:
        (tmp_path / "sums.yaml").write_text(json.dumps(config | (changes or {})), encoding="utf-8")
        spec = expand([TaskEntry(task="sums.yaml", **settings)], limit=None, base_dir=tmp_path).tasks[0]
        return load(spec, DataSources())

    return make
