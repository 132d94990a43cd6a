"""Operators: on which device they run, what that costs, and what a real device would refuse."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from support.pretended_cuda.attention import KERNELS, fused_attention
from support.pretended_cuda.state import CURRENT, device_of
from support.pretended_cuda.tensors import SAME_DEVICE, PretendedTensor, raw_of

INDEXED = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put"}
"""Operators that take their indices from the CPU, too, and copy them over."""
WITHOUT_KERNEL = frozenset(
    [
        "detach",
        "alias",
        "view",
        "_unsafe_view",
        "_reshape_alias",
        "t",
        "transpose",
        "permute",
        "expand",
        "slice",
        "select",
        "unsqueeze",
        "squeeze",
        "split",
        "as_strided",
        "unbind",
        "split_with_sizes",
        "diagonal",
        "lift_fresh",
        "empty",
        "new_empty",
        "empty_like",
        "empty_strided",
        "new_empty_strided",
        "is_same_size",
        "sym_size",
        "chunk",
        "narrow",
        "unfold",
        "view_as_real",
        "reshape",
        "set_",
        "resize_",
    ]
)
"""Operators that only make another view, or memory without contents."""
DATA_SIZED = {
    "nonzero",
    "masked_select",
    "unique",
    "_unique2",
    "unique_dim",
    "unique_consecutive",
    "repeat_interleave",
}
"""Operators whose result's size is known only on the device, so that the host waits."""
_DEFINED_HERE = {"to", "scaled_dot_product_attention"}


class PretendedDispatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Active while the pretended machine is: factories with ``device="cuda"`` come through here."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if _is_composite(func) and _name(func) not in _DEFINED_HERE and _concerns(args, kwargs):
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        return call(func, args, kwargs)


def call(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Runs one operator, on the CPU or as if on the device of its tensors."""
    name = _name(func)
    if name in KERNELS:
        return fused_attention(func, name, args, kwargs)
    if name == "_fused_sdp_choice":
        return 2  # SDPBackend.EFFICIENT_ATTENTION
    if name in ("_to_copy", "to"):
        return _convert(func, name, args, kwargs)
    if name == "copy_":
        return _copy_into(*args, **kwargs)
    if name == "_local_scalar_dense":
        if isinstance(args[0], PretendedTensor):
            CURRENT.counters.sync("item")
        return func(raw_of(args[0]))
    return _operator(func, name, args, kwargs)


def _operator(func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    beside = common_device(name, (args, kwargs))
    wanted = device_of(kwargs.get("device"))
    target = wanted or beside
    if wanted is not None:
        kwargs = kwargs | {"device": torch.device("cpu") if wanted.type == "cuda" else wanted}
    if "pin_memory" in kwargs:
        kwargs = kwargs | {"pin_memory": False}
    on_device = target is not None and target.type == "cuda"
    if on_device:
        _count(name, args, kwargs)

    # CUDA's kernels know a few types that the CPU's do not.
    plain, named = tree_map(raw_of, (args, kwargs))
    if name == "histc" and not plain[0].is_floating_point():
        result = func(plain[0].float(), *plain[1:], **named).to(plain[0].dtype)
    else:
        result = func(*plain, **named)
    if target is None or not on_device:
        return result

    written = _written(func, args, kwargs)
    if written is not None:
        return written[0]
    return tree_map(
        lambda value: (
            PretendedTensor(value, target)
            if isinstance(value, Tensor) and not isinstance(value, PretendedTensor)
            else value
        ),
        result,
    )


def _count(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """What an operator on the device launches and waits for. Raises what CUDA would."""
    if kwargs.get("generator") is not None:
        raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
    if name not in WITHOUT_KERNEL:
        CURRENT.counters.launch(name)
        if CURRENT.fails is not None and CURRENT.fails(name):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    if name in DATA_SIZED:
        CURRENT.counters.sync(name)
    if name in INDEXED and any(
        isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8) for index in args[1]
    ):
        CURRENT.counters.sync("boolean index")


def _written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any] | None:
    """The result of an operator that writes into its arguments: those very tensors. None for others."""
    schema = func._schema
    targets = [
        args[position] if position < len(args) and not argument.kwarg_only else kwargs.get(argument.name)
        for position, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    if not targets:
        return None
    if not schema.returns:
        return (None,)
    if len(schema.returns) == 1 and isinstance(targets[0], PretendedTensor):
        return (targets[0],)
    return (tuple(targets),) if len(schema.returns) == len(targets) else None


def common_device(name: str, values: Any) -> torch.device | None:
    """The device of all tensors, None where none is pretended.

    Numbers (tensors without dimensions) may be anywhere.
    Raises RuntimeError in torch's words where tensors are on several.
    """
    tensors = [value for value in tree_flatten(values)[0] if isinstance(value, Tensor)]
    devices = sorted({str(tensor.device) for tensor in tensors if isinstance(tensor, PretendedTensor)})
    if not devices:
        return None
    for tensor in tensors:
        if isinstance(tensor, PretendedTensor) or tensor.dim() == 0:
            continue
        if name in INDEXED:
            CURRENT.counters.sync("copy to device (index)")
        else:
            devices = [*devices, "cpu"]
    if len(set(devices)) > 1:
        raise RuntimeError(
            f"{SAME_DEVICE}, {devices[0]} and {devices[1]}! "
            f"(when checking argument in method wrapper_CUDA__{name})"
        )
    return torch.device(devices[0])


def _convert(func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``tensor.to(…)``: of device, number format or layout. Only a change costs anything."""
    names = [argument.name for argument in func._schema.arguments]
    given = dict(zip(names, args, strict=False)) | kwargs
    tensor = given.pop("self")
    if (other := given.pop("other", None)) is not None:
        given |= {"device": other.device, "dtype": other.dtype}
    must_copy = bool(given.pop("copy", False)) or name == "_to_copy"
    given = {key: value for key, value in given.items() if value is not None}
    device = device_of(given.pop("device", None)) or tensor.device
    same_format = given.get("memory_format") in (None, torch.preserve_format)
    if (
        not must_copy
        and device == tensor.device
        and given.get("dtype", tensor.dtype) == tensor.dtype
        and same_format
    ):
        return tensor

    in_background = bool(given.pop("non_blocking", False))
    given.pop("pin_memory", None)
    raw = torch.ops.aten._to_copy(raw_of(tensor), **given)
    from_device, to_device = isinstance(tensor, PretendedTensor), device.type == "cuda"
    if from_device or to_device:
        CURRENT.counters.launch("copy")
    if from_device != to_device and not in_background:
        CURRENT.counters.sync("copy to device" if to_device else "copy to host")
    return PretendedTensor(raw, device) if to_device else raw


def _copy_into(target: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
    to_device, from_device = isinstance(target, PretendedTensor), isinstance(source, PretendedTensor)
    if to_device or from_device:
        CURRENT.counters.launch("copy_")
    if to_device != from_device and source.numel() and not non_blocking:
        CURRENT.counters.sync("copy to device" if to_device else "copy to host")
    raw_of(target).copy_(raw_of(source))
    return target


def _name(func: Any) -> str:
    name: str = func._schema.name.split("::")[1]
    return name


def _is_composite(func: Any) -> bool:
    """Whether torch takes the operator apart into others on every device."""
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"))


def _concerns(args: Any, kwargs: dict[str, Any]) -> bool:
    """Whether an operator has to do with a pretended device."""
    wanted = device_of(kwargs.get("device"))
    if wanted is not None and wanted.type == "cuda":
        return True
    return any(isinstance(value, PretendedTensor) for value in tree_flatten((args, kwargs))[0])
