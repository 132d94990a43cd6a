"""A repeat on an engine whose answers are made up: what is refused, what a drifting machine does."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.benchmark.measure import Measurer, Stolen, timing_of
from harness.benchmark.shapes import Shape
from harness.items import Completion, Generation, Tokens
from harness.meter import calibration
from harness.meter.calibration import MachineRates
from harness.meter.checks import CachedTokensError, ClockError, LengthError, NotFiniteError

SHAPE = Shape(16, 4, concurrency=3)


class Fake:
    """Answers as asked, each request one after the other, changed by ``spoil``."""

    def __init__(self, spoil: Callable[[Generation], Generation | None] = lambda answer: answer) -> None:
        self.spoil = spoil
        self.seen: list[list[Completion]] = []

    def generate(self, items: Sequence[Completion]) -> Iterator[Generation]:
        self.seen.append(list(items))
        begin = time.perf_counter()
        for item in items:
            time.sleep(max(0.0, (item.arrival or 0) - (time.perf_counter() - begin)))
            started = time.perf_counter() - begin
            time.sleep(0.002)
            first = time.perf_counter() - begin
            time.sleep(0.004)
            last = time.perf_counter() - begin
            assert item.prompt_ids is not None
            tokens = Tokens(
                len(item.prompt_ids), len(item.prompt_ids) + item.max_tokens - 1, 0, item.max_tokens
            )
            answer = self.spoil(Generation(item.key, "", "length", tokens, 0, last - started, first, last))
            if answer is not None:
                yield answer


class Probe:
    """A calibration bench with a clock of its own: each product takes the next of ``changes`` seconds."""

    name = "fake"
    sizes = ((10,), (10,))

    def __init__(self, changes: Sequence[float] = (1.0,)) -> None:
        self.changes = list(changes)

    def product(self, size: int) -> Callable[[], float]:
        seconds = self.changes.pop(0) if len(self.changes) > 1 else self.changes[0]
        return lambda: time.sleep(0.01) or seconds  # type: ignore[func-returns-value]

    def copy(self, size: int) -> Callable[[], float]:
        return lambda: time.sleep(0.01) or 1.0  # type: ignore[func-returns-value]


def measurer(engine: Fake, probe: Probe | None = None) -> Measurer:
    bench = probe or Probe()
    return Measurer(engine, lambda: calibration.probe(bench), range(500), seed=1)  # type: ignore[arg-type]


def test_a_repeat_keeps_every_request_of_every_wave() -> None:
    engine = Fake()
    repeat = measurer(engine).repeat(SHAPE, waves=2, number=0)
    assert len(repeat["walls"]) == len(repeat["timings"]) == 2
    assert [len(wave) for wave in repeat["timings"]] == [3, 3]
    timing = timing_of(repeat["timings"][0][2])
    assert (timing.prompt, timing.output, timing.arrival) == (16, 4, 0)
    assert 0.012 <= timing.queue < timing.first < timing.last <= repeat["walls"][0]
    assert timing.tpot == pytest.approx((timing.last - timing.first) / 3)
    assert repeat["drift"] == 0


def test_no_prompt_is_asked_twice() -> None:
    engine = Fake()
    measured = measurer(engine)
    measured.warm_up(SHAPE)
    for number in range(2):
        measured.repeat(SHAPE, waves=2, number=number)
    prompts = [item.prompt_ids for wave in engine.seen for item in wave]
    assert len(set(prompts)) == len(prompts) == 18


def test_an_open_loop_arrives_alike_in_every_repeat_and_is_timed_from_arrival() -> None:
    engine = Fake()
    shape = Shape(16, 4, rate=100.0, requests=8)
    measured = measurer(engine)
    first, second = (measured.repeat(shape, 1, number) for number in range(2))
    assert [row[0] for row in first["timings"][0]] == [row[0] for row in second["timings"][0]]
    timings = [timing_of(row) for row in first["timings"][0]]
    assert all(timing.ttft >= 0.002 and timing.started >= timing.arrival - 1e-6 for timing in timings)


def test_a_machine_that_slows_down_is_seen() -> None:
    repeat = measurer(Fake(), Probe([1.0, 1.1])).repeat(SHAPE, 1, 0)
    assert repeat["drift"] == pytest.approx(0.1)


def test_a_calibration_between_two_repeats_belongs_to_both_while_it_is_fresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readings = iter(MachineRates(float(value), 1.0) for value in (100, 110, 121, 200, 200))
    measured = Measurer(Fake(), lambda: next(readings), range(500), seed=1)  # type: ignore[arg-type]
    first, second = (measured.repeat(SHAPE, 1, number) for number in range(2))
    assert (first["before"]["flops"], first["after"]["flops"], second["before"]["flops"]) == (100, 110, 110)
    assert second["after"]["flops"] == 121
    monkeypatch.setattr("harness.benchmark.measure._FRESH", 0.0)
    third = measured.repeat(SHAPE, 1, 2)
    assert (third["before"]["flops"], third["drift"]) == (200, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts stolen time")
def test_stolen_time_is_a_share_of_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 <= measurer(Fake()).repeat(SHAPE, 1, 0)["stolen"] <= 1
    seconds = iter((5.0, 5.5))
    monkeypatch.setattr("harness.benchmark.measure._stolen_seconds", lambda: next(seconds))
    clock = iter((10.0, 12.0))
    monkeypatch.setattr("harness.benchmark.measure.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr("harness.benchmark.measure.os", SimpleNamespace(cpu_count=lambda: 2))
    assert Stolen().share() == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda answer: replace(answer, tokens=replace(answer.tokens, shared=8)), CachedTokensError),
        (lambda answer: replace(answer, tokens=replace(answer.tokens, output=3)), LengthError),
        (lambda answer: replace(answer, tokens=replace(answer.tokens, prompt=15)), LengthError),
        (lambda answer: replace(answer, first_token=None), ClockError),
        (lambda answer: replace(answer, last_token=None), ClockError),
        (lambda answer: replace(answer, first_token=math.nan), ClockError),
        (
            lambda answer: replace(answer, first_token=answer.last_token, last_token=answer.first_token),
            ClockError,
        ),
        (lambda answer: replace(answer, last_token=answer.last_token + 60), ClockError),
        (lambda answer: replace(answer, seconds=math.nan), NotFiniteError),
        (lambda answer: replace(answer, seconds=0.0), ClockError),
        (lambda answer: replace(answer, first_token=answer.last_token - answer.seconds), ClockError),
        (lambda answer: None if answer.key == "r1" else answer, ClockError),
    ],
    ids=[
        "cached",
        "short answer",
        "short prompt",
        "no first",
        "no last",
        "NaN",
        "backwards",
        "another clock",
        "NaN seconds",
        "still",
        "nothing read",
        "lost",
    ],
)
def test_what_is_refused(spoil: Callable[[Generation], Generation | None], error: type[Exception]) -> None:
    with pytest.raises(error):
        measurer(Fake(spoil)).repeat(SHAPE, 1, 0)
