"""Samples: what is written is read back, from files of older versions, too."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import RunFolderError
from harness.results.samples import COLUMNS, SampleRow, read_items, read_rows, read_texts, write_rows
from harness.results.samples.columns import arrow_schema

ROWS = [
    SampleRow(
        0,
        "none",
        prompt="一加一?",
        answer="二",
        target="二",
        score=1.0,
        metrics='{"acc": 1.0}',
        logprobs=(-1.0, -2.5),
        greedy=(True, False),
        rules=("", "moved"),
        tokens_prompt=7,
        seconds=0.5,
        item="a1",
        cluster="passage 1",
    ),
    SampleRow(1, "none", responses=("一", ""), finish=("eos", "length"), truncated=True, reading="一"),
]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_rows(path, ROWS)
    assert read_rows(path) == ROWS
    assert pq.read_schema(path).equals(arrow_schema())


def test_the_columns_of_a_kept_run_are_the_present_ones() -> None:
    """A recorded run, so that a renamed or moved column shows: readers outside rely on them."""
    folder = Path(__file__).resolve().parents[2] / "results/recorded/smoke/samples"
    path = next(folder.rglob("*.parquet"), None)
    if path is None:
        pytest.skip("the recorded run is kept without samples")
    assert tuple(pq.read_schema(path).names) == COLUMNS
    assert read_rows(path)


def test_an_older_file_reads_as_if_it_held_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    pq.write_table(pa.table({"doc_id": [3], "filter": ["none"], "answer": ["B"]}), path)
    assert read_rows(path) == [SampleRow(3, "none", answer="B")]
    assert read_texts(path, "item", "none") == {3: "3"}


def test_half_a_character_does_not_spoil_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_rows(path, [SampleRow(0, "none", answer="half \ud83d", responses=("\ud83d",))])
    (row,) = read_rows(path)
    assert (row.answer, row.responses) == ("half ?", ("?",))


def test_a_misspelt_column_is_an_error_and_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_rows(path, ROWS)
    with pytest.raises(ValueError, match="no column of samples: respones"):
        read_items(path, "none", {0}, ("respones",))


def test_other_files_are_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with pytest.raises(RunFolderError, match="no samples"):
        read_rows(path)
    path.write_text("not Parquet")
    with pytest.raises(RunFolderError, match="cannot be read as samples"):
        read_rows(path)
    pq.write_table(pa.table({"doc_id": [3]}), path)
    with pytest.raises(RunFolderError, match="column filter is missing"):
        read_rows(path)
