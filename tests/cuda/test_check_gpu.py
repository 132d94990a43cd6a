"""``scripts/check_gpu.py`` on the pretended device: every stage to its end, each on its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import runs

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_gpu.py"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_stage_comes_to_its_end(tmp_path: Path) -> None:
    """The caps are for a GPU; a crowded machine without one may need longer, so only bounds are held."""
    command = [sys.executable, str(SCRIPT), "--device", "pretend", "--out", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=runs.test_env(), timeout=590
    )
    stages = json.loads((tmp_path / "check-gpu.json").read_text(encoding="utf-8"))["stages"]
    names = ["machine", "kernel", "agreement", "shapes", "writing", "pressure", "product", "energy"]
    assert [stage["stage"] for stage in stages] == names
    errors = [stage["error"] for stage in stages if stage["error"] and "OutOfTime" not in stage["error"]]
    assert errors == []
    broken = [check for stage in stages for check in stage["checks"] if check["passed"] is False]
    assert broken == []
    assert "stage      passed" in done.stdout


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_gpu", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    monkeypatch.setattr(sys, "path", list(sys.path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_stage_that_breaks_stops_no_other(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(setting: Any, record: Any) -> None:
        record.note("before", 1)
        raise RuntimeError("CUDA error: an illegal memory access\nmore lines")

    def too_long(setting: Any, record: Any) -> None:
        record.hold("first", 2, "≥ 1", True)
        time.sleep(30)

    def bound(setting: Any, record: Any) -> None:
        record.hold("share", 0.4, "≥ 60%", False)

    monkeypatch.setattr(script, "STAGES", {"one": (breaks, 5), "two": (too_long, 1), "three": (bound, 5)})
    setting = script.Setting(tmp_path, None, object())
    records = script.run_all(["one", "two", "three"], setting, 1.0, tmp_path)
    script.show(records)
    one, two, three = json.loads((tmp_path / "check-gpu.json").read_text(encoding="utf-8"))["stages"]
    assert one["error"] == "RuntimeError: CUDA error: an illegal memory access"
    assert one["checks"][0]["figure"] == 1
    assert two["error"] == "OutOfTime: stopped after 1 s"
    assert two["checks"][0]["passed"] is True
    assert (three["passed"], three["error"]) == (False, None)
    assert "share: 0.4 (bound: ≥ 60%)" in capsys.readouterr().out


def test_an_unknown_stage_is_refused(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        script.main(["--only", "kernels"])
    assert "there are machine, kernel" in capsys.readouterr().err
