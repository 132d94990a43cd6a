"""Every command that shows a table, in terminals of several widths and in both languages: no figure
and no name is lost, and no line is too long.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from support.runs import ROOT
from support.screens import COMPUTING, WITHOUT_TABLE, command_names, documents, name_of, write_votes
from support.verdicts import answers

from harness.reporting.document import Document, Screen
from harness.reporting.folding import clean
from harness.reporting.rendering import render
from harness.reporting.writers import terminal
from harness.studies.document import text as prose
from harness.studies.overview import hung
from harness.studies.overview import overview as rows_of
from harness.studies.overview import terminal as overview

WIDTHS = [30, 60, 80, 100, 120, 200]
MOST = 60
"""Of longer lists so many rows are looked for."""


def lost(document: Document, text: str) -> Iterator[str]:
    """What of a document a text does not show: figures stand unbroken, names may be folded into the
    lines below one another.
    """
    lines = text.splitlines()
    for table in document.tables:
        for row in table.rows[:: 1 + len(table.rows) // MOST]:
            for column, cell in zip(table.columns, row, strict=True):
                words = clean(cell.text).strip()
                if words not in text and (column.number or not folds(words, lines)):
                    yield words


def folds(text: str, lines: list[str]) -> bool:
    """Whether a text stands in lines directly below one another."""
    return any(_goes_on(text, lines, start) for start in range(len(lines)))


def _goes_on(text: str, lines: list[str], at: int) -> bool:
    if at == len(lines):
        return False
    end = next((end for end in range(len(text), 0, -1) if text[:end].rstrip() in lines[at]), 0)
    rest = text[end:].strip()
    return bool(text[:end].strip()) and (not rest or _goes_on(rest, lines, at + 1))


def test_every_command_is_looked_at() -> None:
    """A new command comes with a document here, or with the reason why it shows no table."""
    shown = {name_of(line.split()) for line in documents() if line.split()[0] not in COMPUTING}
    assert shown | COMPUTING | WITHOUT_TABLE.keys() == command_names()
    assert all(any(line.startswith(name) for line in documents()) for name in COMPUTING)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_figure_and_no_name_is_lost(width: int, language: str) -> None:
    for command, document in documents().items():
        shown = document.in_language(language)
        text = terminal.write(shown, Screen(width))
        assert not list(lost(shown, text)), (command, width)
        assert max(map(cell_len, text.splitlines())) <= width, (command, width)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_prose_of_studies_fits(width: int, language: str) -> None:
    said = list(answers().values())
    texts = [overview(said, language, width), *(hung(prose(one, language), width) for one in said[:3])]
    for text in texts:
        assert max(map(cell_len, text.splitlines())) <= width
    assert "".join(prose(said[0], language).split()) == "".join(texts[1].split())
    squeezed = "".join(texts[0].split())
    phrases = [phrase for row in rows_of(said, language) for phrase in (*row.then, *row.today, *row.basis)]
    lines = texts[0].splitlines()
    assert all("".join(one.split()) in squeezed or folds(one, lines) for one in phrases)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_figures_of_the_json_stand_on_the_screen(width: int) -> None:
    """Rounded as the tables round them."""
    shown = {
        name: documents()[name] for name in ("published list", "arena votes.csv --bootstrap 20", "parity")
    }
    data = {name: json.loads(render(document, "json")) for name, document in shown.items()}
    boards, arena, parity = data.values()
    figures = [
        [f"{entry[name]}" for entry in boards for name in ("first", "last", "snapshots", "models")],
        [f"{row[name]:.1f}" for row in arena["ratings"] for name in ("rating", "low", "high")],
        [f"{cell['logprobs'][name]:.1e}" for cell in parity["cells"] for name in ("max", "p99", "mean")],
    ]
    for document, expected in zip(shown.values(), figures, strict=True):
        text = terminal.write(document, Screen(width))
        assert all(re.search(rf"(?<!\S){re.escape(figure)}(?!\S)", text) for figure in expected)


@pytest.mark.parametrize("width", [60, 80])
def test_rows_of_every_part_can_be_told_apart(width: int) -> None:
    """Twelve snapshots of one board: each part names the board and the days."""
    text = terminal.write(documents()["published list"], Screen(width))
    for part in text.strip().split("\n\n"):
        rows = [line for line in part.splitlines()[2:] if not line.startswith(" ")]
        assert len({line.split("  ")[0] + line[:42] for line in rows}) == len(rows) > 10


def in_terminal(columns: int, *command: str, folder: Path, **more: str) -> str:
    """What a command writes into a pseudo-terminal of so many columns, errors included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    left_out = ("COLUMNS", "LINES", "HARNESS_MIRROR")
    env = {key: value for key, value in os.environ.items() if key not in left_out}
    env |= {"NO_COLOR": "1", "PYTHONPATH": str(ROOT), "TERM": "xterm", "HF_HUB_OFFLINE": "1", **more}
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *command],
        cwd=folder,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)

    written = b""
    while part := _read(ours):
        written += part
    os.close(ours)
    process.wait()
    return written.decode().replace("\r\n", "\n")


def _read(stream: int) -> bytes:
    try:
        return os.read(stream, 65536)
    except OSError:  # how Linux says that nobody holds the other end any more
        return b""


@pytest.mark.parametrize(
    ("columns", "width", "more"),
    [
        (60, 60, {}),
        (0, 80, {}),
        (60, 60, {"COLUMNS": "0"}),
        (60, 40, {"COLUMNS": "40"}),
        (60, 60, {"TERM": "dumb", "NO_COLOR": ""}),
    ],
)
def test_a_real_terminal(columns: int, width: int, more: dict[str, str], tmp_path: Path) -> None:
    """Sizes that are unknown or overruled, and a terminal without colours."""
    text = in_terminal(columns, "models", folder=tmp_path, **more)
    assert text == terminal.write(documents()["models"], Screen(width))


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "nowhere.yaml", "--set", "models.0.dtype=float32"],
        ["models", "--frm"],
        ["--help"],
        ["compare", "-h"],
    ],
    ids=" ".join,
)
def test_errors_and_help_fit_a_terminal(command: list[str], tmp_path: Path) -> None:
    for columns in (40, 60) if command == ["--help"] else (60,):
        text = in_terminal(columns, *command, folder=tmp_path)
        # Examples are to be copied as they stand.
        text = text.partition("Examples:")[0]
        assert text.strip()
        assert max(map(cell_len, text.splitlines())) <= columns
    assert not re.search(r"\w\.\.\.$", text, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_what_a_terminal_shows_is_what_the_writer_wrote(width: int, tmp_path: Path) -> None:
    write_votes(tmp_path / "votes.csv")
    for line in ("published list", "models", "arena votes.csv --bootstrap 20", "adoption report"):
        text = in_terminal(width, *line.split(), folder=tmp_path)
        assert text == terminal.write(documents()[line], Screen(width)), (line, width)


@pytest.mark.parametrize("more", [{}, {"COLUMNS": "0"}, {"COLUMNS": "wide"}, {"COLUMNS": "60"}])
def test_a_pipe_gets_one_line_for_each_row(more: dict[str, str], tmp_path: Path) -> None:
    """Unless a width is asked for."""
    env = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    env |= {"PYTHONPATH": str(ROOT), **more}
    command = [sys.executable, "-m", "harness", "models"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    rows = len(documents()["models"].tables[0].rows)
    assert (len(done.stdout.splitlines()) < rows + 10) == (more != {"COLUMNS": "60"})
