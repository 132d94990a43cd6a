"""Roofline and projection against values worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import find_preset
from harness.errors import ConfigError, HarnessError
from harness.meter.hardware import find_chip
from harness.meter.roofline import Ceiling, datasheet, efficiency, project
from harness.meter.work import Work, decode_step, prefill

SLOW = Ceiling("slow", flops=100, bandwidth=10)  # ridge at 10 FLOPs a byte
FAST = Ceiling("fast", flops=400, bandwidth=20)


def test_the_larger_time_is_the_limit() -> None:
    assert (SLOW.t_min(Work(1000, 50)), SLOW.bound(Work(1000, 50))) == (10, "compute")
    assert (SLOW.t_min(Work(1000, 200)), SLOW.bound(Work(1000, 200))) == (20, "memory")
    found = efficiency(Work(1000, 200), 40, SLOW)
    # 1000 FLOPs in 40 s of 100 FLOP/s; 200 bytes in 40 s of 10 bytes/s
    assert (found.mfu, found.mbu, found.roofline, found.bound) == (0.25, 0.5, 0.5, "memory")


def test_llama_on_an_h100_by_hand() -> None:
    arch = find_preset("llama-3.1-8b").arch
    assert arch is not None
    ceiling = datasheet(find_chip("H100"), "bf16")
    # one sequence at context 1000: 2·(8,030,261,248 − 525,336,576 + 4096) + 131,072,000 bytes of
    # 3.35e12 bytes/s = 4.5196 ms
    assert ceiling.t_min(decode_step(arch, [1000])) == pytest.approx(15_140_929_536 / 3.35e12, rel=1e-12)
    assert ceiling.bound(decode_step(arch, [1000])) == "memory"
    assert ceiling.bound(prefill(arch, 4000)) == "compute"


def test_a_projection_spans_three_readings_of_the_lost_time() -> None:
    work = Work(1000, 200)  # slow: 10 s and 20 s; fast: 2.5 s and 10 s
    found = project(work, 30, SLOW, FAST)
    # proportional 10·30/20 = 15; missing overlap 30·12.5/30 = 12.5; fixed 10 + 10 = 20
    assert (found.low, found.high, found.bound, found.same_bound) == (12.5, 20, "memory", True)
    assert found.kind == "projected"


def test_a_change_of_limit_is_said() -> None:
    arithmetic = Ceiling("weak", flops=20, bandwidth=100)
    found = project(Work(1000, 200), 30, SLOW, arithmetic)
    assert (found.bound, found.same_bound) == ("compute", False)


@given(st.floats(1, 1e6), st.floats(1, 1e6), st.floats(1, 50), st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_projection_is_never_faster_than_the_chip_and_to_itself_gives_the_measurement(
    flops: float, moved: float, slower: float, faster: float, wider: float
) -> None:
    work = Work(flops, moved)
    seconds = SLOW.t_min(work) * slower
    other = Ceiling("other", SLOW.flops * faster, SLOW.bandwidth * wider)
    found = project(work, seconds, SLOW, other)
    assert other.t_min(work) <= found.low <= found.high * (1 + 1e-12)
    same = project(work, seconds, SLOW, SLOW)
    assert same.low == pytest.approx(seconds)
    assert same.high == pytest.approx(seconds)


def test_impossible_measurements_are_refused() -> None:
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(HarnessError, match="the clock is missing or wrong"):
            efficiency(Work(1, 1), seconds, SLOW)
    with pytest.raises(HarnessError, match="nothing was computed"):
        efficiency(Work(float("nan"), 1), 1, SLOW)
    with pytest.raises(HarnessError, match="less than the 20 s that slow allows"):
        project(Work(1000, 200), 19, SLOW, FAST)
    with pytest.raises(ConfigError, match="a ceiling is a positive number"):
        Ceiling("none", 0, 1)
    with pytest.raises(ConfigError, match="no fp8 figure"):
        datasheet(find_chip("Ascend 910B"), "fp8")
