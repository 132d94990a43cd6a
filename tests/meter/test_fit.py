"""Memory fit: the largest batch is the largest, by weights and cache worked out by hand."""

from __future__ import annotations

import pytest

from harness.config.presets import preset_or_none
from harness.errors import ConfigError
from harness.meter.fit import USABLE, Need, on_catalogue
from harness.meter.hardware import find_chip


def need(name: str, bytes_: float = 2) -> Need:
    preset = preset_or_none(name)
    assert preset is not None
    assert preset.arch is not None
    return Need(preset.arch, bytes_)


def test_bytes_are_weights_cache_and_one_pass() -> None:
    llama = need("llama-3.1-8b")
    # 8.03e9 bf16 weights; a token's cache is 32 layers × 8 heads × 128 × 2 × 2 bytes = 128 KiB; a
    # pass never holds more than 8192 tokens
    small, large = llama.bytes(8, 4096), llama.bytes(16, 4096)
    assert large - small == 8 * 4096 * 131_072 + 8 * 128_256 * 6
    assert small > 16_060_522_496 + 8 * 4096 * 131_072


def test_the_batch_is_the_largest_that_fits() -> None:
    llama, memory = need("llama-3.1-8b"), int(find_chip("H100").figure("memory"))
    batch = llama.batch(4096, memory)
    assert llama.bytes(batch, 4096) <= USABLE * memory < llama.bytes(batch + 1, 4096)
    assert batch == pytest.approx((0.95 * 80e9 - 16.06e9 - 8192 * 3.3e5) / (4096 * 131_072), rel=0.06)
    assert llama.batch(4096, int(10e9)) == 0


def test_chips_of_the_catalogue() -> None:
    fits = {fit.chip: fit for fit in on_catalogue(need("llama-3.1-8b"))}
    assert fits["RTX 4090"].count == 1  # 16 GB of weights in 24 GB
    assert fits["H20"].rooms[1].batch is not None
    assert fits["H20"].rooms[1].batch > 100
    big = (
        {fit.chip: fit.count for fit in on_catalogue(need("deepseek-v3"))}
        if preset_or_none("deepseek-v3")
        else {}
    )

    assert big.get("RTX 4090") is None  # 1.3 TB of bf16 weights
    window = need("llama-2-7b").rooms(int(80e9))
    assert [room.length for room in window if room.batch is None] == [32768]


def test_nothing_asked_is_an_error() -> None:
    with pytest.raises(ConfigError, match="at least one sequence"):
        need("llama-3.1-8b").bytes(0, 10)
