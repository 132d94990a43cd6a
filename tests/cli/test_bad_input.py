"""Bad input, each as a person would meet it: one line that says the rule, the value and what to do;
the right exit code; no traceback.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.runs import ROOT, harness, results, write_config, write_task

TINY = ROOT / "harness" / "data" / "models" / "tiny-qwen"
MOCK = "models: [{id: mock/one, engine: mock}]\n"


def refused(tmp_path: Path, text: str, *args: str) -> str:
    """The one line of a config that is refused."""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    done = harness("run", "bad.yaml", *args, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert not (tmp_path / "results").exists()
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            f"name: x\n{MOCK}tasks: [zh_arithmetic]\nlimt: 3\n",
            ["bad.yaml:4:1", "limt", "limit"],
            id="unknown key",
        ),
        pytest.param(
            f"name: x\n{MOCK}tasks: [zh_arithmetic]\nlimit: many\n", ["bad.yaml:4:8", "many"], id="wrong type"
        ),
        pytest.param(
            "name: x\nmodels: [tiny-qwem]\ntasks: [zh_arithmetic]\n",
            ["bad.yaml:2:10", "tiny-qwen"],
            id="unknown model",
        ),
        pytest.param(
            f"name: x\n{MOCK}tasks: [zh_arithmetik]\n", ["zh_arithmetik", "zh_arithmetic"], id="unknown task"
        ),
        pytest.param(f"name: x\n{MOCK}tasks: [{{suite: smok}}]\n", ["smok", "smoke"], id="unknown suite"),
        pytest.param(f"name: x\n{MOCK}tasks:\n\t- zh_arithmetic\n", ["bad.yaml:4:1", "tab"], id="tab"),
        pytest.param(
            f"name: x\nname: y\n{MOCK}tasks: [zh_arithmetic]\n", ["bad.yaml:2:1", "name"], id="duplicate key"
        ),
        pytest.param(
            f"name: x\n{MOCK}tasks: [{{file: none.jsonl}}]\n", ["none.jsonl"], id="missing data file"
        ),
        pytest.param(
            f"name: x\n{MOCK}tasks: [zh_arithmetic]\nmirror: ./absent\n", ["absent"], id="missing mirror"
        ),
    ],
)
def test_a_wrong_config(tmp_path: Path, text: str, said: list[str]) -> None:
    line = refused(tmp_path, text)
    assert all(part in line for part in said), line


def test_a_missing_config_and_a_wrong_override(tmp_path: Path) -> None:
    done = harness("run", "absent.yaml", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
    assert "absent.yaml" in done.stderr
    line = refused(tmp_path, f"name: x\n{MOCK}tasks: [zh_arithmetic]\n", "--set", "limits=3")
    assert "--set limits=3" in line
    assert "limit" in line


def failed(tmp_path: Path, model: dict[str, Any], task: Any = "zh_arithmetic") -> str:
    """The one reason of a model whose cells fail, while another model's do not."""
    config = write_config(tmp_path, [task], [model, {"id": "mock/one", "engine": "mock"}], limit=2)
    done = harness("run", config, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    rows = results(tmp_path / "results" / "test")["rows"]
    assert [row["status"] for row in rows if row["model"] == "one"][:1] == ["ok"]
    (reason,) = {row["reason"] for row in rows if row["model"] != "one"}
    assert "\n" not in reason
    # The line names the model in front: its reason does not say it again.
    name = str(model.get("name") or Path(str(model.get("id", ""))).name)
    assert reason.removeprefix(f"{name}: ")[:60] in " ".join(done.stdout.split())
    return str(reason)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A copy of a tiny model to be damaged."""
    return Path(shutil.copytree(TINY, tmp_path / "broken"))


def test_corrupted_weights(tmp_path: Path, broken: Path) -> None:
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    assert "broken" in failed(tmp_path, {"id": str(broken)})


def test_weights_of_another_shape(tmp_path: Path, broken: Path) -> None:
    config = json.loads((broken / "config.json").read_text())
    config["intermediate_size"] += 32
    (broken / "config.json").write_text(json.dumps(config))
    reason = failed(tmp_path, {"id": str(broken)})
    assert "shape" in reason or "size" in reason


def test_missing_tokenizer(tmp_path: Path, broken: Path) -> None:
    (broken / "tokenizer.json").unlink()
    assert "tokenizer" in failed(tmp_path, {"id": str(broken)})


def test_a_model_that_is_nowhere(tmp_path: Path) -> None:
    reason = failed(tmp_path, {"id": "Qwen/Qwen2.5-7B-Instruct"})
    assert all(way in reason for way in ("mirror", "HF_ENDPOINT", "modelscope"))


def test_a_dataset_without_the_split(tmp_path: Path) -> None:
    folder = tmp_path / "mirror" / "datasets" / "org" / "set"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text('{"q": "1+1", "a": "2"}\n')
    task = tmp_path / "mine.yaml"
    task.write_text(
        "task: mine\ndataset_path: org/set\ntest_split: test\noutput_type: generate_until\ndoc_to_text: "
        "'{{q}}'\ndoc_to_target: '{{a}}'\n"
        "generation_kwargs: {until: ['\\n']}\nmetric_list: [{metric: exact_match, aggregation: mean, "
        "higher_is_better: true}]\n"
    )
    config = write_config(tmp_path, [{"task": str(task)}], mirror=str(tmp_path / "mirror"))
    done = harness("run", config, cwd=tmp_path)
    assert done.returncode == 1
    (row,) = results(tmp_path / "results" / "test")["rows"]
    assert "'test'" in row["reason"]
    assert "train" in row["reason"]


@contextlib.contextmanager
def small_disk(folder: Path, options: str) -> Iterator[None]:
    """A file system of its own, where the machine lets us mount one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("cannot mount a file system here; the journal's and the files' own tests stand in")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_no_permission(tmp_path: Path) -> None:
    """A folder without the right to write; for root, whom nothing stops, a file system that is
    mounted to be read.
    """
    config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "picks", 3))}])
    locked = tmp_path / "locked"
    with contextlib.ExitStack() as stack:
        if os.geteuid() == 0:
            stack.enter_context(small_disk(locked, "size=400k,ro"))
        else:
            locked.mkdir(mode=0o555)
        done = harness("run", config, "--out", locked / "out", cwd=tmp_path)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "no permission to write in" in line
    assert "--out" in line


def test_disk_full(tmp_path: Path) -> None:
    config = write_config(tmp_path, [{"file": str(write_task(tmp_path, "picks", 4000))}])
    with small_disk(tmp_path / "small", "size=400k"):
        done = harness("run", config, "--out", tmp_path / "small" / "run", cwd=tmp_path)
    assert done.returncode == 1
    assert "no space left" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 6, done.stderr
