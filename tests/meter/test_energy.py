"""Joules: NVML stood in for by an object with its functions, RAPL by a tree of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.nvml import FakeNvml, sliced

from harness.meter.checks import EnergyError
from harness.meter.energy import EnergyWatch, PowerSource, integrate, watch
from harness.meter.nvml import NvmlDevices
from harness.meter.rapl import RaplDomains


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def measure(
    source: PowerSource, steps: list[float], library: FakeNvml | None = None, **options: Any
) -> EnergyWatch:
    """A watch over a clock that moves in ``steps`` seconds, sampled after each; the counter of
    ``library`` runs at 250 W a GPU.
    """
    clock = Clock()
    watched = EnergyWatch(source, clock=clock, **options)
    watched._begin = clock()
    watched.sample()
    for step in steps:
        clock.now += step
        if library is not None:
            library.millijoules += step * 250_000
        watched.sample()
    watched._end = clock()
    return watched


def devices(library: FakeNvml, monkeypatch: pytest.MonkeyPatch, visible: str | None = "0") -> NvmlDevices:
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    return NvmlDevices.visible(nvml=library)


def test_long_windows_take_the_counter_and_short_ones_the_power(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeNvml()
    long = measure(devices(library, monkeypatch), [1.0] * 12, library).reading
    assert (long.source, long.seconds) == ("nvml-counter", 12.0)
    assert long.joules_gross == pytest.approx(12 * 250)
    short = measure(devices(library, monkeypatch), [0.5] * 8, library).reading
    assert short.source == "nvml-power"
    assert short.joules_gross == pytest.approx(4 * 300)
    assert short.joules_net is None
    assert "idle power was not measured" in str(short.reason)


def test_idle_and_net(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = measure(devices(FakeNvml(), monkeypatch), [1.0] * 5, idle_watts=100.0).reading
    assert (reading.joules_gross, reading.joules_idle, reading.joules_net) == (1500.0, 500.0, 1000.0)
    assert reading.reason is None


def test_every_visible_gpu_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measure(devices(FakeNvml(), monkeypatch, None), [1.0] * 4).reading.joules_gross == pytest.approx(
        2 * 4 * 300
    )
    assert [gpu.uuid for gpu in devices(FakeNvml(), monkeypatch, "1,GPU-abc").handles] == [
        "GPU-abd1",
        "GPU-abc0",
    ]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    assert [gpu.uuid for gpu in NvmlDevices.visible(1, FakeNvml()).handles] == ["GPU-abc0"]
    with pytest.raises(EnergyError, match="cuda:2 is not visible"):
        NvmlDevices.visible(2, FakeNvml())


def test_a_changing_power_is_integrated_by_trapezoids() -> None:
    ramp = [
        (second / 4, 100 + 50 * second / 4) for second in range(17)
    ]  # 100 W to 300 W in 4 s: 800 J by hand
    assert integrate(ramp, 4.0) == pytest.approx(800.0)


@pytest.mark.parametrize(
    ("steps", "rule"),
    [
        ([0.4, 0.4], "shorter than the second"),
        ([1.0, 3.1, 1.0], "more than 3 s make it invalid"),
        ([], "shorter than the second"),
    ],
)
def test_an_invalid_power_window_has_no_joules_and_a_reason(
    steps: list[float], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = measure(devices(FakeNvml(broken=("counter",)), monkeypatch), steps)
    assert watched.reading.joules_gross is None
    assert rule in str(watched.reading.reason)


def test_a_gap_at_the_end_counts() -> None:
    with pytest.raises(EnergyError, match=r"no power sample for 3\.5 s"):
        integrate([(0.0, 200.0), (1.0, 200.0)], 4.5)
    with pytest.raises(EnergyError, match="1 power samples"):
        integrate([(0.0, 200.0)], 2.0)


def test_a_counter_that_goes_back_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeNvml()
    watched = measure(devices(library, monkeypatch), [6.0, 6.0], library)
    watched._counters[-1] = (watched._counters[-1][0], 1.0)
    assert watched.reading.joules_gross is None
    assert "went back" in str(watched.reading.reason)


@pytest.mark.parametrize(
    ("library", "visible", "reason"),
    [
        (FakeNvml(broken=("init",)), "0", "NVML cannot be used"),
        (FakeNvml(broken=("power",)), "0", "does not tell"),
        (FakeNvml(gpus=sliced()), "1", "MIG"),
        (FakeNvml(gpus=sliced()), "MIG-22", "MIG"),
        (FakeNvml(), "", "no GPU is visible"),
    ],
)
def test_what_cannot_be_read_says_why(
    library: FakeNvml, visible: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EnergyError, match=reason):
        devices(library, monkeypatch, visible)
    assert library.users == 0


def test_an_open_source_is_closed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeNvml()
    source = devices(library, monkeypatch)
    assert library.users == 1
    source.close()
    assert library.users == 0


def rapl_tree(root: Path, domains: dict[str, tuple[str, int, int]]) -> Path:
    for folder, (name, energy, most) in domains.items():
        (root / folder).mkdir(parents=True)
        (root / folder / "name").write_text(name + "\n")
        (root / folder / "energy_uj").write_text(str(energy))
        (root / folder / "max_energy_range_uj").write_text(str(most))
    return root


def test_rapl_adds_packages_and_memory_and_turns_with_its_counters(tmp_path: Path) -> None:
    tree = rapl_tree(
        tmp_path,
        {
            "intel-rapl:0": ("package-0", 9_000_000, 10_000_000),
            "intel-rapl:0:0": ("core", 5_000_000, 10_000_000),
            "intel-rapl:0:1": ("dram", 1_000_000, 10_000_000),
            "intel-rapl:1": ("psys", 3_000_000, 10_000_000),
        },
    )
    domains = RaplDomains.find(tree)
    assert (
        len(domains.domains) == 2
    )  # the cores are part of the package, and the system counts everything twice
    clock = Clock()
    watched = EnergyWatch(domains, idle_watts=0.25, clock=clock)
    watched._begin = clock()
    watched.sample()
    for package in (500_000, 9_500_000, 400_000):  # round twice: 1.5 + 9 + 0.9 J
        (tree / "intel-rapl:0/energy_uj").write_text(str(package))
        clock.now += 2
        watched.sample()
    (tree / "intel-rapl:0:1/energy_uj").write_text("3000000")
    watched.sample()
    watched._end = clock()
    reading = watched.reading
    assert reading.source == "rapl"
    assert reading.joules_gross == pytest.approx(1.5 + 9.0 + 0.9 + 2.0)
    assert reading.joules_net == pytest.approx(13.4 - 6 * 0.25)


def test_a_machine_without_counters_gives_null_and_the_reason(tmp_path: Path) -> None:
    with watch("cpu", root=tmp_path) as watched:
        pass
    assert watched.reading.joules_gross is None
    assert "no RAPL" in str(watched.reading.reason)
    with watch("tpu") as watched:
        pass
    assert "has no energy meter" in str(watched.reading.reason)


def test_counters_for_root_only_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = rapl_tree(tmp_path, {"intel-rapl:0": ("package-0", 1, 10)})
    real = Path.read_text

    def guarded(path: Path, *args: Any, **options: Any) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **options)

    monkeypatch.setattr(Path, "read_text", guarded)
    with pytest.raises(EnergyError, match="root only"):
        RaplDomains.find(tree)


def test_the_thread_samples_and_ends(tmp_path: Path) -> None:
    tree = rapl_tree(tmp_path, {"intel-rapl:0": ("package-0", 1_000_000, 10_000_000)})
    with watch("cpu", root=tree) as watched:
        (tree / "intel-rapl:0/energy_uj").write_text("4000000")
    assert watched.reading.joules_gross == pytest.approx(3.0)
    assert watched._thread is not None
    assert not watched._thread.is_alive()
