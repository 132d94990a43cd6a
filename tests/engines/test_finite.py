"""Numbers that are none are noticed wherever they come from; good answers beside them stay."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.fake_vllm import FakeEngine, params
from support.sampled import choose

from harness.config.schema import ModelSpec
from harness.engines import open_engine, resolve_model
from harness.engines.files import PACKAGED
from harness.engines.finite import Faults, find_fault, is_kept
from harness.engines.rows import ScorePlan
from harness.engines.transformers.weights import weight_findings
from harness.engines.vllm.abilities import Abilities
from harness.engines.vllm.client import VllmClient
from harness.engines.vllm.logprobs import LogprobRequests
from harness.engines.vllm.scoring import VllmScorer
from harness.errors import ModelError
from harness.items import Choice, Completion, Generation, Likelihood, Passage, Sampling, Score

MATRIX = "model.layers.1.mlp.down_proj.weight"
EMBEDDING = "model.embed_tokens.weight"
BAD = [math.nan, math.inf, -math.inf]
WORDS = ["red", "two", "cat", "sun", "box", "day", "big", "run"]


def _spoilt(to: Path, tensor: str, index: Any, value: float) -> Path:
    """tiny-qwen with numbers of a tensor replaced.

    Its head is untied, so that a token's embedding concerns that token alone.
    """
    shutil.copytree(PACKAGED / "tiny-qwen", to)
    for file in to.iterdir():
        file.chmod(0o644)
    config = json.loads((to / "config.json").read_text()) | {"tie_word_embeddings": False}
    (to / "config.json").write_text(json.dumps(config))

    weights = load_file(to / "model.safetensors")
    weights["lm_head.weight"] = weights[EMBEDDING].clone()
    weights[tensor][index] = value
    save_file(weights, to / "model.safetensors", metadata={"format": "pt"})
    return to


def _open(folder: Path, **settings: Any) -> Any:
    spec = ModelSpec(id=str(folder), dtype="float32", **settings)
    return open_engine(spec, resolve_model(spec), "cpu")


def _questions(words: list[str] = WORDS) -> list[Choice]:
    return [
        Choice(word, ((f"Question: {word}\nAnswer:", " A"), (f"Question: {word}\nAnswer:", " B")))
        for word in words
    ]


@pytest.mark.parametrize(
    "settings", [{}, {"engine_args": {"shared_prefixes": False}}, {"engine_args": {"attention": "eager"}}]
)
@pytest.mark.parametrize("value", BAD)
def test_one_bad_weight(value: float, settings: dict[str, Any], tmp_path: Path) -> None:
    engine = _open(_spoilt(tmp_path / "m", MATRIX, (3, 5), value), **settings)
    (finding,) = [one for one in engine.info.findings if one.kind == "weights_not_finite"]
    assert (finding.count, finding.values) == (1, {"tensors": 1, "name": f"{MATRIX} (1)"})
    assert MATRIX in finding.text("zh")

    # Every token meets a feed-forward matrix, so every answer of every kind is bad.
    answers = [
        *engine.score(_questions()),
        *engine.perplexity([Passage("p", "Some text that goes on. 中文")]),
    ]
    answers += engine.generate(
        [
            Completion("g", "Once", max_tokens=9),
            Completion("s", "Once", (), 9, Sampling(temperature=1.0, top_p=0.9)),
        ]
    )
    assert len(answers) == len(WORDS) + 3
    assert all(find_fault(answer) for answer in answers)


def _rare(engine: Any) -> int:
    """A token that only the text "zebra 斑马" has."""
    ids = engine.encoder.encode_plain([" 斑马", "红"])
    return int(ids[" 斑马"][-1])


@pytest.mark.parametrize(
    "settings", [{}, {"engine_args": {"shared_prefixes": False}}, {"engine_args": {"attention": "eager"}}]
)
def test_one_bad_row_among_good_ones(settings: dict[str, Any], tmp_path: Path) -> None:
    """A spoilt embedding of one token: the items that hold it are bad, those beside them sound."""
    sound = _open(PACKAGED / "tiny-qwen", **settings)
    token = _rare(sound)
    engine = _open(_spoilt(tmp_path / "m", EMBEDDING, token, math.nan), **settings)
    items = [*_questions(), *_questions(["斑马"]), *_questions(["x", "y"])]
    scores = {answer.key: answer for answer in engine.score(items)}
    for expected in sound.score(items):
        if expected.key == "斑马":
            assert find_fault(scores[expected.key])
        else:
            assert scores[expected.key].logprobs == pytest.approx(expected.logprobs, abs=1e-5)

    # Sampled texts may meet the token by themselves, but hardly any does.
    prompts = [
        Completion(word, f"Question: {word}\nAnswer:", (), 12, Sampling(temperature=0.8, seed=1))
        for word in [*WORDS, "斑马", "x", "y"]
    ]
    texts = {answer.key: answer for answer in engine.generate(prompts)}
    for expected in sound.generate(prompts):
        if expected.key == "斑马":
            assert texts[expected.key].broken is not None
            assert find_fault(texts[expected.key])
        elif texts[expected.key].broken is None:
            assert texts[expected.key].text == expected.text
    assert sum(text.broken is None for text in texts.values()) >= len(prompts) - 2


def test_a_nan_that_no_answer_meets_is_a_warning(tmp_path: Path) -> None:
    sound = _open(PACKAGED / "tiny-qwen")
    engine = _open(_spoilt(tmp_path / "m", EMBEDDING, (_rare(sound), 0), math.nan))
    assert [finding.kind for finding in engine.info.findings] == ["weights_not_finite"]
    # the comparison is made on other tokens
    assert engine.info.extra["shared_prefixes"]["reason"] is None
    assert engine.info.extra["continuous_batching"]["reason"] is None


def test_sharing_is_not_turned_off_without_a_word(tmp_path: Path) -> None:
    engine = _open(_spoilt(tmp_path / "m", MATRIX, (3, 5), math.nan))
    findings = {finding.kind: finding for finding in engine.info.findings}
    assert set(findings) == {"weights_not_finite", "sharing_off"}
    assert "not finite" in str(findings["sharing_off"].values["reason"])


def test_sound_weights_of_every_format_pass() -> None:
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn):
        model = torch.nn.Module()
        model.register_parameter("one", torch.nn.Parameter(torch.randn(1000).to(dtype), requires_grad=False))
        model.register_parameter("count", torch.nn.Parameter(torch.arange(3), requires_grad=False))
        assert weight_findings(model) == ()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", BAD)
def test_every_place_of_a_tensor_is_looked_at(value: float, dtype: torch.dtype) -> None:
    for size, index in ((1, 0), (9, 8), (64, 1), (1000, 999), (4097, 4096), (4097, 17)):
        model = torch.nn.Module()
        weight = torch.ones(size).to(dtype)
        weight[index] = value
        model.register_parameter("w", torch.nn.Parameter(weight, requires_grad=False))
        assert weight_findings(model)[0].count == 1


@pytest.mark.parametrize(
    "sampling", [Sampling(), Sampling(temperature=0.7), Sampling(temperature=0.7, top_k=5, top_p=0.5)]
)
def test_choosing_a_token_tells_rows_without_numbers(sampling: Sampling) -> None:
    logits = torch.randn(6, 50)
    logits[1, 7], logits[2, 7], logits[3] = math.nan, math.inf, -math.inf
    logits[4, :49] = -math.inf  # a masked vocabulary is no fault
    generators = [torch.Generator().manual_seed(1) for _ in range(6)]
    tokens = choose(logits, [sampling] * 6, generators).tolist()
    assert [token < 0 for token in tokens] == [False, True, True, True, False, False]
    assert tokens[4] == 49


def test_faults_of_each_kind_of_answer() -> None:
    def score(*values: float) -> Score:
        return Score("5", values, (False,) * len(values), (1,) * len(values))

    assert find_fault(score(-1.0, -2.0, 1e-6)) is None
    assert str(find_fault(score(-1.0, math.nan, -2.0))) == "item 5, option 2 of 3: nan"
    for value in (math.inf, -math.inf, 1.5):
        assert find_fault(score(value))
        assert find_fault(Likelihood("p", value))
    assert find_fault(Likelihood("p", -3.0)) is None
    assert find_fault(Generation("g", "text", "eos")) is None
    assert str(find_fault(Generation("g", "", "unknown", broken="nan"))) == "item g: nan"
    assert is_kept(score(-1.0, -2.0))
    assert not is_kept(score(math.nan))
    assert not is_kept(Score("old", (0.0, -1.0), (True, False), (0, 1)))


def test_the_line_says_where_and_how_many() -> None:
    faults = Faults(160)
    for number in range(5):
        assert faults.take(Score(str(number), (math.nan, -1.0), (False, False), (1, 1)))
    assert not faults.take(Score("x", (-1.0,), (False,), (1,)))
    with pytest.raises(ModelError) as caught:
        faults.raise_any()
    assert str(caught.value).startswith(
        "5 of 160 answers are not finite numbers, the first: item 0, option 1 of 2: nan; item 1"
    )
    assert "…" in str(caught.value)
    assert "\n" not in str(caught.value)
    Faults(3).raise_any()


@pytest.mark.parametrize("method", ["rows", "forced", "tail", "whole"])
def test_vllm_hands_on_what_the_model_gave(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import support.fake_vllm as fake

    real = fake.logprobs
    monkeypatch.setattr(fake, "logprobs", lambda ids: [math.nan] * 12 if 7 in ids else real(ids))
    abilities = Abilities(rows=True, tail=True, flat=False, shared_params=False, labels=3)
    plan = ScorePlan([[([1, 2], [3, 4])], [([1, 7], [3, 4])], [([1, 7], [5])], [([1, 2], [5])]], 14)
    requests = LogprobRequests(params, abilities)
    scorer = VllmScorer(VllmClient(FakeEngine(), "toy"), requests, method, 4, abilities.labels)
    list(scorer.run(plan))
    assert [math.isfinite(score.logprobs[0]) for score in plan.scores] == [True, False, False, True]


def test_vllm_reads_the_log_probabilities_that_it_has() -> None:
    from harness.engines.vllm.generation import _broken

    def entries(*values: float) -> list[dict[int, Any]]:
        return [{3: SimpleNamespace(logprob=value)} for value in values]

    assert _broken(SimpleNamespace(token_ids=[3, 3], logprobs=entries(-1.0, -2.0))) is None
    assert _broken(SimpleNamespace(token_ids=[3, 3], logprobs=None)) is None
    assert (
        _broken(SimpleNamespace(token_ids=[3, 3], logprobs=entries(-1.0, math.nan)))
        == "a log-probability of nan at token 2"
    )


def test_old_journals_and_json_keep_what_is_no_number() -> None:
    """JSON as Python writes it has NaN and Infinity: an answer of an earlier version is judged, too."""
    from harness.items import answer_from_dict, answer_to_dict

    old = Score("k", (math.nan, -math.inf), (False, False), (1, 1))
    assert not is_kept(answer_from_dict(json.loads(json.dumps(answer_to_dict(old)))))
