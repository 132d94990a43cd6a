"""The mock engine: deterministic, quick, and failing when asked to."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.config.schema import ModelSpec
from harness.engines import engine_identity, open_engine
from harness.errors import ModelError, OutOfMemoryError
from harness.items import Answer, Choice, Completion, Passage, answer_from_dict, answer_to_dict

CHOICES = [Choice(str(n), ((f"question {n}", " A"), (f"question {n}", " B"))) for n in range(5)]


def _mock(**options: object) -> ModelSpec:
    return ModelSpec(id="mock", engine="mock", engine_args=options)


def test_equal_items_get_equal_answers() -> None:
    first, second = open_engine(_mock()), open_engine(_mock())
    assert [answer.logprobs for answer in first.score(CHOICES)] == [
        answer.logprobs for answer in second.score(CHOICES)
    ]
    (other,) = open_engine(ModelSpec(id="other", engine="mock")).score(CHOICES[:1])
    assert other.logprobs != next(iter(first.score(CHOICES))).logprobs


def test_answers_survive_the_journal() -> None:
    engine = open_engine(_mock(answer="It is 4.\n\nmore"))
    answers: list[Answer] = [
        *engine.score(CHOICES),
        *engine.generate(
            [
                Completion("g", "2+2?", ("\n\n",)),
                Completion("f", "x", max_tokens=7, prompt_ids=(1, 2), ignore_eos=True),
            ]
        ),
        *engine.perplexity([Passage("p", "some text")]),
    ]
    assert [answer_from_dict(answer_to_dict(answer)) for answer in answers] == answers
    generation = next(engine.generate([Completion("g", "2+2?", ("\n\n",))]))
    assert (generation.text, generation.finish) == ("It is 4.", "stop")


def test_failures_as_asked() -> None:
    for options, kind in (({"fail_after": 2}, ModelError), ({"oom_after": 2}, OutOfMemoryError)):
        engine = open_engine(_mock(**options))
        seen: list[str] = []
        with pytest.raises(kind):
            seen.extend(answer.key for answer in engine.score(CHOICES))
        engine.close()
    with pytest.raises(ModelError, match="unknown key 'anser' in engine_args; did you mean 'answer'"):
        open_engine(_mock(anser="x"))


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from harness.config.schema import ModelSpec; from harness.engines import *; "
        "e = open_engine(ModelSpec(id='m', engine='mock')); engine_identity(ModelSpec(id='m'), 'cpu'); "
        "print([name for name in ('torch', 'transformers', 'lm_eval', 'huggingface_hub') if name in "
        "sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert engine_identity(_mock(answer="x"))["answer"] == "x"
