"""What the pretended CUDA refuses and counts, held against what torch and its kernels say of themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.pretended_cuda import Cuda, PretendedTensor, pretended_cuda
from support.pretended_cuda.tensors import raw_of

EFFICIENT = torch.ops.aten._scaled_dot_product_efficient_attention


@pytest.fixture
def cuda() -> Any:
    with pretended_cuda(devices=2) as machine:
        yield machine


def _heads(batch: int = 2, heads: int = 3, tokens: int = 5, size: int = 8, **how: Any) -> torch.Tensor:
    """[batch, heads, tokens, size] on the device, as the kernel wants it."""
    return torch.randn(batch, tokens, heads, size, **{"device": "cuda", **how}).transpose(1, 2)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_attention_and_its_log_sums_are_torchs(cuda: Cuda, causal: bool, biased: bool) -> None:
    """Against the CPU's own kernel; the log-sums are padded to 32 as CUDA's."""
    query, key, value = _heads(tokens=7), _heads(tokens=7), _heads(tokens=7)
    wide = torch.randn(2, 3, 7, 8, device="cuda")  # rows of a bias begin at multiples of 16 bytes
    bias = wide[..., :7] if biased else None
    out, sums, *_ = EFFICIENT(query, key, value, bias, True, 0.0, causal, scale=0.5)
    assert out.device.type == "cuda"
    assert sums.shape == (2, 3, 32)
    raw = [raw_of(one) for one in (query, key, value, bias)]
    mask = raw[3]
    if causal:
        hidden = torch.full((7, 7), -math.inf).triu(1)
        mask = hidden if mask is None else mask + hidden
    want = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        *raw[:3], 0.0, False, attn_mask=None if mask is None else mask.expand(2, 3, 7, 7), scale=0.5
    )
    assert torch.allclose(out.raw, want[0], atol=1e-5)
    assert torch.allclose(sums.raw[..., :7], want[1], atol=1e-5)


Wrong = Callable[[], tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None]]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: (_heads(2), _heads(4), _heads(4), None), r"query.size\(0\) == key.size\(0\)"),
        (lambda: (_heads(), _heads(heads=1), _heads(heads=1), None), "as many heads"),
        (lambda: (_heads(), _heads(), _heads(tokens=6), None), "one length"),
        (lambda: (_heads(), _heads(size=16), _heads(size=16), None), "heads of one size"),
        (lambda: (_heads(), _heads().bfloat16(), _heads(), None), "expected torch.float32"),
        (
            lambda: (_heads(size=10), _heads(size=10), _heads(size=10), None),
            "no kernel found|not correctly aligned",
        ),
        (lambda: (*[_heads()] * 3, torch.zeros(2, 3, 5, 5, device="cuda")), "not correctly aligned"),
        (
            lambda: (*[_heads()] * 3, torch.zeros(2, 3, 5, 8, device="cuda").bfloat16()[..., :5]),
            "invalid dtype for bias",
        ),
        (lambda: (*[_heads()] * 3, torch.zeros(1, 3, 5, 8, device="cuda")[..., :5]), "wrong shape"),
        (lambda: (_heads(), _heads(), _heads(device="cpu"), None), "same device"),
    ],
    ids=[
        "batch",
        "heads",
        "keys",
        "size",
        "format",
        "odd size",
        "bias rows",
        "bias format",
        "bias shape",
        "device",
    ],
)
def test_what_the_kernel_refuses(cuda: Cuda, make: Wrong, says: str) -> None:
    with pytest.raises(RuntimeError, match=says):
        EFFICIENT(*make(), True)


def test_the_cpus_kernel_is_not_there(cuda: Cuda) -> None:
    with pytest.raises(NotImplementedError, match="'CUDA' backend"):
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(_heads(), _heads(), _heads())


@pytest.mark.parametrize(
    "work",
    [
        lambda here, there, host: here + there,
        lambda here, there, host: here + host,
        lambda here, there, host: torch.cat([here, host]),
        lambda here, there, host: torch.mm(here, there),
        lambda here, there, host: here.index_select(0, torch.arange(2)),
        lambda here, there, host: host[there.long()],
        lambda here, there, host: here.copy_(there) + there,
    ],
    ids=["two devices", "host", "cat", "mm", "index_select", "host indexed", "after a copy"],
)
def test_tensors_on_two_devices_are_refused(cuda: Cuda, work: Callable[..., Any]) -> None:
    here, there = torch.ones(3, 3, device="cuda:0"), torch.ones(3, 3, device="cuda:1")
    with pytest.raises(RuntimeError, match="same device"):
        work(here, there, torch.ones(3, 3))


def test_numbers_and_indices_of_the_host_are_taken(cuda: Cuda) -> None:
    """As torch does: a tensor without dimensions is a number, and indices are copied over."""
    here = torch.arange(6.0, device="cuda").reshape(3, 2)
    assert (here * torch.tensor(2.0)).tolist()[2] == [8.0, 10.0]
    assert here[torch.tensor([2, 0])].tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert here.device == torch.device("cuda", 0)


def test_results_are_on_the_device(cuda: Cuda) -> None:
    here = torch.ones(2, 2, device="cuda:1")
    for made in (
        here @ here,
        here.to(torch.bfloat16),
        torch.zeros_like(here),
        here.new_zeros(3),
        here[0],
        here.t(),
    ):
        assert isinstance(made, PretendedTensor)
        assert made.device == torch.device("cuda", 1)
    assert not isinstance(here.cpu(), PretendedTensor)
    for moved in (torch.ones(2).cuda(), torch.ones(2).to("cuda"), torch.ones(2).to(device="cuda")):
        assert moved.device == torch.device("cuda", 0)


def test_launches_and_waits_are_counted(cuda: Cuda) -> None:
    here = torch.ones(4, 4, device="cuda")
    cuda.counters.reset()
    (here @ here).relu_()
    assert (cuda.counters.launches, cuda.counters.syncs) == (2, 0)
    here.view(16).t().unsqueeze(0)
    assert cuda.counters.launches == 2  # views are free
    float(here.sum())
    assert (cuda.counters.launches, cuda.counters.syncs) == (3, 1)
    here.cpu()
    here.to("cpu", non_blocking=True)
    assert cuda.counters.syncs == 2
    here.nonzero()
    assert cuda.counters.syncs == 3


def test_a_generator_of_the_host_is_refused(cuda: Cuda) -> None:
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(3, device="cuda", generator=torch.Generator())


def test_memory_is_held_and_given_back() -> None:
    with pretended_cuda(memory=10_000) as cuda:
        first = torch.zeros(1000, device="cuda")
        view = first[:10]
        assert cuda.memories[0].used == 4096  # rounded up to blocks of 512 bytes
        with pytest.raises(torch.OutOfMemoryError, match="Tried to allocate 8192 bytes"):
            torch.zeros(2000, device="cuda")
        del first
        assert cuda.memories[0].used == 4096  # a view holds all of it
        del view
        assert cuda.memories[0].used == 0


def test_nothing_is_left_behind() -> None:
    with pretended_cuda():
        assert torch.cuda.is_available()
    assert not torch.cuda.is_available()
    assert not isinstance(torch.ones(2) + 1, PretendedTensor)
