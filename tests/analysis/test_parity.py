"""Parity: the figures against numpy, each reason for each verdict, and what is not compared."""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import numpy as np
import pytest

from harness.analysis.parity import common_beginning, compare
from harness.analysis.parity_verdict import Parity
from harness.items import Answer, Generation, Likelihood, Score
from harness.reporting import render
from harness.reporting.parity import parity_data, parity_document
from harness.results.cells import AnsweredCell, Cells
from harness.results.schema import Row


def cell(answers: list[Answer], value: float = 0.5, stderr: float | None = 0.1, **more: Any) -> AnsweredCell:
    row = Row(
        cell_id="c",
        model="m",
        task="t",
        metric="acc",
        filter="none",
        value=value,
        stderr=stderr,
        n=len(answers),
        status="ok",
    )
    fields: dict[str, Any] = {
        "model": "m",
        "task": "t",
        "status": "ok",
        "reason": None,
        "prompt_id": "p",
        "prompt": {},
        "rows": (row,),
    }
    fields["engine"] = {"engine": "transformers", "dtype": "float32", "device": "cpu"}
    return AnsweredCell(**(fields | {"answers": {answer.key: answer for answer in answers}} | more))


def both(first: AnsweredCell, second: AnsweredCell, within: float | None = None) -> Parity:
    return compare({(first.model, first.task): first}, {(second.model, second.task): second}, within)


def score(key: str, *logprobs: float, tokens: int = 1) -> Score:
    return Score(
        key, logprobs, tuple(value == max(logprobs) for value in logprobs), (tokens,) * len(logprobs)
    )


def text(key: str, words: str) -> Generation:
    return Generation(key, words, "eos")


def test_figures_equal_numpys() -> None:
    rng = random.Random(3)
    ones, others, gaps = [], [], []
    for number in range(300):
        tokens = rng.randint(1, 5)
        values = [-rng.uniform(0, 20) for _ in range(4)]
        moved = [value + rng.gauss(0, 0.01) for value in values]
        ones.append(Score(str(number), tuple(values), (False,) * 4, (tokens,) * 4))
        others.append(Score(str(number), tuple(moved), (False,) * 4, (tokens,) * 4))
        gaps += [abs(a - b) / tokens for a, b in zip(values, moved, strict=True)]
    found = both(cell(list(ones)), cell(list(others))).cells[0].logprobs
    assert found is not None
    assert (found.n, found.max) == (1200, max(gaps))
    assert found.mean == pytest.approx(np.mean(gaps))
    assert found.p99 == pytest.approx(np.percentile(gaps, 99, method="inverted_cdf"))


def test_equal_answers_are_yes() -> None:
    answers: list[Answer] = [score("1", -1, -2), text("2", "a b"), Likelihood("3", -40.0, predicted=10)]
    found = both(cell(answers), cell(answers))
    assert (found.verdict, found.reasons) == ("yes", ())
    assert found.cells[0].tolerance == 1e-3
    assert "trusted? yes" in render(parity_document(found))


@pytest.mark.parametrize(
    ("dtype", "gap", "tokens", "verdict"),
    [
        ("float32", 0.0009, 1, "yes"),
        ("float32", 0.0011, 1, "no"),
        ("float32", 0.0011, 2, "yes"),
        ("bfloat16", 0.04, 1, "yes"),
        ("bfloat16", 0.06, 1, "no"),
        (None, 0.04, 1, "yes"),
    ],
)
def test_the_tolerance_is_a_tokens_and_follows_the_format(
    dtype: str | None, gap: float, tokens: int, verdict: str
) -> None:
    second = cell(
        [score("1", -1 - gap, -2, tokens=tokens)], engine={"engine": "vllm", "dtype": dtype, "device": "cpu"}
    )
    assert both(cell([score("1", -1, -2, tokens=tokens)]), second).verdict == verdict
    assert both(cell([score("1", -1, -2, tokens=tokens)]), second, within=1.0).verdict == "yes"


def test_a_rare_large_difference_is_noise_and_a_common_one_is_not() -> None:
    ones: list[Answer] = [score(str(n), -1.0, -2.0) for n in range(300)]
    for bad, verdict in ((1, "within noise"), (30, "no")):
        others: list[Answer] = [score(str(n), -1.0 - (0.1 if n < bad else 0), -2.0) for n in range(300)]
        found = both(cell(ones), cell(others))
        assert found.verdict == verdict
        assert len(found.cells[0].differing) == bad


