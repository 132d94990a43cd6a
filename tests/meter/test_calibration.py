"""Ceilings and probes from a bench whose clock is made up, and from the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from harness.errors import OutOfMemoryError
from harness.meter.calibration import MachineRates, NumpyBench, TorchBench, ceiling, drift, probe
from harness.meter.checks import ClockError


class Made:
    """A bench whose products and copies take the seconds it is told to say."""

    name = "made up"
    sizes = ((100, 200, 400), (1000, 2000))

    def __init__(self, product: dict[int, list[float]], copy: dict[int, list[float]]) -> None:
        self._product, self._copy = product, copy

    def product(self, size: int) -> Callable[[], float]:
        return self._say(self._product, size)

    def copy(self, size: int) -> Callable[[], float]:
        return self._say(self._copy, size)

    @staticmethod
    def _say(table: dict[int, list[float]], size: int) -> Callable[[], float]:
        if size not in table:
            raise OutOfMemoryError("too big")
        each: Iterator[float] = iter(table[size] * 1000000)
        return lambda: next(each)


def test_a_probe_and_a_ceiling_are_the_best_that_was_seen() -> None:
    bench = Made({100: [0.5, 1.0, 2.0], 200: [4.0], 400: [100.0]}, {1000: [1.0, 10.0, 2.0], 2000: [8.0]})
    found = probe(bench, 0.0)
    # the shortest are 0.5 s and 1 s; 2·100³ FLOPs and 2·1000 bytes
    assert found == MachineRates(4e6, 2000.0)
    best = ceiling(bench, 0.0)
    # 2·100³/0.5, 2·200³/4, 2·400³/100: 4e6, 4e6, 1.28e6 FLOP/s; copies 2000/1 and 4000/8 bytes/s
    assert (best.flops, best.bandwidth) == (4e6, 2000.0)


def test_sizes_that_do_not_fit_are_left_out() -> None:
    assert ceiling(Made({100: [1.0]}, {1000: [1.0]}), 0.0).flops == 2e6
    with pytest.raises(OutOfMemoryError, match="ceilings"):
        ceiling(Made({}, {1000: [1.0]}), 0.0)


def test_a_clock_that_stands_still_is_an_error() -> None:
    with pytest.raises(ClockError):
        probe(Made({100: [0.0]}, {1000: [1.0]}), 0.0)


def test_drift_is_the_larger_change_either_way() -> None:
    still = MachineRates(100.0, 10.0)
    assert drift(still, still) == 0
    assert drift(still, MachineRates(104.0, 10.0)) == pytest.approx(0.04)
    assert drift(still, MachineRates(100.0, 8.0)) == pytest.approx(0.25)
    assert drift(MachineRates(100.0, 8.0), still) == pytest.approx(0.25)


@pytest.mark.parametrize("make", [NumpyBench, lambda: TorchBench("cpu", "float32", 1)])
def test_the_real_ones_give_figures_of_this_world(make: Callable[[], NumpyBench]) -> None:
    bench = make()
    found = probe(bench, 0.01)
    assert 1e8 < found.flops < 1e14
    assert 1e8 < found.bandwidth < 1e13
    bench.release()
