"""Findings that the kept answers show, and findings of an endpoint that outlast a session."""

from __future__ import annotations

from harness.engines.protocol import EngineInfo
from harness.evaluation.answer_checks import answer_findings, lasting_findings, server_changed
from harness.items import Answer, Generation, Likelihood, Score
from harness.sanity import Finding

PENALTY = Finding("checkpoint_penalty", values={"penalty": 1.05})
FOLDED = Finding("instructions_folded")


def test_sound_answers_show_nothing() -> None:
    answers: list[Answer] = [
        Score("a", (-1.0, -2.0), (True, False), (1, 1)),
        Generation("b", "x", "eos"),
        Generation("c", "", "length"),
        Likelihood("d", -3.0),
    ]
    assert answer_findings(answers) == []
    assert answer_findings([]) == []


def test_options_without_tokens_are_not_held_against_the_figures() -> None:
    assert answer_findings([Score(str(n), (0.0, 0.0), (True, True), (0, 0)) for n in range(5)]) == []


def test_texts_without_a_token_are_told() -> None:
    answers = [Likelihood("a", 0.0), Likelihood("b", -3.0, predicted=2), Likelihood("c", -3.0)]
    assert answer_findings(answers) == [Finding("texts_without_tokens", 1, 3)]


def test_an_endpoints_findings_outlast_the_session_that_saw_them() -> None:
    def info(engine: str, *findings: Finding) -> EngineInfo:
        return EngineInfo(engine, {}, "cpu", "float32", findings=findings)

    other = Finding("checkpoint_penalty", values={"penalty": 1.2})
    assert lasting_findings(info("openai", other), [PENALTY, FOLDED]) == [other, FOLDED]
    assert lasting_findings(info("transformers"), [PENALTY]) == []


def test_an_endpoint_that_serves_another_model_in_a_later_session_is_told() -> None:
    def info(**reported: object) -> EngineInfo:
        return EngineInfo("openai", {}, "endpoint", "as served", extra={"reported": reported})

    before = info(version="0.30.0", max_model_len=4096).to_dict()
    (finding,) = server_changed(info(version="0.32.0", max_model_len=4096), before)
    assert finding.text("en").startswith(
        "the endpoint was another one in an earlier session (version 0.30.0; now version 0.32.0)"
    )
    assert server_changed(info(version="0.30.0", max_model_len=4096), before) == []
    assert server_changed(info(version="0.32.0"), None) == []
    assert server_changed(EngineInfo("mock", {}, "cpu", "none"), before) == []
