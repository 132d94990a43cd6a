"""GPUs as NVML shows them and as CUDA_VISIBLE_DEVICES lets them be seen."""

from __future__ import annotations

import sys

import pytest
from support.nvml import FakeGpu, FakeNvml, sliced

from harness.errors import ConfigError
from harness.gpus import NvmlError, driver_version, list_gpus
from harness.workers.devices import find_machine


@pytest.mark.parametrize(
    ("visible", "indices"),
    [
        (None, ["0", "1"]),
        ("", []),
        ("-1", []),
        ("1", ["1"]),
        ("1,0", ["1", "0"]),
        (" 1 , 0 ", ["1", "0"]),
        ("0,7,1", ["0"]),
        ("1,1", ["1"]),
        ("GPU-abd1,0", ["1", "0"]),
        ("GPU-abd", ["1"]),
        ("GPU-ab", []),
        ("none", []),
    ],
)
def test_the_variable_chooses_and_orders(
    visible: str | None, indices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    library = FakeNvml()
    assert [gpu.index for gpu in list_gpus(library)] == indices
    assert library.users == 0


@pytest.mark.parametrize(
    ("visible", "indices"),
    [
        (None, ["0", "MIG-11", "MIG-22"]),
        ("1", ["MIG-11", "MIG-22"]),
        ("MIG-22", ["MIG-22"]),
        ("MIG-22,0", ["MIG-22", "0"]),
        ("GPU-bbbb", ["MIG-11", "MIG-22"]),
        ("MIG-33", []),
    ],
)
def test_a_gpu_cut_into_slices_stands_for_them(
    visible: str | None, indices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gpus = list_gpus(FakeNvml(gpus=sliced()))
    assert [gpu.index for gpu in gpus] == indices
    assert all(gpu.mig == gpu.index.startswith("MIG") for gpu in gpus)


def test_name_memory_and_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    shared = FakeGpu("GPU-1", "NVIDIA GB10", memory=None)
    closed = FakeGpu("GPU-2", closed=True)
    first, second = list_gpus(FakeNvml(gpus=[FakeGpu("GPU-0"), closed, shared]))
    assert (first.name, first.memory, first.uuid) == ("NVIDIA H200", 140 << 30, "GPU-0")
    assert second.index == "2"
    assert second.memory > 1 << 28  # the machine's, which it shares
    assert driver_version(FakeNvml()) == "580.1"
    assert driver_version(FakeNvml(broken=("init",))) is None


@pytest.mark.parametrize(
    ("library", "reason"),
    [
        (FakeNvml(broken=("init",)), "NVML cannot be used: Not Supported"),
        (FakeNvml(broken=("count",)), "NVML failed: Not Supported"),
        (FakeNvml(gpus=[FakeGpu("GPU-0", closed=True)]), "NVML failed: Insufficient Permissions"),
    ],
)
def test_what_fails_is_one_line(library: FakeNvml, reason: str) -> None:
    with pytest.raises(NvmlError, match=reason):
        list_gpus(library)
    assert library.users == 0


def test_planning_takes_what_nvml_shows_and_imports_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    machine = find_machine("cuda")
    assert (machine.device, [gpu.index for gpu in machine.gpus]) == ("cuda", ["1"])
    assert machine.describe == "NVIDIA H200 (140 GiB)"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert find_machine().device == "cpu"
    with pytest.raises(ConfigError, match="NVML shows no GPU that CUDA_VISIBLE_DEVICES= lets be seen"):
        find_machine("cuda")
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(broken=("init",)))
    with pytest.raises(ConfigError, match="NVML cannot be used: Not Supported: use device: cpu or auto"):
        find_machine("cuda")
