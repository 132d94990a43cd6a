"""Log-probabilities that are no model's: padded, shifted, made up, not finite.

None may become a score.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.endpoint import Behaviour, Server

from harness.engines import open_engine
from harness.engines.openai.probing import fault_of, make_probe
from harness.engines.openai.scoring import ScoredRow, read
from harness.engines.transformers.engine import TransformersEngine
from harness.errors import ModelError
from harness.evaluation.answer_checks import answer_findings
from harness.items import Choice, Score

TOKENIZER = "bundled/tiny-qwen"
CHOICES = [Choice(str(n), ((f"{n} + 4 =", " 7"), (f"{n} + 4 =", " 8"))) for n in range(12)]
PADDINGS = [
    "zeros",
    "ones",
    "tiny",
    "vocabulary",
    "shifted left",
    "shifted right",
    "by token",
    "last only",
    "index",
    "noise",
]


@pytest.mark.parametrize("mode", ["prompt_logprobs", "echo"])
@pytest.mark.parametrize("padding", PADDINGS)
def test_figures_that_are_no_models_are_refused_before_anything_is_scored(
    qwen: TransformersEngine, padding: str, mode: str
) -> None:
    with Server(qwen, "tiny", Behaviour(scoring=(mode,), padding=padding)) as server:
        engine = open_engine(server.spec(tokenizer=TOKENIZER))
        assert engine.info.extra["scoring"] not in ("prompt_logprobs", "echo")
        with pytest.raises(
            ModelError, match=r"cannot score: this endpoint gives no log-probabilities of prompts to rely on"
        ) as caught:
            list(engine.score(CHOICES))
        assert "\n" not in str(caught.value)
        engine.close()


def test_a_padded_way_is_left_for_one_that_is_not(qwen: TransformersEngine) -> None:
    def padded(answer: dict[str, Any]) -> dict[str, Any]:
        for row in answer["choices"][0].get("prompt_logprobs") or ():
            for one in (row or {}).values():
                one["logprob"] = 0.0
        return answer

    with Server(qwen, "tiny", Behaviour(edit=padded)) as server:
        engine = open_engine(server.spec(tokenizer=TOKENIZER))
        assert engine.info.extra["scoring"] == "echo"
        found, right = (
            {one.key: one for one in engine.score(CHOICES)},
            {one.key: one for one in qwen.score(CHOICES)},
        )
        assert all(found[key].logprobs == pytest.approx(right[key].logprobs, abs=1e-4) for key in right)
        engine.close()


def test_the_probe_forks_at_one_token(qwen: TransformersEngine) -> None:
    probe = make_probe(qwen.encoder.prefix_id, lambda text: qwen.encoder.encode_plain([text])[text])
    assert len(probe.rows) == 4
    assert len({len(row) for row in probe.rows}) == 1
    assert {place for place in range(len(probe.rows[0])) if len({row[place] for row in probe.rows}) > 1} == {
        probe.fork
    }


def _model_like(sure: float, noise: float) -> list[list[float]]:
    """Figures of a large trained model's kind: alike before the fork but for noise, another at it,
    and behind it a little.
    """
    rows = []
    for row in range(4):
        wobble = [noise * math.sin(7 * row + place) for place in range(18)]
        lead = [-4.0 - 0.3 * place for place in range(5)]
        tail = [sure * (1 + 0.4 * math.sin(place)) - 0.2 * row for place in range(12)]
        rows.append(
            [value + shift for value, shift in zip([*lead, -3.0 - 2 * row, *tail], wobble, strict=True)]
        )
    return rows


@pytest.mark.parametrize(("sure", "noise"), [(-6.0, 0.0), (-1.2, 0.05), (-11.0, 0.2)])
def test_rounding_and_batching_do_not_spoil_the_probe(sure: float, noise: float) -> None:
    assert fault_of(_model_like(sure, noise), 6) is None


def test_a_model_that_is_sure_of_nonsense_is_none() -> None:
    rows = [[-0.001 * (1 + place + row) for place in range(18)] for row in range(4)]
    assert "too sure of a senseless text" in str(fault_of(rows, 6))


@pytest.mark.parametrize("mode", ["prompt_logprobs", "echo"])
@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, -math.inf, "NaN", "-Infinity", None, -9999.0, -12345.0, 0.25, True, "x", [1]]
)
def test_one_bad_figure_fails_its_question_and_says_where(
    qwen: TransformersEngine, mode: str, bad: Any
) -> None:
    spoilt: list[bool] = []

    def spoil(answer: dict[str, Any]) -> dict[str, Any]:
        choice = answer["choices"][0]
        if armed and not spoilt:
            spoilt.append(True)
            if mode == "echo":
                choice["logprobs"]["token_logprobs"][-2] = bad
            else:
                entry = choice["prompt_logprobs"][-1]
                entry[next(iter(entry))]["logprob"] = bad
        return answer

    armed: list[bool] = []
    with Server(qwen, "tiny", Behaviour(scoring=(mode,), edit=spoil)) as server:
        engine = open_engine(server.spec(tokenizer=TOKENIZER, engine_args={"concurrency": 1}))
        armed.append(True)
        seen: list[str] = []
        with pytest.raises(
            ModelError, match=r"1 of 12 items were not answered.*log-probability of a token \(\d+ of \d+\) is"
        ) as caught:
            seen.extend(one.key for one in engine.score(CHOICES))
        assert "\n" not in str(caught.value)
        assert len(spoilt) == 1
        engine.close()


def test_the_best_beside_a_token_must_be_a_number_too() -> None:
    entry = {"9": {"logprob": -2.0}, "4": {"logprob": math.nan}}
    with pytest.raises(ValueError, match="no finite number"):
        read("prompt_logprobs", {"choices": [{"prompt_logprobs": [None, entry]}]}, ScoredRow((7, 9), 1, 0))


def test_rounding_just_above_zero_is_no_fault() -> None:
    told = {"token_logprobs": [None, 1e-6, -1.0], "top_logprobs": [None, {"x": 1e-6}, None]}
    assert read("echo", {"choices": [{"logprobs": told}]}, ScoredRow((7, 9), 1, 0)).logprob == 1e-6


def test_echo_without_the_likeliest_tokens_is_said(qwen: TransformersEngine) -> None:
    def hide(answer: dict[str, Any]) -> dict[str, Any]:
        answer["choices"][0]["logprobs"].pop("top_logprobs")
        return answer

    with Server(
        qwen,
        "tiny",
        Behaviour(scoring=("echo",), edit=lambda a: hide(a) if "logprobs" in a["choices"][0] else a),
    ) as server:
        engine = open_engine(server.spec(tokenizer=TOKENIZER))
        assert engine.info.extra["scoring"] == "echo"
        assert "greedy_unknown" in {one.kind for one in engine.info.findings}
        engine.close()


def test_options_that_are_all_alike_are_told() -> None:
    alike = [Score(str(n), (-1.0, -1.0), (False, False), (1, 1)) for n in range(7)]
    differ = [Score(f"d{n}", (-1.0, -2.0), (False, False), (1, 1)) for n in range(5)]
    (found,) = answer_findings([*alike, *differ])
    assert (found.kind, found.count, found.of) == ("constant_logprobs", 7, 12)
    assert answer_findings([*alike[:1], *differ]) == []
    (found,) = answer_findings([Score("k", (0.0, 0.0, -1.0), (True, True, False), (1, 1, 1)), *differ])
    assert (found.count, found.of) == (1, 6), "no model is certain of two options"
    assert answer_findings([Score("k", (-1.0,), (True,), (1,))] * 9) == [], "one pair is no choice"
