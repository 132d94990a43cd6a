"""Streamed answers: the same text as in one piece, times of tokens, and every way in which a stream
breaks. Times are compared with each other and with generous bounds only.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from support.streams import USAGE, Script, ScriptedServer, chat, counted, delta, event, refused

from harness.engines import open_engine
from harness.engines.openai.events import EventReader
from harness.engines.openai.reading import count
from harness.errors import ModelError
from harness.items import Completion, Generation, ThinkTags

ITEM = Completion("k", "q", (), 16)
WHOLE = {"model": "m", "choices": [{"index": 0, "message": {"content": "one"}, "finish_reason": "stop"}]}


def ask(
    server: ScriptedServer, item: Completion = ITEM, **more: Any
) -> tuple[Generation | None, str, dict[str, int]]:
    """(the answer, or the error's line, counts of requests)."""
    engine = open_engine(server.spec(**more))
    try:
        answer, error = next(iter(engine.generate([item]))), ""
    except ModelError as problem:
        answer, error = None, str(problem)
    requests = engine.info.extra["requests"]
    engine.close()
    return answer, error, requests


def test_a_stream_is_its_text_and_the_times_of_its_tokens() -> None:
    with ScriptedServer(chat("Hel", "lo ", "世界", pause=0.15)) as server:
        answer, _, requests = ask(server)
    assert server.bodies[0]["stream_options"] == {"include_usage": True}
    assert answer is not None
    assert (answer.text, answer.finish) == ("Hello 世界", "eos")
    assert (answer.tokens.prompt, answer.tokens.output) == (5, 4), "four tokens in three chunks"
    assert answer.sent is not None
    assert answer.first_token is not None
    assert answer.last_token is not None
    # the role came at once, the first text after a pause, the last after two more
    assert answer.first_token - answer.sent >= 0.1
    assert answer.last_token - answer.first_token >= 0.2
    assert answer.last_token - answer.sent < 5
    assert requests == {"sent": 1, "answered": 1}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_thoughts_first_token_is_the_first(field: str) -> None:
    before: list[bytes | float] = [delta("", role="assistant"), delta(None, **{field: "hm"}), 0.3]
    script = Script([*before, delta("5"), delta(None, "stop"), counted(), event("[DONE]")])
    thinks = Completion("k", "q", (), 16, think=ThinkTags("<think>", "</think>"))
    with ScriptedServer(script) as server:
        answer, _, _ = ask(server, thinks)
    assert answer is not None
    assert answer.text == "<think>hm</think>5"
    assert answer.last_token is not None
    assert answer.first_token is not None
    assert answer.last_token - answer.first_token >= 0.2


ODD: dict[str, list[bytes | float]] = {
    "comments and names": [b": keep-alive\n\n", b"event: message\nid: 3\n", delta("a"), delta("b", "stop")],
    "carriage returns": [delta("a").replace(b"\n", b"\r\n"), delta("b", "stop").replace(b"\n", b"\r\n")],
    "no blank lines": [delta("a").replace(b"\n\n", b"\n"), delta("b", "stop").replace(b"\n\n", b"\n")],
    "no space": [delta("a").replace(b"data: ", b"data:"), delta("b", "stop").replace(b"data: ", b"data:")],
    "no last line feed": [delta("a"), delta("b", "stop").rstrip()],
    "byte by byte": [bytes([byte]) for byte in delta("a") + delta("b", "stop")],
    "message at the end": [
        delta("a"),
        delta("b"),
        event({"choices": [{"index": 0, "message": {"content": "ab"}, "finish_reason": "stop"}]}),
    ],
    "parts": [
        delta([{"type": "text", "text": "a"}]),
        delta("b", "stop"),
    ],
    "no reason but the end": [delta("a"), delta("b"), event("[DONE]")],
    "counts in the choice": [
        delta("a"),
        event(
            {"choices": [{"index": 0, "delta": {"content": "b"}, "finish_reason": "stop", "usage": USAGE}]}
        ),
    ],
    "counts in every chunk": [
        counted({"prompt_tokens": 5, "completion_tokens": 1}),
        delta("a"),
        delta("b", "stop"),
        counted(),
    ],
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [*((name, "text/event-stream") for name in ODD), ("no space", "application/json")],
    ids=[*ODD, "under another content type"],
)
def test_streams_in_every_servers_form(name: str, kind: str) -> None:
    with ScriptedServer(Script(ODD[name], kind=kind)) as server:
        answer, error, _ = ask(server)
    assert error == ""
    assert answer is not None
    assert answer.text == "ab"
    assert answer.first_token is not None


def test_a_server_that_ignores_stream_is_read_in_one_piece() -> None:
    script = Script([json.dumps(WHOLE | {"usage": USAGE}).encode()], kind="application/json")
    with ScriptedServer(script) as server:
        answer, _, _ = ask(server)
    assert answer is not None
    assert (answer.text, answer.first_token, answer.tokens.output) == ("one", None, 4)
    assert answer.sent is not None
    assert answer.last_token is not None
    assert answer.last_token > answer.sent


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Unknown parameter: 'stream_options'."),
        (422, "body.stream_options: Extra inputs are not permitted"),
        (400, "stream_options is not supported by this model"),
    ],
)
def test_a_refused_usage_option_is_left_out_from_then_on(status: int, message: str) -> None:
    with ScriptedServer(refused(status, message), chat("a")) as server:
        answer, _, requests = ask(server)
    assert answer is not None
    assert answer.first_token is not None
    assert ["stream_options" in body for body in server.bodies] == [True, False]
    assert requests == {"sent": 2, "answered": 1, f"failed.http_{status}": 1}


