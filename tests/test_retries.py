"""The loop that both HTTP clients share: how often, how long, and who hears of it."""

from __future__ import annotations

import pytest

from harness.retries import PassingError, backoff, retrying


class Server:
    """Fails as often as there are waits, then answers."""

    def __init__(self, *waits: float | None) -> None:
        self.waits, self.calls = list(waits), 0

    def __call__(self) -> str:
        self.calls += 1
        if self.waits:
            raise PassingError("HTTP 503", self.waits.pop(0))
        return "answer"


def run(server: Server, retries: int = 3) -> tuple[str, list[float], list[str], list[float]]:
    """(the answer or the last failure, pauses slept, failures noted, pauses announced)."""
    slept: list[float] = []
    noted: list[str] = []
    announced: list[float] = []
    loop = retrying(
        retries,
        60.0,
        wait=lambda failure, attempt: 2.0**attempt if failure.wait is None else failure.wait,
        sleep=slept.append,
        noted=lambda failure: noted.append(str(failure)),
        before_sleep=lambda failure, seconds: announced.append(seconds),
    )
    try:
        answer = loop(server)
    except PassingError as failure:
        answer = f"{failure} after {server.calls}"
    return answer, slept, noted, announced


def test_failures_pass() -> None:
    assert run(Server(None, 7.0, None)) == ("answer", [1.0, 7.0, 4.0], ["HTTP 503"] * 3, [1.0, 7.0, 4.0])
    assert run(Server()) == ("answer", [], [], [])


def test_the_last_failure_is_noted_but_not_waited_for() -> None:
    assert run(Server(*[None] * 9)) == (
        "HTTP 503 after 4",
        [1.0, 2.0, 4.0],
        ["HTTP 503"] * 4,
        [1.0, 2.0, 4.0],
    )
    assert run(Server(None), retries=0) == ("HTTP 503 after 1", [], ["HTTP 503"], [])


def test_a_wait_beyond_the_longest_ends_it() -> None:
    assert run(Server(60.0, 61.0)) == ("HTTP 503 after 2", [60.0], ["HTTP 503"] * 2, [60.0])


def test_other_errors_are_not_repeated() -> None:
    def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        retrying(3, 60.0, wait=lambda failure, attempt: 0.0, sleep=lambda seconds: None)(broken)


def test_waits_double_up_to_a_limit_and_never_vanish() -> None:
    for attempt, full in enumerate((0.5, 1.0, 2.0, 4.0, 5.0, 5.0)):
        waits = [backoff(attempt, 0.5, 5.0) for _ in range(50)]
        assert all(full / 2 <= wait <= full for wait in waits)
        assert len(set(waits)) > 40
