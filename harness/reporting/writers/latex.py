"""LaTeX with booktabs: one table environment per table, with caption and label. A cell is data,
never a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from harness.reporting.document import Document, Screen, Table

SUFFIXES = (".tex",)
_SPECIAL = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "↓": r"$\downarrow$",
    "≠": r"$\neq$",
    "≤": r"$\leq$",
    "Δ": r"$\Delta$",
    "×": r"$\times$",
    "–": "--",
    "…": r"\dots{}",
}
_DASH = "-(?=-)"
"""Two hyphens of a name (models--org--name) are no dash."""
_MARKS = re.compile("|".join([_DASH, *(re.escape(mark) for mark in _SPECIAL)]))


def write(document: Document, screen: Screen) -> str:
    """Every table to be taken into a paper with ``\\input``; notes that hold for all as comments."""
    lines = [f"% {flat(document.title)}: \\usepackage{{booktabs}}; XeLaTeX or LuaLaTeX for Chinese names"]
    labels = _labels(document)
    for table in document.tables:
        lines += [*_table(table, document.title, next(labels)), ""]
    lines += [f"% {flat(note)}" for note in document.notes]
    for points in document.lists:
        lines += [f"% {flat(line)}" for line in (points.title, *points.items) if line]
    return "\n".join(lines) + "\n"


def _table(table: Table, title: str, label: str) -> Iterator[str]:
    alignment = "".join("r" if column.number else "l" for column in table.columns)
    yield from ("\\begin{table}", "\\centering")
    yield f"\\caption{{{escape(table.caption or table.title or title)}}}"
    yield f"\\label{{{label}}}"
    yield from (f"\\begin{{tabular}}{{{alignment}}}", "\\toprule")
    yield _row(map(_cell, table.headings))
    yield "\\midrule"

    for number, row in enumerate(table.texts):
        # The rule below the headings is there already where the first row begins a section.
        if number and number in table.breaks:
            yield "\\midrule"
        cells = [_cell(text) for text in row]
        yield _row(f"\\textbf{{{cell}}}" if number in table.strong and cell else cell for cell in cells)
    yield from ("\\bottomrule", "\\end{tabular}")
    yield from (f"\\par\\small {escape(note)}" for note in table.notes)
    yield "\\end{table}"


def _cell(text: str) -> str:
    """An indented name (a subject of a group) keeps its indent.

    What begins with a bracket or a star stands in braces: after the end of a row, LaTeX would take
    it for an option of that.
    """
    plain = text.strip()
    marked = f"{{{plain[0]}}}{escape(plain[1:])}" if plain[:1] in ("[", "*") else escape(plain)
    return ("\\quad " if text.startswith("  ") else "") + marked


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _labels(document: Document) -> Iterator[str]:
    """``tab:`` and the document's and table's words in ASCII; a number where two would be equal."""
    used: dict[str, int] = {}
    for table in document.tables:
        words = re.sub(r"[^a-z0-9]+", "-", f"{document.title} {table.title}".lower()).strip("-") or "table"
        used[words] = used.get(words, 0) + 1
        yield f"tab:{words}" + (f"-{used[words]}" if used[words] > 1 else "")


def escape(text: str) -> str:
    """Text that LaTeX sets as it is: one line, no command, no special character."""
    return _MARKS.sub(lambda mark: _SPECIAL.get(mark[0], "-{}"), flat(text))


def flat(text: str) -> str:
    """Text on one line, for a comment."""
    return "".join(char if char.isprintable() else " " for char in text)
