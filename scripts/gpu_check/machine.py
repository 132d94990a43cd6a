"""The machine itself: what it says of itself, what it takes when idle, its ceilings, its joules."""

from __future__ import annotations

import shutil
import subprocess
import time

import torch

from gpu_check.common import Record, Setting, sums
from harness.evaluation.manifest import package_versions
from harness.meter.calibration import TorchBench, ceiling
from harness.meter.checks import EnergyError
from harness.meter.energy import idle_power, open_source, watch
from harness.meter.hardware import find_chip
from harness.workers.devices import find_machine


def describe(setting: Setting, record: Record) -> None:
    """Idle watts first, while the device is cold; then names, versions and ceilings."""
    record.note("idle watts", _idle(setting))
    if shutil.which("nvidia-smi") and not setting.pretended:
        shown = subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=False)
        record.note("nvidia-smi", shown.stdout.splitlines())
    record.note("versions", package_versions())
    machine = find_machine("auto")
    record.note("machine", machine.describe)

    name = torch.cuda.get_device_name()
    chip = find_chip(name)
    record.hold("device in the catalogue", name, "known", chip is not None)
    if not setting.pretended:
        record.hold("harness sees the GPU", machine.device, "cuda", machine.device == "cuda")
        for dtype in ("bfloat16", "float32"):
            best = ceiling(TorchBench("cuda", dtype))
            record.note(f"ceiling {dtype}", {"flops": best.flops, "bandwidth": best.bandwidth})


def energy(setting: Setting, record: Record) -> None:
    """Joules of scoring by the counter and by the integral of power, and per thousand tokens."""
    if setting.pretended:
        record.note("joules", "no meter on the pretended device")
        return
    items = sums(400, 24)
    with setting.engine("qwen2.5-0.5b", weights="random", dtype="bfloat16") as engine:
        list(engine.score(items[:20]))
        idle = idle_power("cuda", 3.0)
        tokens, begin = 0, time.perf_counter()
        with watch("cuda", idle_watts=idle) as meter:
            while time.perf_counter() - begin < 12:
                tokens += sum(answer.tokens.computed for answer in engine.score(items))
        joules = meter.reading
    record.note("idle watts, warm", idle)
    record.note("source", joules.source)
    record.hold("joules", joules.joules_gross, "measured", joules.joules_gross is not None)
    if joules.joules_net is not None:
        record.note("net joules per 1,000 tokens", 1000 * joules.joules_net / tokens)
    record.note("counter against integral", _two_ways(setting))


def _two_ways(setting: Setting) -> float | None:
    """(counter − integral) / counter over twelve seconds of products; None without both."""
    source = open_source("cuda")
    try:
        first, begin = source.counter(), time.perf_counter()
        watts: list[float] = []
        a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
        while time.perf_counter() - begin < 12:
            torch.mm(a, a)
            torch.cuda.synchronize()
            watts += [power for power in [source.power()] if power is not None]
        last, seconds = source.counter(), time.perf_counter() - begin
    finally:
        source.close()
    if first is None or last is None or not watts:
        return None
    integral = sum(watts) / len(watts) * seconds
    return (last - first - integral) / (last - first)


def _idle(setting: Setting) -> float | None:
    if setting.pretended:
        return None
    try:
        return idle_power("cuda", 3.0)
    except EnergyError:
        return None
