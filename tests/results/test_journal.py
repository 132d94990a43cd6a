"""The journal keeps what it was given: also after ``kill -9``, from several processes, and on a
full disk.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import RunFolderError
from harness.items import Answer, Generation, Likelihood, Score, Tokens, answer_from_dict, answer_to_dict
from harness.results.journal import CellRecord, Journal

ANSWERS: list[Answer] = [
    Score("0", (-1.25, -2.5), (True, False), (1, 3), Tokens(10, 8, 2, 0), truncated=2, seconds=0.5),
    Generation(
        "1:0",
        "四十二 \ud83d <script>\u2028",
        "stop",
        Tokens(5, 5, 0, 7),
        first_token=0.1,
        last_token=0.2,
        output_ids=(3, 4),
    ),
    Likelihood("2", -123.456789012345, Tokens(9, 9), predicted=9),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=["score", "generation", "likelihood"])
def test_answers_come_back_equal(tmp_path: Path, answer: Answer) -> None:
    assert answer_from_dict(answer_to_dict(answer)) == answer
    journal = Journal(tmp_path / "journal.sqlite", "s1")
    journal.add("cell", answer, 0.25)
    journal.close()
    again = Journal(tmp_path / "journal.sqlite")
    assert again.answers("cell") == {answer.key: answer}
    assert again.asked("cell").keys() == {answer.key}
    assert set(again.asked("another")) == set()
    assert again.seconds("cell") == 0.25


def test_cells_models_and_facts_replace_older_ones(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    for status in ("failed", "ok"):
        journal.put_cell(CellRecord("m", "t", "c", status, None, {"prompt_id": "p"}, [{"metric": "acc"}]))
        journal.put_model("m", {"status": status})
        journal.put_meta("fact", [status])

    assert journal.cells()[("m", "t")] == CellRecord(
        "m", "t", "c", "ok", None, {"prompt_id": "p"}, [{"metric": "acc"}]
    )
    assert journal.models() == {"m": {"status": "ok"}}
    assert journal.meta("fact") == ["ok"]
    assert journal.meta("none") is None


WRITER = """
import sys
from pathlib import Path
from harness.items import Likelihood
from harness.results.journal import Journal
journal = Journal(Path(sys.argv[1]), "s")
for number in range(10**9):
    journal.add("cell", Likelihood(str(number), -float(number)), 0.0)
    print(number, flush=True)
"""


def test_kill_9_loses_no_answer_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    last = 0
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        last = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    rest = [int(line) for line in writer.stdout if line.strip().isdigit()]
    writer.wait()
    last = max([last, *rest])

    # What the writer had printed was in the journal before; one more may be, not yet printed.
    answers = Journal(path).answers("cell")
    assert last > 10
    assert {str(number) for number in range(last + 1)} <= set(answers)
    assert len(answers) <= last + 2
    assert answers["7"] == Likelihood("7", -7.0)


def fill(journal: Journal) -> None:
    for number in range(1000):
        journal.add("cell", Likelihood(str(number), -1.0), 0.1)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.add("cell", ANSWERS[0], 0.1)
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    # SQLite then says what it says on a full disk
    journal._db.execute(f"PRAGMA max_page_count={pages + 2}")

    with pytest.raises(
        RunFolderError, match=r"no space left on the disk of .*: free some and run the same command again"
    ):
        fill(journal)
    assert journal.answers("cell")["0"] in (ANSWERS[0], Likelihood("0", -1.0))
    journal.close()


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at by SQLite" * 30)
    with pytest.raises(RunFolderError, match=r"is not a journal .*--fresh"):
        Journal(path)


def test_no_permission(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no permission to write in"):
        Journal(tmp_path / "absent" / "journal.sqlite")


def test_two_processes_may_write(tmp_path: Path) -> None:
    one, two = Journal(tmp_path / "j.sqlite", "a"), Journal(tmp_path / "j.sqlite", "b")
    for number in range(50):
        (one if number % 2 else two).add("cell", Likelihood(str(number), 0.0), 0.0)
    assert len(one.asked("cell").keys()) == 50
    assert sqlite3.connect(tmp_path / "j.sqlite").execute(
        "SELECT count(DISTINCT session) FROM answers"
    ).fetchone() == (2,)
