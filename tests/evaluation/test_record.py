"""The record is what was asked: a prompt that changes between a cell's first run and its resumption
is asked again, and said.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.runs import harness, read_samples

TASK = """
task: clocked
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: !function clock.text
doc_to_choice: ["yes", "no"]
doc_to_target: 0
metric_list: [{metric: acc}]
metadata: {version: 1}
"""
CLOCK = """
from pathlib import Path

def text(doc):
    return f"{Path(__file__).with_name('now.txt').read_text()}: {doc['q']}?"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A task whose prompts tell what a file beside it says: a clock that a test can set."""
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"q": f"question {n}"}) + "\n" for n in range(6)))
    (tmp_path / "clocked.yaml").write_text(TASK)
    (tmp_path / "clock.py").write_text(CLOCK)
    (tmp_path / "now.txt").write_text("Monday")
    return tmp_path


def config(folder: Path, limit: int, models: int = 1, **args: object) -> Path:
    listed = [
        {"id": f"mock/{n}", "engine": "mock", "engine_args": {"trace": f"asked-{n}.txt", **args}}
        for n in range(models)
    ]
    data = {
        "name": "run",
        "device": "cpu",
        "limit": limit,
        "models": listed,
        "tasks": [{"task": "./clocked.yaml"}],
    }

    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def asked(folder: Path) -> list[str]:
    path = folder / "asked-0.txt"
    return path.read_text().split() if path.exists() else []


def test_prompts_that_changed_are_asked_again_and_told(folder: Path) -> None:
    assert harness("run", config(folder, 3), "--quiet", cwd=folder).returncode == 0
    assert asked(folder) == ["0", "1", "2"]

    (folder / "now.txt").write_text("Tuesday")
    done = harness("run", config(folder, 6), "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert sorted(asked(folder)) == ["0", "0", "1", "1", "2", "2", "3", "4", "5"]
    (samples,) = read_samples(folder / "results" / "run").values()
    assert {sample["prompt"].split(":")[0] for sample in samples} == {"Tuesday"}

    manifest = json.loads((folder / "results" / "run" / "manifest.json").read_text())
    assert manifest["sanity"]["checks"]["record"]["state"] == "note"
    assert "3 of 6 prompts had changed" in done.stdout.replace("\n", " ")


def test_prompts_that_stay_are_not_asked_again(folder: Path) -> None:
    assert harness("run", config(folder, 3), "--quiet", cwd=folder).returncode == 0
    assert harness("run", config(folder, 6), "--quiet", cwd=folder).returncode == 0
    assert sorted(asked(folder)) == ["0", "1", "2", "3", "4", "5"]
    manifest = json.loads((folder / "results" / "run" / "manifest.json").read_text())
    assert manifest["sanity"]["clean"] is True
    assert manifest["sanity"]["checks"]["record"]["state"] == "ok"


def test_answers_to_other_words_do_not_count_when_asking_again_is_cut_short(folder: Path) -> None:
    assert harness("run", config(folder, 4), "--quiet", cwd=folder).returncode == 0
    (folder / "now.txt").write_text("Tuesday")
    assert harness("run", config(folder, 4, fail_after=2), "--quiet", cwd=folder).returncode == 1
    (samples,) = read_samples(folder / "results" / "run").values()
    assert [sample["doc_id"] for sample in samples] == [0, 1]  # the two that were asked on Tuesday


def test_the_manifest_holds_a_hash_of_what_was_asked(folder: Path) -> None:
    hashes = []
    for day in ("Monday", "Monday", "Tuesday"):
        (folder / "now.txt").write_text(day)
        assert harness("run", config(folder, 4), "--quiet", "--fresh", cwd=folder).returncode == 0
        manifest = json.loads((folder / "results" / "run" / "manifest.json").read_text())
        hashes.append(manifest["asked"]["0"]["clocked"])
    assert hashes[0] == hashes[1] != hashes[2]
    assert manifest["pinned"]["date"] == "2024-07-26"
