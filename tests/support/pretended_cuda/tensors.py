"""The tensor that says it is on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from support.pretended_cuda.state import CURRENT

SAME_DEVICE = "Expected all tensors to be on the same device, but found at least two devices"
_HOST_VALUES = (
    Tensor.item,
    Tensor.__float__,
    Tensor.__int__,
    Tensor.__bool__,
    Tensor.__index__,
)


class PretendedTensor(Tensor):
    """A wrapper around ``raw``, which lies on the CPU and holds the numbers."""

    raw: Tensor

    @staticmethod
    def __new__(cls, raw: Tensor, device: torch.device) -> PretendedTensor:
        tensor: PretendedTensor = torch.Tensor._make_wrapper_subclass(
            cls,
            raw.size(),
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            layout=raw.layout,
            device=device,
            requires_grad=False,
        )
        tensor.raw = raw
        CURRENT.memory(device).hold(tensor, raw)
        return tensor

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"PretendedTensor({tuple(self.shape)}, {self.dtype}, {self.device})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        from support.pretended_cuda.dispatch import call

        return call(func, args, kwargs or {})

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Catches what never reaches the dispatcher as one operator: indexing and reading values."""
        kwargs = kwargs or {}
        if func is Tensor.__getitem__:
            return take(*args)
        if func is Tensor.__setitem__:
            return put(*args)
        if isinstance(args[0] if args else None, PretendedTensor):
            tensor: PretendedTensor = args[0]
            if func is Tensor.contiguous and tensor.raw.is_contiguous():
                return tensor
            if func in _HOST_VALUES or func is Tensor.tolist:
                CURRENT.counters.sync(func.__name__)
                return func(tensor.raw)
            if func in (torch.split, Tensor.split):
                pieces = func(tensor.raw, *args[1:], **kwargs)
                return tuple(PretendedTensor(piece, tensor.device) for piece in pieces)
            # torch's bindings of these look for a real CUDA runtime before they reach the dispatcher.
            if func in (Tensor.nonzero, torch.nonzero):
                return _dispatched(torch.ops.aten.nonzero.default, tensor)
            if func is Tensor.__invert__:
                return _dispatched(torch.ops.aten.bitwise_not.default, tensor)
            if func is Tensor.contiguous:
                return _dispatched(
                    torch.ops.aten.clone.default, tensor, memory_format=torch.contiguous_format
                )
        if func is Tensor.copy_:
            return _dispatched(torch.ops.aten.copy_.default, *args, **kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **kwargs)


def _dispatched(func: Any, *args: Any, **kwargs: Any) -> Any:
    from support.pretended_cuda.dispatch import call

    return call(func, args, kwargs)


def raw_of(value: Any) -> Any:
    """The numbers of a pretended tensor; anything else as it is."""
    return value.raw if isinstance(value, PretendedTensor) else value


def take(tensor: Tensor, index: Any) -> Tensor:
    """``tensor[index]``. Tensors in the index make it a gather, which is one kernel."""
    if not isinstance(tensor, PretendedTensor):
        raise RuntimeError(
            "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
        )
    plain, gathers = _plain_index(index, tensor.device)
    if gathers:
        CURRENT.counters.launch("getitem")
    return PretendedTensor(tensor.raw[plain], tensor.device)


def put(tensor: Tensor, index: Any, value: Any) -> None:
    """``tensor[index] = value``."""
    if not isinstance(tensor, PretendedTensor):
        raise RuntimeError(f"{SAME_DEVICE}, cpu and {getattr(value, 'device', 'cuda:0')}! (index_put_)")
    plain, scatters = _plain_index(index, tensor.device)
    CURRENT.counters.launch("setitem")
    if isinstance(value, Tensor):
        _check_value(tensor, value, scatters)
    tensor.raw[plain] = raw_of(value)


def _check_value(tensor: Tensor, value: Tensor, scatters: bool) -> None:
    """A plain slice takes values from anywhere (a copy); a scatter wants them beside its target."""
    if not isinstance(value, PretendedTensor):
        if scatters and value.dim():
            raise RuntimeError(f"{SAME_DEVICE}, {tensor.device} and cpu! (index_put_)")
        CURRENT.counters.sync("copy to device (setitem)")
    elif scatters and value.device != tensor.device:
        raise RuntimeError(f"{SAME_DEVICE}, {tensor.device} and {value.device}! (index_put_)")
    if scatters and value.dtype != tensor.dtype:
        raise RuntimeError("Index put requires the source and destination dtypes match")


def _plain_index(index: Any, device: torch.device) -> tuple[Any, bool]:
    """The index with its tensors on the CPU, and whether it has any that count as such."""
    single = not isinstance(index, tuple)
    entries: Sequence[Any] = (index,) if single else index
    plain, gathers = [], False
    for entry in entries:
        part = torch.tensor(list(entry)) if isinstance(entry, list | range) else entry
        if isinstance(part, Tensor):
            if not isinstance(part, PretendedTensor):
                if part.dim() == 0 and part.dtype != torch.bool:
                    plain.append(int(part))  # a number on the host: a select, not a gather
                    continue
                CURRENT.counters.sync("copy to device (index)")
            elif part.device != device:
                raise RuntimeError(
                    "indices should be either on cpu or on the same device as the indexed tensor "
                    f"({device}), not on {part.device}"
                )
            gathers = True
            if part.dtype in (torch.bool, torch.uint8):
                CURRENT.counters.sync("boolean index")  # its size is known only on the device
                CURRENT.counters.launch("nonzero", 3)
            part = raw_of(part)
        plain.append(part)
    return (plain[0] if single else tuple(plain)), gathers
