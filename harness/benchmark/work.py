"""What a bench worker does on command: say who it is, load, warm up, repeat, measure energy."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.benchmark.measure import MOST_WAVES, Measurer
from harness.benchmark.prepare import find_files, measured_spec
from harness.benchmark.shapes import Shape
from harness.config.architecture import Architecture
from harness.config.memory import BYTES, known_architecture
from harness.config.schema import Speed
from harness.errors import ConfigError
from harness.evaluation.setup import WorkSetup
from harness.gpus import driver_version
from harness.names import file_name

_COMPUTES = ("float32", "bfloat16", "float16")


class BenchWork:
    """One model, from its files to its figures. Every answer is plain data."""

    def __init__(self, folder: Path, model: str, device: str) -> None:
        self._setup = WorkSetup.read(folder, model, device, "")
        self._speed = self._setup.config.speed or Speed()
        built = folder / "architectures" / file_name(model)
        spec, self._files = find_files(self._setup.spec, self._setup.mirror, built)
        self._spec = measured_spec(spec, self._files, device, self._speed)
        self._engine: Any = None
        self._measurer: Measurer | None = None
        self._peak = 0

    def answer(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one command.

        Raises HarnessError; a MeasurementError concerns this command only.
        """
        does: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "identify": self._identify,
            "load": self._load,
            "warm": self._warm,
            "repeat": self._repeat,
            "energy": self._energy,
        }
        return does[command["do"]](command)

    def close(self) -> None:
        """Gives the model back."""
        if self._engine is not None:
            self._engine.close()

    def _identify(self, command: Mapping[str, Any]) -> dict[str, Any]:
        from harness.engines import engine_identity

        engine = engine_identity(self._spec, self._setup.device, self._files)
        hashes = {
            name: value
            for name, value in self._files.hashes.items()
            if "tokenizer" in name or "vocab" in name
        }
        return {
            "who": {"model": self._files.model_id, "engine": engine},
            "revision": self._files.revision,
            "tokenizer": hashes,
        }

    def _load_remote(self) -> dict[str, Any]:
        """An endpoint: nothing is loaded here, and what its machine can do is not known.

        So there is nothing to calibrate: no repeat is rejected for a drift.
        """
        from harness.engines import open_engine
        from harness.engines.vocabulary import plain_ids
        from harness.meter.calibration import MachineRates

        begin = time.perf_counter()
        self._engine = open_engine(self._spec, self._files, self._setup.device)
        seconds = time.perf_counter() - begin
        seed = self._setup.config.seed
        steady = MachineRates(1.0, 1.0)
        self._measurer = Measurer(self._engine, lambda: steady, plain_ids(self._engine), seed)

        info = self._engine.info
        unknown = ("threads", "ceiling", "idle_watts", "weight_bytes", "arch", "quantisation", "driver")
        facts = {"info": info.to_dict(), "seconds": seconds, "computed": info.dtype, "latent": False}
        return facts | dict.fromkeys(unknown)

    def _load(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Ceilings first, while the machine is empty, then the model.

        The ceilings are measured in the number format that the engine is expected to compute in.
        """
        from harness.engines import backend_of, engine_identity, open_engine
        from harness.engines.vocabulary import plain_ids
        from harness.meter.calibration import NumpyBench, TorchBench, ceiling, probe

        if backend_of(self._spec).asks_endpoint:
            return self._load_remote()
        mock = backend_of(self._spec).simulated
        planned = str(engine_identity(self._spec, self._setup.device, self._files).get("dtype"))
        device = self._setup.device
        empty = (
            NumpyBench()
            if mock
            else TorchBench(device, _compute(planned, device), _cores() if device == "cpu" else None)
        )
        best = ceiling(empty)
        empty.release()

        # Idle power, too, can be measured only while nothing is loaded.
        idle = self._idle_watts()
        begin = time.perf_counter()
        self._engine = open_engine(self._spec, self._files, device)
        seconds = time.perf_counter() - begin

        info = self._engine.info
        computed = str(info.extra.get("compute_dtype", info.dtype))
        bench = NumpyBench() if mock else TorchBench(device, _compute(computed, device))
        calibrate = functools.partial(probe, bench, self._speed.calibration_seconds)
        self._measurer = Measurer(self._engine, calibrate, plain_ids(self._engine), self._setup.config.seed)
        arch = self._architecture()
        return {
            "info": info.to_dict(),
            "seconds": seconds,
            "computed": computed,
            "latent": backend_of(self._spec).caches_latents,
            "threads": _threads(mock, device),
            "ceiling": {"name": best.name, "flops": best.flops, "bandwidth": best.bandwidth},
            "idle_watts": idle,
            "weight_bytes": arch.weight_bytes(BYTES.get(computed, 4)) if arch else None,
            "arch": arch.model_dump() if arch else None,
            "quantisation": backend_of(self._spec).quantization(self._spec),
            "driver": None if device == "cpu" else driver_version(),
        }

    def _warm(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Warms up and says how many waves fill a repeat."""
        shape, measurer = self._shape(command)
        seconds = measurer.warm_up(shape)
        waves = (
            1 if shape.rate else max(1, min(MOST_WAVES, round(self._speed.repeat_seconds / seconds + 0.5)))
        )
        return {"seconds": seconds, "waves": waves, **self._memory()}

    def _repeat(self, command: Mapping[str, Any]) -> dict[str, Any]:
        shape, measurer = self._shape(command)
        return measurer.repeat(shape, int(command["waves"]), int(command["number"])) | self._memory()

    def _energy(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Joules of waves run for ``seconds``, or null and the reason."""
        from dataclasses import asdict

        from harness.engines import backend_of
        from harness.meter.checks import EnergyError
        from harness.meter.energy import open_source, watch

        shape, measurer = self._shape(command)
        if backend_of(self._spec).asks_endpoint:
            return {"energy": None, "reason": "an endpoint's energy cannot be read here"}
        try:
            # where nothing can be read, nothing need be run
            open_source(self._setup.device).close()
        except EnergyError as error:
            return {"energy": None, "reason": str(error)}
        with watch(self._setup.device, idle_watts=command.get("idle_watts")) as watched:
            requests, tokens = measurer.run_for(shape, float(command["seconds"]))
        reading = watched.reading
        return {"energy": asdict(reading), "requests": requests, "tokens": tokens, "reason": reading.reason}

    def _idle_watts(self) -> float | None:
        from harness.engines import backend_of
        from harness.meter.energy import idle_power

        return (
            idle_power(self._setup.device)
            if self._speed.energy_seconds and not backend_of(self._spec).simulated
            else None
        )

    def _shape(self, command: Mapping[str, Any]) -> tuple[Shape, Measurer]:
        shape = Shape(**command["shape"])
        assert self._measurer is not None, "load comes first"
        window = self._engine.info.context_length
        if window and shape.input + shape.output > window:
            raise ConfigError(
                f"{self._spec.label}: a request of {shape.input} + {shape.output} tokens does not "
                f"fit its window of {window}"
            )
        return shape, self._measurer

    def _architecture(self) -> Architecture | None:
        return known_architecture(self._spec, str(self._setup.mirror) if self._setup.mirror else None)

    def _memory(self) -> dict[str, Any]:
        import psutil

        me = psutil.Process()
        family = [me, *me.children(recursive=True)]
        rss = 0
        for process in family:
            try:
                rss += process.memory_info().rss
            except psutil.Error:
                continue
        self._peak = max(self._peak, rss)
        return {"peak_rss_bytes": self._peak, "peak_device_bytes": _device_bytes(self._setup.device)}


def _compute(dtype: str, device: str) -> str:
    """The calibration's number format: the engine's, where torch has it.

    bf16 on a CPU that would emulate it is computed in fp32.
    """
    if dtype not in _COMPUTES:
        return "float32" if device == "cpu" else "bfloat16"
    if device == "cpu" and dtype != "float32":
        import torch

        from harness.engines.transformers.compute import has_hardware

        return dtype if has_hardware(getattr(torch, dtype)) else "float32"
    return dtype


def _cores() -> int:
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(psutil.cpu_count(logical=False) or 1, allowed))


def _threads(mock: bool, device: str) -> int | None:
    if mock or device != "cpu":
        return None
    import torch

    return torch.get_num_threads()


def _device_bytes(device: str) -> int | None:
    """Bytes in use on all visible GPUs, whoever uses them."""
    if device == "cpu":
        return None
    import torch

    pairs = [torch.cuda.mem_get_info(index) for index in range(torch.cuda.device_count())]
    return int(sum(total - free for free, total in pairs))
