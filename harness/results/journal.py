"""The journal: every answer, the moment it is given, in SQLite with a write-ahead log.

``kill -9`` loses at most the batch in flight. One file per run (``journal.sqlite``), written by the
workers. Answers are keyed by (cell_id, item key); a cell's id is made of what decides its answers,
so a changed model, prompt or engine finds no old answers, and a raised limit finds all of them.

Ours, and no cache library (diskcache, joblib): those keep values by key, while a resumed run needs
to know which answers are of the same question under the same engine, and which cells are done.
"""

from __future__ import annotations

import contextlib
import errno
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import RunFolderError
from harness.items import Answer, answer_from_dict, answer_to_dict
from harness.results.files import explain
from harness.sanity import Finding

_TABLES = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers(cell_id TEXT, key TEXT, answer TEXT NOT NULL,
  seconds REAL NOT NULL, session TEXT NOT NULL, asked TEXT, PRIMARY KEY(cell_id, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cells(model TEXT, task TEXT, cell_id TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT, identity TEXT NOT NULL, rows TEXT NOT NULL,
  updated REAL NOT NULL, PRIMARY KEY(model, task));
CREATE TABLE IF NOT EXISTS spans(cell_id TEXT, session TEXT, span TEXT NOT NULL,
  PRIMARY KEY(cell_id, session));
CREATE TABLE IF NOT EXISTS tallies(model TEXT, task TEXT, tally TEXT NOT NULL,
  PRIMARY KEY(model, task));
CREATE TABLE IF NOT EXISTS models(model TEXT PRIMARY KEY, row TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS findings(model TEXT, task TEXT, findings TEXT NOT NULL,
  PRIMARY KEY(model, task));
"""


@dataclass(frozen=True)
class CellRecord:
    """A cell as last left.

    ``rows`` are its result rows as plain data, ``identity`` what its three ids were made of.
    """

    model: str
    task: str
    cell_id: str
    status: str
    reason: str | None
    identity: dict[str, Any]
    rows: list[dict[str, Any]]


class Journal:
    """Opens or makes the journal of a run folder.

    Usable from one thread; several processes may write. Raises RunFolderError.
    """

    def __init__(self, path: Path, session: str = "") -> None:
        self.path = path
        self.session = session
        with self._explained():
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
            columns = {row[1] for row in self._db.execute("PRAGMA table_info(answers)")}
            if "asked" not in columns:  # a journal of 0.1, which did not keep what was asked
                self._db.execute("ALTER TABLE answers ADD COLUMN asked TEXT")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        # SQLite has one error for all that the disk may do: only its text tells them apart.
        except sqlite3.OperationalError as error:
            text = str(error)

            if "full" in text or "disk I/O" in text:
                raise explain(OSError(errno.ENOSPC, text), self.path.parent) from error
            if "unable to open" in text or "readonly" in text:
                raise explain(OSError(errno.EACCES, text), self.path.parent) from error
            raise RunFolderError(f"the journal {self.path} cannot be used: {text}") from error
        except sqlite3.DatabaseError as error:
            raise RunFolderError(
                f"{self.path} is not a journal ({error}): move the folder aside with --fresh"
            ) from error

    def add(self, cell_id: str, answer: Answer, seconds: float, asked: str | None = None) -> None:
        """Keeps one answer, at once.

        ``seconds`` is the wall clock that the engine spent since the answer before; ``asked`` the
        digest of its item (`harness.items.asked_digest`).
        """
        text = json.dumps(answer_to_dict(answer), ensure_ascii=True, separators=(",", ":"))
        with self._explained():
            self._db.execute(
                "INSERT OR REPLACE INTO answers(cell_id, key, answer, seconds, session, asked) "
                "VALUES (?,?,?,?,?,?)",
                (cell_id, answer.key, text, seconds, self.session, asked),
            )

    def asked(self, cell_id: str) -> dict[str, str | None]:
        """The digest of each kept answer's item, by key; None where an older version kept none."""
        with self._explained():
            return dict(
                self._db.execute("SELECT key, asked FROM answers WHERE cell_id=?", (cell_id,)).fetchall()
            )

    def answers(self, cell_id: str) -> dict[str, Answer]:
        """All kept answers of a cell by key."""
        with self._explained():
            rows = self._db.execute("SELECT answer FROM answers WHERE cell_id=?", (cell_id,)).fetchall()
        return {answer.key: answer for answer in (answer_from_dict(json.loads(text)) for (text,) in rows)}

    def forget(self, cell_id: str, keys: Iterable[str]) -> None:
        """Drops answers of a cell: those to questions that are no longer asked in these words."""
        with self._explained():
            self._db.executemany(
                "DELETE FROM answers WHERE cell_id=? AND key=?", [(cell_id, key) for key in keys]
            )

    def seconds(self, cell_id: str, keys: set[str] | None = None) -> float:
        """Engine seconds spent on a cell's kept answers (with these keys), over all sessions."""
        with self._explained():
            rows = self._db.execute("SELECT key, seconds FROM answers WHERE cell_id=?", (cell_id,)).fetchall()
        return float(sum(seconds for key, seconds in rows if keys is None or key in keys))

    def work(self, cell_id: str) -> dict[str, tuple[float, str]]:
        """Engine seconds and session of each kept answer by key."""
        with self._explained():
            rows = self._db.execute(
                "SELECT key, seconds, session FROM answers WHERE cell_id=?", (cell_id,)
            ).fetchall()
        return {key: (seconds, session) for key, seconds, session in rows}

    def put_span(self, cell_id: str, span: dict[str, Any]) -> None:
        """Keeps what was metered around this session's answers of a cell."""
        with self._explained():
            self._db.execute(
                "INSERT OR REPLACE INTO spans VALUES (?,?,?)", (cell_id, self.session, _dump(span))
            )

    def spans(self, cell_id: str) -> dict[str, dict[str, Any]]:
        """What was metered around a cell's answers by session; a killed session left nothing."""
        with self._explained():
            rows = self._db.execute("SELECT session, span FROM spans WHERE cell_id=?", (cell_id,)).fetchall()
        return {session: json.loads(span) for session, span in rows}

    def put_tally(self, model: str, task: str, tally: dict[str, Any] | None) -> None:
        """Keeps a cell's sums, of which its natural figures are made; None takes old ones away."""
        with self._explained():
            if tally is None:
                self._db.execute("DELETE FROM tallies WHERE model=? AND task=?", (model, task))
            else:
                self._db.execute("INSERT OR REPLACE INTO tallies VALUES (?,?,?)", (model, task, _dump(tally)))

    def tallies(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every cell's sums by (model, task)."""
        with self._explained():
            rows = self._db.execute("SELECT model, task, tally FROM tallies").fetchall()
        return {(model, task): json.loads(tally) for model, task, tally in rows}

    def put_cell(self, cell: CellRecord) -> None:
        """Says where a cell stands now; replaces what was said before."""
        row = (
            cell.model,
            cell.task,
            cell.cell_id,
            cell.status,
            cell.reason,
            _dump(cell.identity),
            _dump(cell.rows),
            time.time(),
        )

        with self._explained():
            self._db.execute("INSERT OR REPLACE INTO cells VALUES (?,?,?,?,?,?,?,?)", row)

    def cells(self) -> dict[tuple[str, str], CellRecord]:
        """Every cell by (model, task)."""
        with self._explained():
            rows = self._db.execute(
                "SELECT model, task, cell_id, status, reason, identity, rows FROM cells"
            ).fetchall()
        return {(row[0], row[1]): _record(row) for row in rows}

    def put_model(self, model: str, row: dict[str, Any]) -> None:
        """Keeps what a model's worker said of it."""
        with self._explained():
            self._db.execute("INSERT OR REPLACE INTO models VALUES (?,?)", (model, _dump(row)))

    def models(self) -> dict[str, dict[str, Any]]:
        """What the workers said of their models."""
        with self._explained():
            return {
                model: json.loads(row) for model, row in self._db.execute("SELECT model, row FROM models")
            }

    def put_findings(self, model: str, task: str | None, findings: Sequence[Finding]) -> None:
        """Keeps the findings about a cell, or with no task about a model, in place of older ones."""
        row = (model, task or "", _dump([finding.to_dict() for finding in findings]))
        with self._explained():
            self._db.execute("INSERT OR REPLACE INTO findings VALUES (?,?,?)", row)

    def findings(self) -> dict[tuple[str, str | None], list[Finding]]:
        """Findings by (model, task); task None is the model itself."""
        with self._explained():
            rows = self._db.execute("SELECT model, task, findings FROM findings").fetchall()
        return {
            (model, task or None): [Finding.from_dict(data) for data in json.loads(text)]
            for model, task, text in rows
        }

    def put_meta(self, key: str, value: Any) -> None:
        """Keeps a fact of the run as JSON."""
        with self._explained():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, _dump(value)))

    def meta(self, key: str) -> Any:
        """A fact of the run, or None."""
        with self._explained():
            row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def close(self) -> None:
        """Folds the log into the file and closes it."""
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


def _record(row: tuple[str, ...]) -> CellRecord:
    model, task, cell_id, status, reason, identity, rows = row
    return CellRecord(model, task, cell_id, status, reason, json.loads(identity), json.loads(rows))


def _dump(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