@pytest.mark.parametrize("message", ["Streaming is not supported", "stream must be false"])
def test_a_refused_stream_is_asked_for_in_one_piece(message: str) -> None:
    script = Script([json.dumps(WHOLE | {"usage": USAGE}).encode()], kind="application/json")
    with ScriptedServer(refused(400, message), script) as server:
        answer, _, _ = ask(server)
    assert answer is not None
    assert ["stream" in body for body in server.bodies] == [True, False]


def test_a_stream_without_counts_is_the_last_one() -> None:
    with ScriptedServer(chat("a", usage=None)) as server:
        engine = open_engine(server.spec())
        list(engine.generate([ITEM, Completion("l", "q", (), 16)]))
        engine.close()
    assert ["stream" in body for body in server.bodies] == [True, False]


def test_streams_can_be_switched_off() -> None:
    script = Script([json.dumps(WHOLE).encode()], kind="application/json")
    with ScriptedServer(script) as server:
        ask(server, engine_args={"stream": False})
    assert not {"stream", "stream_options"} & set(server.bodies[0])


BROKEN = {
    "dropped": Script([delta("half of an")], cut=True),
    "ended": Script([delta("half of an")]),
    "error": Script([delta("half of an"), event({"error": {"message": "worker died", "code": 500}})]),
    "abort": Script([delta("half of an"), delta("", "abort"), counted(), event("[DONE]")]),
    "late": Script([delta("half of an"), 1.6, delta("answer", "stop")]),
    "nonsense": Script([delta("half of an"), b"data: {broken\n\n", event("[DONE]")]),
    "page": Script([b"<html>gateway</html>"], kind="text/html"),
}
KINDS = {
    "dropped": "dropped",
    "ended": "dropped",
    "error": "error_in_answer",
    "abort": "error_in_answer",
    "late": "timeout",
    "nonsense": "unreadable",
    "page": "unreadable",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_is_no_answer_and_is_asked_again(name: str) -> None:
    with ScriptedServer(BROKEN[name], chat("whole")) as server:
        answer, error, requests = ask(server, engine_args={"timeout": 1.0 if name == "late" else 30.0})
    assert error == ""
    assert answer is not None
    assert answer.text == "whole"
    assert (requests["sent"], requests["answered"], requests["repeated"]) == (2, 1, 1)
    assert requests[f"failed.{KINDS[name]}"] == 1


def test_what_failed_and_was_counted_is_paid_and_what_was_not_is_said() -> None:
    with ScriptedServer(BROKEN["abort"], BROKEN["dropped"], chat("whole")) as server:
        _, _, requests = ask(server)
    assert (requests["lost_prompt"], requests["lost_output"], requests["lost_uncounted"]) == (5, 4, 1)


def test_a_whole_answer_before_a_cut_counts() -> None:
    script = Script([delta("whole", "stop")], cut=True)
    with ScriptedServer(script) as server:
        answer, _, requests = ask(server)
    assert answer is not None
    assert answer.text == "whole"
    assert "repeated" not in requests


def test_a_stream_that_stays_open_behind_its_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engines.openai.receiving.LINGER", 0.2)
    script = Script([delta("whole", "stop"), counted(), event("[DONE]"), 20.0])
    begun = time.monotonic()
    with ScriptedServer(script) as server:
        answer, error, requests = ask(server)
    assert error == ""
    assert answer is not None
    assert (answer.text, answer.tokens.output) == ("whole", 4)
    assert requests == {"sent": 1, "answered": 1}
    assert time.monotonic() - begun < 10


def test_connections_are_kept_between_streams() -> None:
    with ScriptedServer(chat("a")) as server:
        engine = open_engine(server.spec())
        list(engine.generate([Completion(str(n), "q", (), 4) for n in range(5)]))
        engine.close()
        assert server.connections == 1


def test_a_stream_that_begins_with_a_lasting_error_ends_the_model() -> None:
    script = Script([event({"error": {"message": "insufficient_quota", "code": "insufficient_quota"}})])
    with ScriptedServer(script) as server:
        _, error, requests = ask(server)
    assert "insufficient_quota" in error
    assert (requests["sent"], requests["unanswered"]) == (1, 1)


def test_statuses_are_counted_as_the_server_gave_them() -> None:
    with ScriptedServer(
        refused(429, "slow down"), refused(503, "away"), refused(529, "overloaded"), chat("a")
    ) as server:
        _, _, requests = ask(server)
    kinds = {name: times for name, times in requests.items() if name.startswith("failed.")}
    assert kinds == {"failed.http_429": 1, "failed.http_503": 1, "failed.http_529": 1}
    assert requests["repeated"] == 3


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 6}, (9, 6, 4)),
        ({"prompt_tokens": 9, "completion_tokens": 4, "cached_tokens": 6}, (9, 6, 4)),
        (
            {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}},
            (9, 2, 4),
        ),
        # xAI: thoughts are not in completion_tokens, the total has them
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 4,
                "total_tokens": 113,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            (9, 0, 104),
        ),
        # OpenAI: they are in it
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 104,
                "total_tokens": 113,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            (9, 0, 104),
        ),
        # Gemini's total has them without saying so
        ({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 113}, (9, 0, 104)),
    ],
)
def test_thoughts_are_output_and_cached_tokens_are_told_in_three_ways(
    usage: dict[str, Any], tokens: tuple[int, int, int]
) -> None:
    counts, whole = count({"usage": usage})
    assert whole
    assert (counts.prompt, counts.shared, counts.output) == tokens


def test_an_event_split_within_a_character_is_whole() -> None:
    reader, data = EventReader(), 'data: {"a": "世"}\n\n'.encode()
    middle = data.index("世".encode()) + 1
    assert reader.feed(data[:middle]) == []
    assert reader.feed(data[middle:]) == [{"a": "世"}]
