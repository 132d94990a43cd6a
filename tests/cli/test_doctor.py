"""The doctor: levels and advice for what a machine may lack."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

from harness.cli.main import app
from harness.doctor import devices, findings, network, software
from harness.doctor import vllm as doctor_vllm
from harness.doctor.devices import DriverFacts
from harness.engines.vllm import package
from harness.gpus import Gpu
from harness.hub import presence

ROOT = Path(__file__).resolve().parents[2]
TORCH = {
    "version": "2.13.0+cpu",
    "threads": 2,
    "cpu": "AVX2",
    "cpu_bf16": False,
    "built": None,
    "cuda": False,
    "devices": [],
}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, no second process, no settings of this machine."""
    for name in ("HARNESS_MIRROR", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HARNESS_HUB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(presence, "silence_of", lambda url: "no network")
    monkeypatch.setattr(software, "probe_torch", lambda: dict(TORCH))
    monkeypatch.setattr(devices, "probe_driver", lambda: DriverFacts(None))


def test_ranges_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {Requirement(text).name: Requirement(text).specifier for text in project["dependencies"]}
    for name, text in software.RANGES.items():
        assert Requirement(f"{name}{text}").specifier == wanted[name], name
    (vllm,) = project["optional-dependencies"]["vllm"]
    assert Requirement(vllm).specifier == Requirement(f"vllm{doctor_vllm.RANGE}").specifier


@pytest.mark.parametrize(
    ("built_for", "cuda", "broken", "level", "word"),
    [
        ("cuda", True, None, "ok", "0.32.0"),
        ("cuda", False, None, "warn", "no GPU"),
        ("cpu", True, None, "warn", "cannot use this machine's GPU"),
        ("cpu", False, None, "ok", "built for cpu"),
        ("cpu", False, "ImportError: libtorch.so", "warn", "libtorch.so"),
    ],
)
def test_vllm_and_its_device(
    built_for: Any,
    cuda: bool,
    broken: str | None,
    level: str,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(
        package, "find_package", lambda: package.Package("vllm", "0.32.0", built_for, tmp_path)
    )
    check = doctor_vllm.check_vllm({"cuda": cuda}, lambda: broken)
    assert check.level == level
    assert word in check.found
    assert level == "ok" or check.advice


def test_no_vllm_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "find_package", lambda: None)
    assert doctor_vllm.check_vllm({"cuda": True}).level == "ok"


def test_a_vllm_that_lacks_what_the_engine_needs_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "vllm.py").write_text(
        "__version__ = '0.1'\nclass SamplingParams:\n  pass\nclass RequestOutput:\n  pass\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    reason = doctor_vllm.probe_vllm()
    assert reason is not None
    assert "0.26 or newer" in reason


def test_a_machine_without_gpu_and_hub_can_still_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--out", str(tmp_path / "results")])
    assert done.exit_code == 0, done.output
    assert "warn   hub" in done.stdout
    assert "HF_ENDPOINT=https://hf-mirror.com" in done.stdout
    assert "ok     CUDA                no NVIDIA GPU found" in done.stdout


def test_what_cannot_work_ends_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "probe_torch", lambda: {"error": "libcudart.so.13: cannot open"})
    done = CliRunner().invoke(
        app, ["doctor", "--json", "--mirror", str(tmp_path / "nowhere"), "--out", str(tmp_path)]
    )
    assert done.exit_code == 1
    bad = {check["name"]: check for check in json.loads(done.stdout) if check["level"] == "bad"}
    assert set(bad) == {"torch", "mirror"}
    assert "libcudart" in bad["torch"]["found"]
    assert all(check["advice"] for check in bad.values())


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    done = CliRunner().invoke(app, ["doctor"])
    assert "in HF_TOKEN" in done.stdout
    assert "secret" not in done.output


def test_cuda_and_its_troubles() -> None:
    good: dict[str, Any] = TORCH | {
        "cuda": True,
        "built": "13.0",
        "devices": [["H200", 140 << 30]],
        "cuda_bf16": True,
    }
    driver = DriverFacts("580.1", (Gpu("0", "H200", 140 << 30),))
    assert devices.check_cuda(good, driver).found == "H200 (140 GiB); driver 580.1, CUDA 13.0, bf16"
    assert "CUDA build of torch" in devices.check_cuda(TORCH, driver).advice
    assert "update the driver" in devices.check_cuda(TORCH | {"built": "13.0"}, driver).advice


def test_a_gpu_that_only_torch_sees_is_one_line() -> None:
    facts: dict[str, Any] = TORCH | {"cuda": True, "built": "13.0", "devices": [["MI300X", 192 << 30]]}
    check = devices.check_cuda(facts, DriverFacts(None, failure="NVML cannot be used: not found"))
    assert check.level == "warn"
    assert check.found == (
        "torch sees MI300X (192 GiB), but NVML shows no GPU (NVML cannot be used: not found)"
    )
    assert "count no GPU" in check.advice


def test_versions_and_ranges() -> None:
    assert findings.in_range("2.13.0+cpu", "==2.13.0")
    assert not findings.in_range("2.14.0", ">=2.11,<2.14")
    assert not findings.in_range("strange", ">=1")
    assert software.check_package("no-such-distribution", ">=1").level == "bad"


def test_a_mirror_is_counted(tmp_path: Path) -> None:
    for part in ("models/Qwen/a", "models/Qwen/b", "datasets/ceval/c"):
        (tmp_path / part).mkdir(parents=True)
    assert network.check_mirror(tmp_path).found.endswith("2 models, 1 datasets")
    (tmp_path / "empty").mkdir()
    assert network.check_mirror(tmp_path / "empty").level == "warn"


def test_what_packages_add_is_listed_and_what_is_broken_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.doctor import plugins
    from harness.engines import registry
    from harness.errors import ConfigError
    from harness.reporting import writers

    assert plugins.check_engines().level == "ok"
    assert "transformers" in plugins.check_engines().found
    assert "markdown" in plugins.check_formats().found
    find = writers.find_writer

    def breaks(name: str) -> Any:
        if name == "odd":
            raise ConfigError("--format odd: odd_writer cannot be loaded: no module")
        return find(name)

    monkeypatch.setattr(registry, "broken", lambda: ["engine 'odd' of odd-package cannot be used: no module"])
    monkeypatch.setattr(writers, "names", lambda: [*writers.built_in(), "odd"])
    monkeypatch.setattr(writers, "find_writer", breaks)
    for check in (plugins.check_engines(), plugins.check_formats()):
        assert check.level == "warn"
        assert "odd" in check.advice
        assert "uninstall" in check.advice
