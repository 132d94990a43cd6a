"""A server that answers 429, 500, half a body, nothing, nonsense or too late: it is asked again,
and what is lost is one item at most.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

import pytest
from support.endpoint import Behaviour, Server

from harness.engines import open_engine
from harness.engines.openai.limits import Gate, Throttle
from harness.engines.transformers.engine import TransformersEngine
from harness.errors import ModelError
from harness.items import Choice, Completion
from harness.retries import backoff, retry_after

ITEMS = [Completion(str(n), f"{n} + 4 =", (), 4) for n in range(8)]
SECRET = "sk-very-secret-0123456789"


def ask(engine: Any, items: list[Any], method: str = "generate") -> tuple[set[str], str]:
    """(keys that were answered, the error's line or nothing)."""
    seen, error = set(), ""
    try:
        for answer in getattr(engine, method)(items):
            seen.add(answer.key)
    except ModelError as caught:
        error = str(caught)
    assert "\n" not in error
    assert len(error) < 600
    return seen, error


@pytest.mark.parametrize("fault", ["429", "500", "half", "nothing", "html", "slow"])
def test_what_passes_is_asked_again(qwen: TransformersEngine, fault: str) -> None:
    behaviour = Behaviour(faults=deque([fault, None, fault, fault, None]), slow=1.5)
    with Server(qwen, "tiny", behaviour) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 2, "timeout": 0.6}))
        seen, error = ask(engine, ITEMS)
        assert (seen, error) == ({item.key for item in ITEMS}, "")
        assert len(server.posts()) >= len(ITEMS) + 3
        assert sum(engine.info.extra["counts"].values()) >= len(ITEMS) + 6
        engine.close()


def test_scoring_survives_faults_too(qwen: TransformersEngine) -> None:
    items = [Choice(str(n), ((f"{n} + 4 =", " 7"), (f"{n} + 4 =", " 8"))) for n in range(6)]
    with Server(qwen, "tiny") as server:
        engine = open_engine(server.spec(tokenizer="bundled/tiny-qwen"))
        server.behaviour.faults.extend(["half", "500", None, "nothing", "429", "html"])
        assert ask(engine, items, "score") == ({item.key for item in items}, "")
        engine.close()


def test_retry_after_holds_everyone_back(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(faults=deque(["429-after"]))) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 4}))
        begun = time.monotonic()
        assert ask(engine, ITEMS)[0] == {item.key for item in ITEMS}
        times = sorted(request.when - begun for request in server.posts())
        failures = {
            reason: times
            for reason, times in engine.info.extra["counts"].items()
            if reason.startswith("failed: ")
        }
        assert failures["failed: HTTP 429"] == 1
        assert len(times) == len(ITEMS) + sum(failures.values()), (
            failures
        )  # nothing is asked again without a reason
        assert not [when for when in times if 0.3 < when < 0.95], (
            "the endpoint asked for a second without requests"
        )
        assert times[-1] >= 0.95
        engine.close()


def test_a_wait_too_long_is_said(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(faults=deque([None, "429-long"]))) as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 1}))
        begun = time.monotonic()
        seen, error = ask(engine, ITEMS)
        assert len(seen) == 1
        assert "asks to wait 3600 s" in error
        assert time.monotonic() - begun < 5
        engine.close()


def test_one_refused_item_fails_alone(qwen: TransformersEngine) -> None:
    for fault in ("400", "hollow"):
        with Server(qwen, "tiny", Behaviour(faults=deque([None, fault]))) as server:
            engine = open_engine(server.spec(engine_args={"concurrency": 1}))
            seen, error = ask(engine, ITEMS)
            assert len(seen) == len(ITEMS) - 1
            assert "1 of 8 items were not answered" in error
            again, error = ask(engine, [item for item in ITEMS if item.key not in seen])
            assert (len(again), error) == (1, "")
            engine.close()


