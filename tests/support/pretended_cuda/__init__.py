"""A pretended CUDA for machines without a GPU.

Tensors say that they are on ``cuda:N`` and are computed on the CPU. What a real device would refuse
is refused, what it would launch or wait for is counted, and its memory can be made small:

- every operator's tensors must be on one device, as torch's own dispatch checks it
  (`c10/core/impl/...` "Expected all tensors to be on the same device");
- the fused attention kernels hold their callers to the contract of CUDA's (`attention`);
- kernel launches and host synchronisations are counted with the line that caused them (`Counters`);
- each device has a memory limit, beyond which `torch.OutOfMemoryError` is raised as by the caching
  allocator (`Memory`).

What it cannot show: speed, rounding of GPU kernels, streams, graphs, and grouped matrix products.

    with pretended_cuda(devices=2) as cuda:
        model = cuda.move(model, lambda name: "cuda:0")
        …
        cuda.counters.launches
"""

from support.pretended_cuda.machine import Cuda, pretended_cuda
from support.pretended_cuda.state import Counters, Memory
from support.pretended_cuda.tensors import PretendedTensor

__all__ = ["Counters", "Cuda", "Memory", "PretendedTensor", "pretended_cuda"]