def test_a_near_tie_that_flips_is_noise_and_is_listed() -> None:
    found = both(cell([score("7", -1.0001, -1.0002)]), cell([score("7", -1.0002, -1.0001)]))
    assert found.verdict == "within noise"
    assert (found.cells[0].argmax_flips, found.cells[0].greedy_flips) == (1, 1)
    (one,) = found.cells[0].differing
    assert (one.key, one.what) == ("7", "arg-max")
    assert "item 7: arg-max" in render(parity_document(found))


def test_metrics_beyond_one_standard_error_are_no() -> None:
    answers: list[Answer] = [score("1", -1, -2)]
    for second, stderr, verdict in (
        (0.59, 0.1, "yes"),
        (0.61, 0.1, "no"),
        (0.5, 0.0, "yes"),
        (0.51, 0.0, "no"),
        (0.7, None, "yes"),
    ):
        found = both(cell(answers, 0.5, stderr), cell(answers, second, stderr))
        assert found.verdict == verdict, (second, stderr)
    assert json.dumps(parity_data(both(cell(answers, 0.5, 0.0), cell(answers, 0.6, 0.0))), allow_nan=False)


def test_texts_that_part_late_are_noise_and_early_are_not() -> None:
    long = "the answer is " * 20
    for ending, dtype, verdict in (
        ("x", "float32", "within noise"),
        ("x" * 200, "float32", "no"),
        ("x" * 200, "bfloat16", "within noise"),
    ):
        engine = {"engine": "e", "dtype": dtype, "device": "cpu"}
        found = both(cell([text("1", long)]), cell([text("1", long + ending)], engine=engine))
        assert found.verdict == verdict, (len(ending), dtype)
        assert found.cells[0].texts_differing == 1
    early = both(
        cell([text("1", "abc" * 9)]),
        cell([text("1", "xbc" * 9)], engine={"engine": "e", "dtype": "bfloat16", "device": "cpu"}),
    )
    assert early.verdict == "no"
    assert common_beginning("", "") == 1
    assert common_beginning("abcd", "ab") == 0.5


def test_sampled_texts_are_judged_by_their_metrics_alone() -> None:
    prompt = {"generation": {"temperature": 0.7}}
    found = both(cell([text("1", "abc")], prompt=prompt), cell([text("1", "xyz")], prompt=prompt))
    assert found.verdict == "yes"
    assert found.cells[0].texts == 0


def test_what_cannot_be_compared_is_no() -> None:
    answers: list[Answer] = [score("1", -1, -2)]
    other = cell(answers, prompt_id="q")
    assert "not asked the same" in both(cell(answers), other).reasons[0]
    failed = cell([], status="failed", reason="no GPU", rows=())
    assert both(cell(answers), failed).reasons == ("m t: the second has no answers: no GPU",)
    assert both(cell(answers), cell([score("2", -1, -2)])).verdict == "no"
    assert compare({("m", "t"): cell(answers)}, {}).verdict == "no"
    infinite = both(cell(answers), cell([score("1", -float("inf"), -2)]))
    assert infinite.verdict == "no"
    assert json.dumps(parity_data(infinite), allow_nan=False)
    for one in (both(cell(answers), other), both(cell(answers), failed), infinite):
        assert "trusted? no" in render(parity_document(one))


def test_half_a_run_is_noise_and_skipped_cells_do_not_count() -> None:
    answers: list[Answer] = [score("1", -1, -2), score("2", -1, -2)]
    found = both(cell(answers), cell(answers[:1], status="partial"))
    assert found.verdict == "within noise"
    assert found.cells[0].missing == 1
    gone = cell([], status="skipped", reason="no data", rows=())
    first: Cells = {("m", "t"): cell(answers), ("m", "u"): dataclasses.replace(gone, task="u")}
    assert compare(first, first).verdict == "yes"


def test_one_model_under_two_names_is_paired() -> None:
    answers: list[Answer] = [score("1", -1, -2)]
    renamed = dataclasses.replace(cell(answers), model="other")
    assert both(cell(answers), renamed).verdict == "yes"
    two: Cells = {("other", "t"): renamed, ("third", "t"): dataclasses.replace(renamed, model="third")}
    assert compare({("m", "t"): cell(answers)}, two).reasons == ("the two runs have no cell in common",)
