"""The run folder: whose it is, who may write, and that files are written whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from harness.errors import RunFolderError
from harness.names import file_name
from harness.results.files import disk_errors, write_json, write_text, write_whole
from harness.results.folder import FolderLock, RunFolder

CONFIG = "name: one\nmodels:\n- id: org/model-a\n- id: org/model-b\n  name: bee\n"


def test_a_new_folder_and_the_same_run_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "deep" / "run")
    folder.prepare("one", {"model-a", "bee"}, CONFIG)
    assert folder.config.read_text() == CONFIG
    folder.prepare("one", {"bee", "new"}, CONFIG + "limit: 3\n")
    assert "limit: 3" in folder.config.read_text()


@pytest.mark.parametrize(
    ("name", "models"), [("two", {"bee"}), ("one", {"other"})], ids=["another name", "no model in common"]
)
def test_another_configs_run_is_refused_and_fresh_moves_it_aside(
    tmp_path: Path, name: str, models: set[str]
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.prepare("one", {"model-a", "bee"}, CONFIG)
    with pytest.raises(
        RunFolderError, match=r"holds the run 'one' of bee, model-a, not this config's: .*--out.*--fresh"
    ):
        folder.prepare(name, models, "name: other\n")
    assert folder.config.read_text() == CONFIG
    folder.prepare(name, models, "name: other\n", fresh=True)
    (aside,) = tmp_path.glob("run.old-*")
    assert (aside / "config.yaml").read_text() == CONFIG


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="holds files that are no run"):
        RunFolder(tmp_path).prepare("one", {"a"}, CONFIG)
    with pytest.raises(RunFolderError, match="is a file, not a folder"):
        RunFolder(tmp_path / "notes.txt").prepare("one", {"a"}, CONFIG)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        FolderLock(tmp_path),
        pytest.raises(RunFolderError, match="another run is writing in"),
        FolderLock(tmp_path),
    ):
        pass
    with FolderLock(tmp_path):
        pass


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_json(path, {"中文": 1})
    assert "中文" in path.read_text(encoding="utf-8")

    def half(part: Path) -> None:
        part.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(RunFolderError, match="no space left"):
        write_whole(path, half)
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"value": float("nan")})
    assert "中文" in path.read_text(encoding="utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EACCES, "no permission to write"),
        (errno.EROFS, "no permission"),
        (errno.EIO, "cannot write"),
    ],
)
def test_the_systems_refusals_are_one_line(tmp_path: Path, number: int, said: str) -> None:
    with pytest.raises(RunFolderError, match=said) as caught, disk_errors(tmp_path):
        raise OSError(number, "whatever")
    assert "\n" not in str(caught.value)


def test_writing_below_a_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "text")
    with pytest.raises(RunFolderError, match="cannot write in"):
        write_text(tmp_path / "file" / "below.txt", "text")


def test_file_names_from_model_names() -> None:
    assert file_name("Qwen/Qwen2.5-7B") == "Qwen_Qwen2.5-7B"
    assert file_name("../../etc") == "_.._etc"
    assert file_name("..") == "_"
    assert file_name("中文 模型") == "中文_模型"
