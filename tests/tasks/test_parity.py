"""Prompts and marks equal those of lm_eval.simple_evaluate, to the character and to the digit.

lm-eval reads the mirror through `datasets` itself, so that our reader is compared too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.items import Choice, Completion, Passage
from harness.tasks import PromptStyle, Task
from harness.tasks.answered import cut
from harness.tasks.catalogue import Catalogue

LIMIT = 12
CASES = [
    ("ceval-valid_art_studies", 5, False, True),
    ("ceval-valid_art_studies", 5, True, False),
    ("cmmlu_anatomy", 2, True, True),
    ("mmlu_anatomy", 5, False, True),
    ("hellaswag", 3, False, False),
    ("arc_easy", 2, True, True),
    ("xcopa_zh", None, False, True),
    ("xcopa_zh", None, True, False),
    ("xwinograd_en", None, False, True),
    ("xwinograd_en", None, True, False),
    ("gsm8k", 5, False, True),
    ("gsm8k", 5, True, False),
    ("mgsm_native_cot_zh", 2, False, False),
    ("truthfulqa_mc2", None, False, True),
    ("lambada_openai", None, False, False),
    ("boolq", 1, True, True),
    ("passages_xquad_zh", None, False, False),
]


@pytest.fixture(scope="module")
def reference(
    mirror: Path, model: Any, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., dict[str, Any]]:
    """lm_eval.simple_evaluate of one task, with the hashing model."""
    import datasets
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager

    real, cache = datasets.load_dataset, str(tmp_path_factory.mktemp("datasets"))

    class HashingLM(LM):  # type: ignore[misc]
        tokenizer_name = "hashing"

        def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
            return [model.logprob(*request.args) for request in requests]

        def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:
            return [model.rolling(request.args[0]) for request in requests]

        def generate_until(self, requests: list[Any]) -> list[str]:
            return [cut(model.written(request.args[0]), request.args[1]["until"]) for request in requests]

        def apply_chat_template(
            self, history: list[dict[str, str]], add_generation_prompt: bool = True
        ) -> str:
            return str(model.chat(history, add_generation_prompt))

        def chat_template(self, chat_template: Any = False) -> str:
            return "hashing"

    def from_mirror(path: str, name: str | None = None, **kwargs: Any) -> Any:
        return real(str(mirror / "datasets" / path), name, cache_dir=cache, **kwargs)

    def run(name: str, fewshot: int | None, with_chat: bool) -> dict[str, Any]:
        entry = Catalogue().find(name)
        assert entry is not None
        assert entry.path is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(datasets, "load_dataset", from_mirror)
            patch.setenv("DISABLE_MULTIPROC", "1")
            manager = TaskManager(include_defaults=False, include_path=str(entry.path.parent))
            result: dict[str, Any] = simple_evaluate(
                HashingLM(),
                tasks=[name],
                num_fewshot=fewshot,
                limit=LIMIT,
                bootstrap_iters=1000,
                task_manager=manager,
                apply_chat_template=with_chat,
                fewshot_as_multiturn=True,
                system_instruction="Be brief." if with_chat else None,
            )
        return result

    return run


def _case(name: str, fewshot: int | None, with_chat: bool, slow: bool) -> Any:
    label = f"{name}-{fewshot}-{'chat' if with_chat else 'plain'}"
    return pytest.param(name, fewshot, with_chat, id=label, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize(("name", "fewshot", "with_chat"), [_case(*case) for case in CASES])
def test_prompts_and_marks_equal_lm_eval(
    name: str,
    fewshot: int | None,
    with_chat: bool,
    model: Any,
    loaded: Callable[..., Task],
    reference: Callable[..., dict[str, Any]],
) -> None:
    task = loaded(name, fewshot=fewshot)
    style = PromptStyle(chat=model.chat, system_prompt="Be brief.") if with_chat else PromptStyle()
    items = list(task.items(style, LIMIT))
    marks = task.mark({item.key: model.answer(item) for item in items}, style, LIMIT)
    theirs = reference(name, fewshot, with_chat)

    first_filter = theirs["samples"][name][0]["filter"]
    asked = {
        sample["doc_id"]: sample["arguments"]
        for sample in theirs["samples"][name]
        if sample["filter"] == first_filter
    }
    for item in items:
        expected = asked[int(item.key.split(":")[0])]
        if isinstance(item, Choice):
            assert list(item.pairs) == [tuple(pair) for pair in expected]
        elif isinstance(item, Completion):
            assert item.prompt == expected[0][0]
            assert list(item.stop) == expected[0][1]["until"]
        else:
            assert isinstance(item, Passage)
            assert item.text == expected[0][0]

    metrics = {
        key: value for key, value in theirs["results"][name].items() if "," in key and "_stderr" not in key
    }
    assert {f"{metric.metric},{metric.filter}": metric.value for metric in marks.metrics} == metrics
    assert [f"{metric.metric},{metric.filter}" for metric in marks.metrics] == list(metrics)
    for metric in marks.metrics:
        stderr = theirs["results"][name][f"{metric.metric}_stderr,{metric.filter}"]
        assert metric.stderr == (None if stderr == "N/A" else stderr)
    assert marks.n == LIMIT
    assert marks.failed == ()


def test_shots_are_the_same_whatever_the_limit(loaded: Callable[..., Task]) -> None:
    task = loaded("hellaswag", fewshot=3)
    whole = list(task.items(PromptStyle(), 6))
    again = PromptStyle(system_prompt="")
    assert [item.key for item in task.items(again, 2)] == ["0", "1"]
    assert list(task.items(again, 6)) == whole
    assert list(task.items(PromptStyle(), 6)) == whole
