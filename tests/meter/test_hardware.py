"""The catalogue: every chip that was asked for, every figure with its source, and none without."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
import yaml

from harness.errors import ConfigError
from harness.meter.hardware import CATALOGUE, QUANTITIES, Chip, chips, find_chip, read_catalogue

ASKED = "A100 A800 H100 H800 H20 H200 B200 L20 L40S,RTX 4090,MI300X,Ascend 910B,Ascend 910C"


def asked() -> set[str]:
    first, *rest = ASKED.split(",")
    return {*first.split(), *rest}


@pytest.fixture
def raw() -> Any:
    return yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))


def entry(raw: dict[str, Any], name: str) -> Any:
    """A chip's entry by its name: a new chip may stand anywhere."""
    return next(chip for chip in raw["chips"] if chip["name"] == name)


def read(raw: dict[str, Any], tmp_path: Path) -> dict[str, Chip]:
    path = tmp_path / "hardware.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return read_catalogue(path)


def test_every_chip_is_there_and_every_figure_has_a_source_or_a_reason() -> None:
    assert set(chips()) >= asked()
    for chip in chips().values():
        assert set(chip.figures) | set(chip.absent) == set(QUANTITIES)
        assert not set(chip.figures) & set(chip.absent)
        assert all(len(reason) > 20 for reason in chip.absent.values())
        for figure in chip.figures.values():
            assert urlparse(str(figure.source.url)).scheme == "https"
        # what a roofline and a memory fit cannot do without
        assert {"bf16", "fp16", "memory", "bandwidth"} <= set(chip.figures)


def test_figures_are_dense_and_in_one_order_of_size() -> None:
    for chip in chips().values():
        assert chip.figure("bf16") == chip.figure("fp16")
        for eight_bits in ("fp8", "int8"):
            if eight_bits in chip.figures:  # a sparse figure by mistake would be four times bf16
                factor = 4 if (chip.name, eight_bits) == ("RTX 4090", "int8") else 2
                assert chip.figure(eight_bits) / chip.figure("bf16") == pytest.approx(factor, rel=0.03)
        assert 0.8e12 <= chip.figure("bandwidth") <= 10e12
        assert 20e9 <= chip.figure("memory") <= 200e9


def test_no_source_is_unused(raw: dict[str, Any]) -> None:
    used = {source for chip in raw["chips"] for _, source in chip["figures"].values()}
    assert used == set(raw["sources"])


def test_a_figure_without_a_source_is_refused(raw: dict[str, Any], tmp_path: Path) -> None:
    entry(raw, "A100")["figures"]["bf16"] = 312e12
    with pytest.raises(ConfigError, match=r"A100: bf16: expected \[value, name of a source\]"):
        read(raw, tmp_path)
    entry(raw, "A100")["figures"]["bf16"] = [312e12, "hearsay"]
    with pytest.raises(ConfigError, match="hearsay"):
        read(raw, tmp_path)


def test_a_source_without_an_address_is_refused(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["sources"]["a100"]["url"] = "I remember it"
    with pytest.raises(ConfigError, match="url"):
        read(raw, tmp_path)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_figure_that_is_no_positive_number_is_refused(
    raw: dict[str, Any], tmp_path: Path, value: float
) -> None:
    entry(raw, "A100")["figures"]["bf16"][0] = value
    with pytest.raises(ConfigError, match="value"):
        read(raw, tmp_path)


def test_a_missing_figure_needs_a_reason_and_tells_it(raw: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"A100: no fp8 figure: Ampere's tensor cores have no fp8"):
        find_chip("A100").figure("fp8")
    del entry(raw, "A100")["absent"]["fp8"]
    with pytest.raises(ConfigError, match="fp8: a figure with its source, or the reason"):
        read(raw, tmp_path)


def test_chips_are_found_by_name_and_by_device_name() -> None:
    assert find_chip("h20") is find_chip("NVIDIA H20") is chips()["H20"]
    assert find_chip("NVIDIA H200").figure("memory") == 141e9
    # not the chip with 80 GB
    with pytest.raises(ConfigError, match=r"unknown chip 'NVIDIA A100-SXM4-40GB'"):
        find_chip("NVIDIA A100-SXM4-40GB")


def test_a_chip_twice_is_refused(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["chips"].append(entry(raw, "A100"))
    with pytest.raises(ConfigError, match="a chip is there twice: A100"):
        read(raw, tmp_path)


def test_a_mistake_names_its_chip_or_source(raw: dict[str, Any], tmp_path: Path) -> None:
    del entry(raw, "A800")["figures"]["int8"]
    with pytest.raises(ConfigError, match=r"chip A800: .*int8"):
        read(raw, tmp_path)
    raw["sources"]["a100"]["title"] = "A100"
    with pytest.raises(ConfigError, match="source a100: title"):
        read(raw, tmp_path)
