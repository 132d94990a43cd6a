"""Reading runs back: what is told when it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ConfigError, RunFolderError
from harness.reporting.frames import results_frame
from harness.results.query import read_results
from harness.results.schema import Results


def save(folder: Path, data: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "results.json").write_text(
        data if isinstance(data, str) else json.dumps(data), encoding="utf-8"
    )
    return folder


def test_a_run_is_read_by_folder_file_and_name(
    tmp_path: Path, full: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").mkdir()
    folder = save(tmp_path / "results" / "mine", full.model_dump(mode="json"))
    monkeypatch.chdir(tmp_path)
    assert read_results(folder) == read_results(folder / "results.json") == read_results("mine") == full


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, full: Results) -> None:
    good = full.model_dump(mode="json")
    with pytest.raises(ConfigError, match="no such run"):
        read_results(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    cases: list[tuple[Path, str]] = [
        (tmp_path / "empty", "holds no results.json"),
        (
            save(tmp_path / "newer", {**good, "schema_version": 99}),
            "schema_version is 99, this harness reads 1 to 4: a newer harness",
        ),
        (save(tmp_path / "other", {"rows": []}), "schema_version is missing"),
        (save(tmp_path / "text", "{"), "not JSON"),
        (
            save(tmp_path / "short", {**good, "rows": [{"model": 1}]}),
            r"rows\.0\.cell_id: Field required \(and \d+ more\)",
        ),
    ]
    for path, message in cases:
        with pytest.raises(RunFolderError, match=message) as error:
            read_results(path)
        assert "\n" not in str(error.value)


def test_runs_become_a_data_frame(tmp_path: Path, full: Results) -> None:
    folder = save(tmp_path / "run", full.model_dump(mode="json"))
    frame = results_frame([folder, folder])
    assert len(frame) == 2 * len(full.rows)
    assert list(frame["run"].unique()) == ["sample"]
    assert frame.loc[0, "ci95_lo"] == pytest.approx(0.45)
    assert frame.loc[0, "tokens_prompt"] == 900
    assert list(results_frame([]).columns) == list(frame.columns)
