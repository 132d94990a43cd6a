"""``harness cache``: what lies where, and deleting only what is ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harness.cli.main import app


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    (folder / "hashes").mkdir(parents=True)
    (folder / "task-names.json").write_bytes(b"x" * 2048)
    for number in range(3):
        (folder / "hashes" / f"{number}.json").write_bytes(b"y" * 100)
    (folder / "old.bin").write_bytes(b"z")

    hub = tmp_path / "hub"
    blob = hub / "models--org--x" / "blobs" / "1"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"w" * 5000)
    snapshot = hub / "models--org--x" / "snapshots" / "a"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to(blob)
    monkeypatch.setenv("HARNESS_CACHE", str(folder))
    monkeypatch.setattr("harness.hub.storage.hub_cache", lambda: hub)
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


def run(*arguments: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(app, ["cache", *arguments], input=answers)


def test_kinds_sizes_and_places(cache: Path) -> None:
    rows = {row["kind"]: row for row in json.loads(run("show", "-f", "json").stdout)["tables"][0]["rows"]}
    assert {kind: (row["size"], row["files"]) for kind, row in rows.items()} == {
        "names": (2048, 1),
        "hashes": (300, 3),
        "rest": (1, 1),
        "hub models": (5000, 1),  # a link to the bytes counts nothing
    }
    assert rows["names"]["where"] == str(cache)


def test_both_languages(cache: Path) -> None:
    assert "harness cache clean KIND deletes: names, hashes, rest." in run("show").stdout
    text = run("show", "--language", "zh").stdout
    assert all(word in text for word in ("类型", "大小", "最近写入", "位置"))


def test_cleaning_asks_and_takes_no_for_an_answer(cache: Path) -> None:
    done = run("clean", "hashes", answers="n\n")
    assert "delete hashes (3 files, 300 B)" in done.stderr
    assert len(list((cache / "hashes").iterdir())) == 3


def test_one_kind_or_all_of_ours(cache: Path, tmp_path: Path) -> None:
    assert run("clean", "hashes", "--yes").stdout == "hashes: 300 B deleted\n"
    assert (cache / "task-names.json").exists()
    assert run("clean", "-y").exit_code == 0
    assert list(cache.iterdir()) == []
    assert (tmp_path / "hub" / "models--org--x" / "blobs" / "1").exists()
    assert run("clean", "-y").stderr == "nothing to delete\n"


def test_nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "none"))
    assert run("show").exit_code == 0
    assert run("clean", "names", "--yes").exit_code == 0
