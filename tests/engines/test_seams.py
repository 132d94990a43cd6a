"""Options that leave no token of their own: scored by a written rule in every engine, never 0.0;
all others as lm-eval has them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lm_eval.api.instance import Instance
from support.fake_vllm import FakeEngine, logprobs, params

from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.engines.rows import ScorePlan
from harness.engines.seams import CUT, END, MOVED, OptionPairs, Split, rule_findings, settle, with_cuts
from harness.engines.tokenizer import TextEncoder, read_tokenizer
from harness.engines.vllm.abilities import Abilities
from harness.engines.vllm.client import VllmClient
from harness.engines.vllm.logprobs import LogprobRequests
from harness.engines.vllm.scoring import VllmScorer
from harness.errors import ModelError
from harness.items import Choice, Score, answer_from_dict, answer_to_dict

from .conftest import Opened, both

GPT2 = "openai-community/gpt2"
SHAPE = {
    "model_type": "gpt2",
    "architectures": ["GPT2LMHeadModel"],
    "n_layer": 2,
    "n_embd": 64,
    "n_head": 2,
    "vocab_size": 50257,
}
SHAPE |= {"n_positions": 128, "bos_token_id": 50256, "eos_token_id": 50256}


@pytest.fixture(scope="module")
def gpt2(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """GPT-2's own tokenizer, random weights of its shape in small."""
    folder = tmp_path_factory.mktemp("gpt2") / "m"
    shutil.copytree(mirror / "models" / GPT2, folder)
    (folder / "config.json").write_text(json.dumps(SHAPE))
    opened = both(ModelSpec(id=str(folder), weights="random", dtype="float32"), mirror)
    yield opened
    opened.engine.close()


@pytest.fixture(scope="module")
def encoder(mirror: Path) -> TextEncoder:
    return read_tokenizer(ModelSpec(id=GPT2), mirror / "models" / GPT2)


def _lm_eval(opened: Opened, *pairs: tuple[str, str]) -> list[tuple[float, bool]]:
    asked = [
        Instance(request_type="loglikelihood", doc={}, arguments=pair, idx=0, metadata=("t", 0, 1))
        for pair in pairs
    ]
    found: list[tuple[float, bool]] = opened.hflm.loglikelihood(asked, disable_tqdm=True)
    return found


def _score(opened: Opened, *pairs: tuple[str, str]) -> Score:
    answer: Score
    (answer,) = opened.engine.score([Choice("k", pairs)])
    return answer


def test_the_option_that_merges_is_scored_and_lm_eval_stops(gpt2: Opened) -> None:
    pairs = (("The Ans", "wer"), ("The Ans", "gar"), ("The Ans", " is"))
    with pytest.raises(AssertionError):
        _lm_eval(gpt2, pairs[0])
    assert (0.0, True) in _lm_eval(
        gpt2, *pairs
    )  # beside an option of one token its cache hides the empty one, which wins
    answer = _score(gpt2, *pairs)
    assert answer.rules == (MOVED, MOVED, MOVED)
    assert all(value < -1 for value in answer.logprobs)
    # Each is the probability of its text after the same token: what lm-eval itself gives for that
    # seam.
    want = _lm_eval(gpt2, ("The", " Answer"), ("The", " Ansgar"), ("The", " Ans is"))
    assert answer.logprobs == pytest.approx([value for value, _ in want], abs=1e-4)
    assert answer.greedy == tuple(greedy for _, greedy in want)
    assert answer_from_dict(answer_to_dict(answer)) == answer


def test_a_merge_with_the_whole_context(gpt2: Opened) -> None:
    answer = _score(gpt2, ("Ans", "wer"), ("Ans", "x"))
    want = _lm_eval(gpt2, ("", "Answer"), ("", "Ansx"))
    assert answer.logprobs == pytest.approx([value for value, _ in want], abs=1e-4)
    assert answer.lengths == (1, len(gpt2.engine.encoder.encode_plain(["Ansx"])["Ansx"]))


def test_another_document_and_another_context_are_left_alone(gpt2: Opened) -> None:
    usual = (("The Ans", "gar"), ("The Ans", " is"))
    assert _score(gpt2, *usual).rules == ()
    assert _score(gpt2, *usual).logprobs == pytest.approx(
        [value for value, _ in _lm_eval(gpt2, *usual)], abs=1e-4
    )
    mixed = _score(gpt2, ("The Ans", "wer"), ("A dog", " barks"), ("", " barks"))
    assert mixed.rules == (MOVED, "", "")
    assert mixed.logprobs[1:] == pytest.approx(
        [value for value, _ in _lm_eval(gpt2, ("A dog", " barks"), ("", " barks"))], abs=1e-4
    )


def test_a_whole_that_splits_otherwise_but_leaves_a_token_is_lm_evals(gpt2: Opened) -> None:
    pairs = (("ab Ans", "wering"), ("x ", "y"), ("12", "34 5"), ("caf", "é au"))
    answer = _score(gpt2, *pairs)
    assert answer.logprobs == pytest.approx([value for value, _ in _lm_eval(gpt2, *pairs)], abs=1e-4)
    assert answer.rules == ()


def test_an_empty_option_is_the_end_of_the_text(gpt2: Opened) -> None:
    end = gpt2.engine.encoder.eos_text
    with pytest.raises(AssertionError):
        _lm_eval(gpt2, ("The answer", ""))
    answer = _score(gpt2, ("The answer", ""), ("The answer", " is"), ("", ""), ("  ", ""))
    assert answer.rules == (END, "", END, "")  # spaces that end a context are the option's
    want = _lm_eval(gpt2, ("The answer", end), ("The answer", " is"), ("", end + end), ("", "  "))
    assert answer.logprobs[:2] == pytest.approx([want[0][0], want[1][0]], abs=1e-4)
    assert all(value < -1 for value in answer.logprobs)


