"""What the stages share: where they run, what they note down, engines and items."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.items import Choice, Completion

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Check:
    """One figure and the bound that it must keep. ``passed`` None: only noted down."""

    name: str
    figure: Any
    bound: str = ""
    passed: bool | None = None


@dataclass
class Record:
    """What a stage found. ``error``: it did not come to its end."""

    stage: str
    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0
    error: str | None = None

    def note(self, name: str, figure: Any) -> None:
        """A figure without a bound."""
        self.checks.append(Check(name, figure))

    def hold(self, name: str, figure: Any, bound: str, passed: bool) -> None:
        """A figure with its bound in words, and whether it is kept."""
        self.checks.append(Check(name, figure, bound, bool(passed)))

    @property
    def passed(self) -> bool:
        """Whether the stage came to its end and every bound was kept."""
        return self.error is None and all(check.passed is not False for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"passed": self.passed}


@dataclass(frozen=True)
class Setting:
    """Where the stages run. ``cuda``: the pretended machine, None on a real one."""

    folder: Path
    mirror: Path | None = None
    cuda: Any = None

    @property
    def pretended(self) -> bool:
        """Whether the device is pretended: then everything is small, and speed means nothing."""
        return self.cuda is not None

    def size(self, real: int, pretended: int) -> int:
        """How much of something: on a real device, and on the pretended one."""
        return pretended if self.pretended else real

    def wait(self) -> None:
        """Until the device has done all that it was asked."""
        torch.cuda.synchronize()

    @contextlib.contextmanager
    def engine(self, model: str, device: str = "cuda", **settings: Any) -> Iterator[Any]:
        """The transformers engine of a model, closed afterwards; its memory is given back."""
        spec = ModelSpec(id=model, engine="transformers", **settings)
        with self._loading(device):
            engine = open_engine(spec, device=device, mirror=self.mirror)
        try:
            yield engine
        finally:
            engine.close()

    @contextlib.contextmanager
    def _loading(self, device: str) -> Iterator[None]:
        """Weights go to the pretended device by a copy: safetensors would write past the operators."""
        if not self.pretended or device == "cpu":
            yield
            return
        from harness.engines.transformers import load

        load_model = load.load_model

        def moved(spec: ModelSpec, files: Any, place: Any) -> Any:
            return self.cuda.move(
                load_model(spec, files, load.Placement("cpu", place.dtype, place.attention))
            )

        with mock.patch.object(load, "load_model", moved):
            yield


def timed(setting: Setting, work: Callable[[], Any]) -> tuple[float, Any]:
    """(seconds until the device is done, what the work gives)."""
    setting.wait()
    begin = time.perf_counter()
    result = work()
    setting.wait()
    return time.perf_counter() - begin, result


def median(values: list[float]) -> float:
    """The middle one of an odd number, the upper of the middle two of an even one."""
    return sorted(values)[len(values) // 2]


def sums(count: int, shots: int, digits: str = "") -> list[Choice]:
    """Few-shot arithmetic with four options; all prompts begin with the same examples."""
    head = "".join(f"计算：{n} + {n + 3} = {2 * n + 3}\n" for n in range(2, 2 + shots))
    return [
        Choice(str(n), tuple((f"{head}计算：{digits}{n} + 7 =", f" {n + k}") for k in (5, 7, 9, 17)))
        for n in range(count)
    ]


def prompts(count: int, shots: int, budgets: tuple[int, ...], **settings: Any) -> list[Completion]:
    """The same sums, to go on with; the budgets in turn."""
    return [
        Completion(item.key, item.pairs[0][0], (), budgets[n % len(budgets)], **settings)
        for n, item in enumerate(sums(count, shots))
    ]
