"""Every repeat, the moment it is made: ``speed-samples.jsonl``, so that a killed bench can resume.

One JSON line each.

Lines of kind "repeat" are raw samples (rejected ones too); "load" says what a worker said of itself
when it loaded, "energy" what a cell's energy window gave, "refused" why a cell gave no figure. The
last one counts, but for repeats, which all count.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from harness.results.files import disk_errors

Line = dict[str, Any]


class SampleFile:
    """Appends lines and reads them back. Raises RunFolderError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = _read(path)

    def add(self, kind: str, cell: str, **fields: Any) -> Line:
        """Keeps a line: it is on the disk when this returns."""
        line = {"kind": kind, "cell": cell, **fields}
        text = json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"

        with disk_errors(self.path.parent), self.path.open("a+b") as file:
            if file.tell() and not _ends_line(file):
                text = "\n" + text  # a line that a kill cut short stays alone
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        self._lines.append(line)
        return line

    def repeats(self, cell: str) -> list[Line]:
        """The raw samples of a cell, in order."""
        return [line for line in self._lines if line["kind"] == "repeat" and line["cell"] == cell]

    def last(self, kind: str, cell: str) -> Line | None:
        """The latest line of a kind for a cell."""
        return next(
            (line for line in reversed(self._lines) if line["kind"] == kind and line["cell"] == cell), None
        )


def _ends_line(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    ended = file.read(1) == b"\n"
    file.seek(0, os.SEEK_END)
    return bool(ended)


def _read(path: Path) -> list[Line]:
    if not path.exists():
        return []

    lines = []
    with disk_errors(path.parent):
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # cut short by a kill
            if isinstance(line, dict) and "kind" in line and "cell" in line:
                lines.append(line)
    return lines