def test_options_of_white_space_are_lm_evals(gpt2: Opened) -> None:
    pairs = (("A:", " "), ("A:", "\n"), ("A: ", ""), ("A:", "  \n"))
    answer = _score(gpt2, *pairs)
    want = _lm_eval(gpt2, ("A:", " "), ("A:", "\n"), ("A:", " "), ("A:", "  \n"))
    assert answer.logprobs == pytest.approx([value for value, _ in want], abs=1e-4)
    assert answer.rules == ()


def test_an_empty_option_beside_one_that_merges(gpt2: Opened) -> None:
    end = gpt2.engine.encoder.eos_text
    answer = _score(gpt2, ("The Ans", "wer"), ("The Ans", ""))
    assert answer.rules == (MOVED, END)
    want = _lm_eval(gpt2, ("The", " Answer"), ("The", " Ans" + end))
    assert answer.logprobs == pytest.approx([value for value, _ in want], abs=1e-4)


def test_an_option_longer_than_the_window_is_said(gpt2: Opened) -> None:
    answer = _score(gpt2, ("The", " word" * 200), ("The", " end"))
    assert answer.rules == (CUT, "")
    assert answer.truncated > 0
    assert {finding.kind: (finding.count, finding.of) for finding in rule_findings([answer])} == {
        "options_cut": (1, 1)
    }


def test_the_same_alone_together_and_in_any_order(gpt2: Opened) -> None:
    items = [
        Choice(str(n), ((f"{word} Ans", "wer"), (f"{word} Ans", "gar")))
        for n, word in enumerate(("The", "An", "No", "The"))
    ]
    items += [Choice("x", (("The Ans", " is"), ("The Ans", " was")))]
    together = {answer.key: answer for answer in gpt2.engine.score(items)}
    for item in items:
        (alone,) = gpt2.engine.score([item])
        assert together[item.key].logprobs == pytest.approx(alone.logprobs, abs=1e-5)
        assert together[item.key].rules == alone.rules
    assert together["x"].rules == ()


def test_pairs_are_never_without_a_token(encoder: TextEncoder) -> None:
    """What endpoints ask, a pair at a time."""
    for context, continuation in encoder.pairs(
        [("Ans", "wer"), ("The Ans", "wer"), ("a", ""), ("", ""), (" ", ""), ("", encoder.eos_text)]
    ):
        assert context
        assert continuation


def test_the_rules_by_ids() -> None:
    assert settle([Split([1, 2], [1, 2, 3])], ["c"], 0, 9) == OptionPairs([([1, 2], [3])])
    assert settle([Split([1, 2], [1, 3]), Split([1, 2], [1, 2, 4])], ["c", "c"], 0, 9) == OptionPairs(
        [([1], [3]), ([1], [2, 4])], (MOVED, MOVED)
    )
    # One that splits the context otherwise shares less.
    assert settle([Split([1, 2], [1, 3]), Split([1, 2], [5, 2, 4])], ["c", "c"], 0, 9).pairs == [
        ([0], [1, 3]),
        ([0], [5, 2, 4]),
    ]
    assert settle([Split([1, 2], [1, 2])], ["c"], 0, 9) == OptionPairs([([1, 2], [9])], (END,))
    assert settle([Split([1, 2], [1])], ["c"], 0, 9) == OptionPairs([([0], [1])], (MOVED,))
    with pytest.raises(ValueError, match="no token"):
        settle([Split([1, 2], [1, 2])], ["c"], 0, None)
    with pytest.raises(ValueError, match="begins"):
        settle([Split([1], [2])], ["c"], None, 9)
    assert with_cuts((), {1}, 3) == ("", CUT, "")
    with pytest.raises(ValueError, match="without a token"):
        ScorePlan([[([1], [])]], 8)


def test_a_tokenizer_without_an_end_says_so(encoder: TextEncoder) -> None:
    bare = TextEncoder(encoder.raw, "bare")
    bare.eos_id = None
    with pytest.raises(ModelError, match="bare: an option has no token"):
        bare.options([[("a", ""), ("a", " b")]])


@pytest.mark.parametrize("way", ["rows", "forced", "tail", "whole"])
def test_vllm_scores_moved_and_ended_options(way: str) -> None:
    options = settle([Split([1, 2, 3], [1, 2, 4]), Split([1, 2, 3], [1, 2, 3])], ["c", "c"], 0, 9)
    able = Abilities(rows=True, tail=True, flat=False, shared_params=False, labels=3)
    plan = ScorePlan([options.pairs], 14)
    assert list(
        VllmScorer(VllmClient(FakeEngine(), "toy"), LogprobRequests(params, able), way, 4, able.labels).run(
            plan
        )
    ) == [0]
    want = [logprobs([1, 2])[4], logprobs([1, 2])[3] + logprobs([1, 2, 3])[9]]
    assert plan.scores[0].logprobs == pytest.approx(want)


def test_the_mock_has_no_certain_option() -> None:
    engine = open_engine(ModelSpec(id="m", engine="mock"))
    (answer,) = engine.score([Choice("k", (("a", ""), ("a", "b")))])
    assert answer.rules == (END, "")
    assert all(value < 0 for value in answer.logprobs)
    assert 0 not in answer.lengths


def test_findings_count_documents() -> None:
    scores: list[Any] = [
        Score(str(n), (-1.0, -2.0), (False, False), (1, 1), rules=rules)
        for n, rules in enumerate([(), (MOVED, MOVED), (END, "")])
    ]
    found = {finding.kind: finding.count for finding in rule_findings(scores)}
    assert found == {"options_moved": 1, "options_end": 1}
