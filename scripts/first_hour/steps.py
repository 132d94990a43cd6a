"""Steps of a journey: a command in a terminal of 80 columns, and what must be seen after it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

COLUMNS, ROWS = 80, 50
CONTROL = re.compile(r"(\r\n|\r|\n|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07)")
UP = re.compile(r"\x1b\[(\d*)A")

Look = Callable[[str, Path], str | None]
"""Looks at what was printed and at the folder; returns what is wrong, or None."""


@dataclass(frozen=True)
class Step:
    """One thing a user types.

    ``command`` is what follows `harness`; ``sees`` are regular expressions that the screen must
    hold, ``looks`` are checks of files left behind; ``exit`` is the exit code it must have.
    ``before`` is what the user does by hand first.
    """

    name: str
    command: Sequence[str]
    sees: Sequence[str] = ()
    looks: Sequence[Look] = ()
    exit: int = 0
    before: Callable[[], object] | None = None


@dataclass
class Outcome:
    """What became of a step. ``missing`` says what was not seen; ``screen`` is what was printed."""

    name: str
    command: str
    seconds: float
    exit: int
    lines: int
    missing: list[str] = field(default_factory=list)
    screen: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON, with the first and last lines of the screen."""
        kept = asdict(self)
        lines = self.screen.splitlines()
        kept["screen"] = lines if len(lines) <= 24 else [*lines[:8], "…", *lines[-15:]]
        kept["seconds"] = round(self.seconds, 1)
        return kept


def width(line: str) -> int:
    """Columns a line takes in a terminal."""
    wide = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)
    return wide - sum(1 for sign in line if unicodedata.combining(sign))


def in_terminal(command: Sequence[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Runs a command in a pseudo-terminal of 80 columns; returns its exit code and its screen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    settings = {name: text for name, text in environment.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        list(command), cwd=folder, env={**settings, "TERM": "xterm"}, stdin=subprocess.DEVNULL,
        stdout=theirs, stderr=theirs, close_fds=True,
    )  # fmt: skip
    os.close(theirs)

    parts = []
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    return process.wait(), plain(b"".join(parts).decode(errors="replace"))


def plain(text: str) -> str:
    """What stays on the screen: without colours, progress as it last stood.

    Of a terminal's controls those that progress bars use: back to the line's start, up, clear.
    """
    lines, row, overwrite = [""], 0, False
    for part in CONTROL.split(text):
        if part in ("\n", "\r\n", "\r"):
            row += part != "\r"
            overwrite = True
            lines += [""] * (row + 1 - len(lines))
        elif up := UP.fullmatch(part):
            row = max(0, row - int(up[1] or 1))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part and not part.startswith("\x1b"):
            lines[row] = part if overwrite else lines[row] + part
            overwrite = False
    return "\n".join(line.rstrip() for line in lines)


def walk(
    steps: Sequence[Step], harness: Sequence[str], folder: Path, environment: dict[str, str]
) -> list[Outcome]:
    """Walks the steps in order; one that fails does not stop the others."""
    outcomes = []
    for step in steps:
        if step.before is not None:
            with contextlib.suppress(OSError):  # of a step before that left nothing
                step.before()
        begin = time.perf_counter()
        code, screen = in_terminal([*harness, *step.command], folder, environment)
        outcome = Outcome(
            name=step.name,
            command=" ".join(["harness", *step.command]),
            seconds=time.perf_counter() - begin,
            exit=code,
            lines=len(screen.strip().splitlines()),
            screen=screen.strip("\n"),
        )
        outcome.missing = missing(step, outcome, folder)
        outcomes.append(outcome)
    return outcomes


def missing(step: Step, outcome: Outcome, folder: Path) -> list[str]:
    """What a step should have shown and did not."""
    faults = []
    if outcome.exit != step.exit:
        faults.append(f"exit code {outcome.exit} in place of {step.exit}")
    if "Traceback (most recent call last)" in outcome.screen:
        faults.append("a traceback")

    # A table folds long lines, so a pattern may be broken by spaces.
    joined = " ".join(outcome.screen.split())
    faults += [f"not seen: {pattern}" for pattern in step.sees if not re.search(pattern, joined)]
    faults += [complaint for look in step.looks if (complaint := look(outcome.screen, folder))]

    wide = [line for line in outcome.screen.splitlines() if width(line) > COLUMNS]
    if wide:
        faults.append(f"{len(wide)} lines wider than {COLUMNS} columns: {wide[0]!r}")
    return faults


def holds(name: str, *patterns: str) -> Look:
    """A check that a file is there and holds what the patterns say."""

    def look(_screen: str, folder: Path) -> str | None:
        path = folder / name
        if not path.is_file():
            return f"no file {name}"
        text = path.read_text(encoding="utf-8")
        lost = [pattern for pattern in patterns if not re.search(pattern, text)]
        return f"{name} lacks {lost[0]}" if lost else None

    return look
