"""The pretended machine: `torch.cuda` answers for it, and models are put on its devices."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
import torch._dynamo  # before torch.cuda is replaced: it lists the functions that it finds there
from torch import Tensor
from torch.nn import Module, Parameter, functional
from torch.overrides import TorchFunctionMode

from support.pretended_cuda.dispatch import PretendedDispatch, common_device
from support.pretended_cuda.state import CURRENT, Counters, Memory, device_of
from support.pretended_cuda.tensors import PretendedTensor, raw_of

NAME = "NVIDIA H100 80GB HBM3"
GIB = 2**30


@dataclass
class Cuda:
    """The machine inside `pretended_cuda`."""

    counters: Counters
    memories: list[Memory]

    def move(self, model: Module, place: Callable[[str], str] = lambda name: "cuda:0") -> Module:
        """Puts parameters and buffers of each module on ``place(its name)``; shared ones stay shared."""
        twins: dict[int, Any] = {}
        originals = []
        for name, module in model.named_modules():
            device = device_of(place(name))
            assert device is not None
            for tensors in (module._parameters, module._buffers):
                for key, tensor in list(tensors.items()):
                    if tensor is None or isinstance(tensor, PretendedTensor):
                        continue
                    if id(tensor) not in twins:
                        twin: Tensor = PretendedTensor(tensor.detach(), device)
                        is_parameter = isinstance(tensor, Parameter)
                        twins[id(tensor)] = Parameter(twin, requires_grad=False) if is_parameter else twin
                        originals.append(tensor)  # an id must not be given away while it is looked up
                    tensors[key] = twins[id(tensor)]
        return model

    def fail(self, when: Callable[[str], bool] | None) -> None:
        """Operators of which ``when(name)`` is true run out of memory; None: no more."""
        CURRENT.fails = when


class _Moves(TorchFunctionMode):
    """Moves of plain tensors to "cuda": torch would ask a real runtime which device is the current one."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is Tensor.cuda:
            return args[0].to(torch.device("cuda", 0))
        if func is Tensor.to:
            args = tuple(_indexed(value) for value in args)
            kwargs = {name: _indexed(value) for name, value in kwargs.items()}
        return func(*args, **kwargs)


def _indexed(value: Any) -> Any:
    """cuda as cuda:0; anything else as it is."""
    return device_of(value) if isinstance(value, str | torch.device) else value


@contextlib.contextmanager
def pretended_cuda(devices: int = 1, memory: int | None = None) -> Iterator[Cuda]:
    """``devices`` GPUs of ``memory`` bytes each (None: 80 GiB that are not accounted)."""
    CURRENT.counters = Counters()
    CURRENT.memories = [Memory(memory) for _ in range(devices)]
    CURRENT.fails = None
    torch._C._ensureCUDADeviceGuardSet()  # as torch's FakeTensorMode does for builds without CUDA
    with contextlib.ExitStack() as stack:
        for name, answer in _answers(devices).items():
            stack.enter_context(mock.patch.object(torch.cuda, name, answer))
        stack.enter_context(mock.patch.object(functional, "scaled_dot_product_attention", _attention))
        torch._C._set_only_lift_cpu_tensors(True)
        stack.callback(torch._C._set_only_lift_cpu_tensors, False)
        stack.enter_context(_Moves())
        stack.enter_context(PretendedDispatch())  # type: ignore[no-untyped-call]
        yield Cuda(CURRENT.counters, CURRENT.memories)


def _answers(devices: int) -> dict[str, Any]:
    """What `torch.cuda` says."""

    def memory(device: Any = None) -> Memory:
        return CURRENT.memory(device_of("cuda" if device is None else device) or torch.device("cuda", 0))

    def free_and_total(device: Any = None) -> tuple[int, int]:
        one = memory(device)
        return (70 * GIB, 80 * GIB) if one.limit is None else (one.limit - one.used, one.limit)

    def nothing(*_: Any, **__: Any) -> None:
        return None

    return {
        "_lazy_init": nothing,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: devices,
        "current_device": lambda: 0,
        "get_device_name": lambda device=None: NAME,
        "get_device_capability": lambda device=None: (9, 0),
        "is_bf16_supported": lambda *_, **__: True,
        "mem_get_info": free_and_total,
        "memory_reserved": lambda device=None: 0,
        "memory_allocated": lambda device=None: 0,
        "max_memory_allocated": lambda device=None: memory(device).peak,
        "reset_peak_memory_stats": nothing,
        "manual_seed": nothing,
        "manual_seed_all": nothing,
        "empty_cache": nothing,
        "Event": _Event,
        "current_stream": nothing,
        "synchronize": lambda device=None: CURRENT.counters.sync("synchronize"),
    }


class _Event:
    """A mark on the stream. Everything here is done at once, so that waiting only counts."""

    def record(self, stream: Any = None) -> None:
        """Nothing: what came before is done."""

    def synchronize(self) -> None:
        """Counts as a wait."""
        CURRENT.counters.sync("event")


_OWN_ATTENTION = functional.scaled_dot_product_attention


def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, **options: Any
) -> Tensor:
    """torch's own attention, as one kernel."""
    if not isinstance(query, PretendedTensor):
        return _OWN_ATTENTION(query, key, value, attn_mask=attn_mask, **options)
    tensors = [tensor for tensor in (query, key, value, attn_mask) if tensor is not None]
    common_device("scaled_dot_product_attention", tensors)
    CURRENT.counters.launch("scaled_dot_product_attention")
    raw = [raw_of(tensor) for tensor in (query, key, value, attn_mask)]
    result = _OWN_ATTENTION(raw[0], raw[1], raw[2], attn_mask=raw[3], **options)
    return PretendedTensor(result, query.device)