def test_a_server_that_stays_away_is_given_up(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny") as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 2, "retries": 1}))
        server.behaviour.always = "500"
        seen, error = ask(engine, [Completion(str(n), "Anna", (), 4) for n in range(500)])
        assert seen == set()
        assert "HTTP 500, 2 times" in error
        assert len(server.posts()) < 20, "the rest is not tried"
        engine.close()


def test_nobody_there(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny") as server:
        spec = server.spec(engine_args={"retries": 1})
    with pytest.raises(ModelError, match="is the server started, and base_url right"):
        open_engine(spec)


def test_no_such_model(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny") as server:
        engine = open_engine(server.spec().model_copy(update={"id": "tinny"}))
        seen, error = ask(engine, ITEMS)
        assert seen == set()
        assert "does not exist" in error
        assert "say id: one of tiny" in error
        engine.close()


def test_a_refused_key_ends_it_and_is_not_shown(
    qwen: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(qwen, "tiny", Behaviour(key="another")) as server:
        monkeypatch.setenv("MY_KEY", SECRET)
        with pytest.raises(ModelError) as caught:
            open_engine(server.spec(api_key_env="MY_KEY"))
        assert "the key in MY_KEY was refused" in str(caught.value)
        assert "[key]" in str(caught.value)
        assert SECRET not in str(caught.value)
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        with pytest.raises(ModelError, match="no key: set OPENAI_API_KEY"):
            open_engine(server.spec())
        assert len(server.requests) == 2, "a refusal is not repeated"
        monkeypatch.setenv("MY_KEY", "another")
        open_engine(server.spec(api_key_env="MY_KEY")).close()
        with pytest.raises(ModelError, match="NOT_SET, which is not set"):
            open_engine(server.spec(api_key_env="NOT_SET"))


def test_misspelt_and_wrong_settings_show_no_value(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny") as server:
        for args, word in (
            ({"concurency": 4}, "concurrency"),
            ({"api_key": SECRET}, "unknown key 'api_key' in engine_args"),
            ({"timeout": SECRET}, "timeout"),
        ):
            with pytest.raises(ModelError, match=word) as caught:
                open_engine(server.spec(engine_args=args))
            assert SECRET not in str(caught.value)


def test_leaving_early_leaves_nothing_running(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny") as server:
        engine = open_engine(server.spec(engine_args={"concurrency": 2}))
        stream = engine.generate([Completion(str(n), "Anna", (), 4) for n in range(200)])
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        time.sleep(0.5)
        asked = len(server.posts())
        time.sleep(0.3)
        assert len(server.posts()) == asked < 20
        engine.close()


def test_requests_a_minute(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny") as server:
        engine = open_engine(server.spec(engine_args={"requests_per_minute": 600}))
        assert len(ask(engine, ITEMS)[0]) == len(ITEMS)
        times = sorted(request.when for request in server.posts())
        assert times[-1] - times[0] >= 0.1 * (len(ITEMS) - 1) - 0.05
        engine.close()


def test_pace_books_and_corrects() -> None:
    pace = Throttle(60)
    assert [pace.take(1, 10.0), pace.take(2, 10.0), pace.take(1, 10.0)] == [0, 1, 3]
    pace.correct(-2)
    assert pace.take(1, 10.0) == 2
    assert Throttle(None).take(100, 0.0) == 0


def test_waits_grow_are_capped_and_differ() -> None:
    waits = [[backoff(attempt, 0.5, 20) for _ in range(50)] for attempt in range(8)]
    for attempt, many in enumerate(waits):
        most = min(20, 0.5 * 2**attempt)
        assert all(most / 2 <= wait <= most for wait in many)
        assert len(set(many)) > 40


def test_retry_after_in_all_its_forms() -> None:
    from email.utils import formatdate

    assert retry_after({"retry-after": "3"}) == 3
    assert retry_after({"retry-after-ms": "250", "retry-after": "3"}) == 0.25
    assert retry_after({"retry-after": formatdate(time.time() + 30, usegmt=True)}) == pytest.approx(30, abs=2)
    assert retry_after({"retry-after": formatdate(time.time() - 30, usegmt=True)}) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


def test_a_gate_opens_at_once_for_those_who_leave() -> None:
    gate, stop = Gate(), threading.Event()
    gate.close_for(60)
    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    assert gate.wait(stop) is False
    assert time.monotonic() - begun < 5
