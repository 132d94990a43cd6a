"""The seam between those who need workers and those who run them: talks, devices, ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.gpus import Gpu
from harness.workers import executor as executors
from harness.workers.conversation import Conversation, Refused, WorkerDied
from harness.workers.devices import Machine
from harness.workers.events import (
    CommandAnswered,
    CommandRefused,
    Event,
    WorkerExited,
    WorkerFailed,
    WorkerNote,
    WorkerStarted,
)
from harness.workers.executor import LocalExecutor, Worker
from harness.workers.process import WorkerCommand
from harness.workers.schedule import WorkerJob

JOB = WorkerJob("m", 1)


class FakeWorker:
    """Says what it is given, and ends."""

    def __init__(
        self, job: WorkerJob = JOB, gpus: Sequence[str] = (), script: Sequence[Event] = (), code: int = 0
    ) -> None:
        self.job, self.gpus, self.script, self.code = job, tuple(gpus), script, code
        self.commands: list[dict[str, Any]] = []
        self.killed = False

    def send(self, command: dict[str, Any]) -> None:
        self.commands.append(command)

    def events(self) -> Iterator[Event]:
        yield from self.script

    def interrupt(self) -> None:
        """Nothing: it ends by itself."""

    def quit(self) -> None:
        self.kill()

    def kill(self) -> None:
        self.killed = True

    def exit_code(self) -> int:
        return self.code

    def exit_reason(self) -> str | None:
        return f"code {self.code}" if self.code else None


def machine(gpus: int) -> Machine:
    return Machine("cuda", tuple(Gpu(str(index), "H20", 2**30) for index in range(gpus)), 2**37, "cpu", 8)


def local(
    monkeypatch: pytest.MonkeyPatch, gpus: int, scripts: dict[str, tuple[list[Event], int]]
) -> LocalExecutor:
    """An executor whose processes are fakes, by the model's name."""

    def start(job: WorkerJob, command: WorkerCommand, devices: Sequence[str]) -> Worker:
        script, code = scripts.get(job.model, ([], 0))
        return FakeWorker(job, devices, script, code)

    monkeypatch.setattr(executors, "WorkerProcess", start)
    return LocalExecutor(machine(gpus), lambda job: WorkerCommand("none", (), Path("log")))


def test_a_talk_is_one_command_and_one_answer() -> None:
    script: list[Event] = [
        WorkerStarted(1),
        CommandAnswered({"n": 1}),
        WorkerNote("busy"),
        CommandRefused("Slow", "why"),
    ]
    talk = Conversation(FakeWorker(script=script))
    assert talk.ask("load", seconds=3) == {"n": 1}
    with pytest.raises(Refused, match="why") as refused:
        talk.ask("repeat")
    assert refused.value.kind == "Slow"

    # It has ended without a word: that is an end, too, and no wait without one.
    with pytest.raises(WorkerDied, match="without an answer"):
        talk.ask("repeat")
    assert [command["do"] for command in talk.worker.commands] == ["load", "repeat", "repeat"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("script", "code", "words"), [([WorkerFailed("no such file")], 1, "no such file"), ([], -9, "code -9")]
)
def test_a_worker_that_dies_says_why(script: list[Event], code: int, words: str) -> None:
    with pytest.raises(WorkerDied, match=words):
        Conversation(FakeWorker(script=script, code=code)).ask("load")


def test_devices_are_lent_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = local(monkeypatch, 3, {})
    two, one, late = (
        executor.start(WorkerJob(name, count)) for name, count in (("a", 2), ("b", 1), ("c", 2))
    )
    assert (two.gpus, one.gpus) == (("0", "1"), ("2",))
    assert late.gpus == ("0", "1"), "where too few are free the first ones are shared"
    executor.release(one)
    assert executor.start(WorkerJob("d", 1)).gpus == ("2",)


def test_every_job_ends_with_one_exit_and_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    scripts: dict[str, tuple[list[Event], int]] = {
        "good": ([WorkerStarted(1)], 0),
        "bad": ([WorkerFailed("no such model")], 1),
        "dead": ([], -9),
    }
    executor = local(monkeypatch, 1, scripts)
    events = list(executor.run([WorkerJob(name, 1) for name in scripts]))
    exits = [event for event in events if isinstance(event, WorkerExited)]
    assert [(event.model, event.reason) for event in exits] == [
        ("good", None),
        ("bad", "no such model"),
        ("dead", "code -9"),
    ]
    assert WorkerFailed("no such model", "bad") in events
