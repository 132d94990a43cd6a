"""Plain tables with a heading and notes, written for a terminal, as Markdown or as LaTeX
(booktabs).

Cells are data, never markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.reporting.render import escape

Form = Literal["rich", "markdown", "latex"]


@dataclass(frozen=True)
class Sheet:
    """A table: ``rows`` of cells as text under ``headers``; columns numbered in ``left`` are texts,
    the others figures.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: frozenset[int] = frozenset({0})
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Raises ValueError for a row that is not as long as the headings: its figures would stand
        under other ones.
        """
        for row in self.rows:
            if len(row) != len(self.headers):
                raise ValueError(
                    f"{self.title}: a row of {len(row)} cells under {len(self.headers)} headings: {row}"
                )


def write(
    title: str,
    sheets: Sequence[Sheet],
    notes: Sequence[str],
    form: Form | str,
    *,
    width: int = 100,
    colour: bool = False,
) -> str:
    """All sheets one below the other, then the notes that hold for all."""
    if form == "markdown":
        return _markdown(title, sheets, notes)
    if form == "latex":
        return _latex(title, sheets, notes)
    from harness.reporting.terminal import print_sheets

    return print_sheets(title, sheets, notes, width=width, colour=colour)


def _markdown(title: str, sheets: Sequence[Sheet], notes: Sequence[str]) -> str:
    lines = [f"### {escape(title)}", ""]
    for sheet in sheets:
        lines += [f"**{escape(sheet.title)}**", ""]
        lines.append(_bars(sheet.headers))
        lines.append(
            "|"
            + "|".join(":---" if place in sheet.left else "---:" for place in range(len(sheet.headers)))
            + "|"
        )
        lines += [_bars(row) for row in sheet.rows]
        lines.append("")
        lines += [f"{escape(note)}\n" for note in sheet.notes]
    lines += [f"{escape(note)}\n" for note in notes]
    return "\n".join(lines)


def _bars(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def _latex(title: str, sheets: Sequence[Sheet], notes: Sequence[str]) -> str:
    lines = [f"% {_flat(title)}: \\usepackage{{booktabs}}; XeLaTeX or LuaLaTeX for Chinese names"]
    for sheet in sheets:
        columns = "".join("l" if place in sheet.left else "r" for place in range(len(sheet.headers)))
        lines += [
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{latex(sheet.title)}}}",
            f"\\begin{{tabular}}{{{columns}}}",
            "\\toprule",
        ]
        lines += [
            _ampersands(sheet.headers),
            "\\midrule",
            *(_ampersands(row) for row in sheet.rows),
            "\\bottomrule",
            "\\end{tabular}",
        ]
        lines += [f"\\par\\small {latex(note)}" for note in sheet.notes]
        lines += ["\\end{table}", ""]
    lines += [f"% {_flat(note)}" for note in notes]
    return "\n".join(lines) + "\n"


def _ampersands(cells: Sequence[str]) -> str:
    return " & ".join(latex(cell) for cell in cells) + r" \\"


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
    "–": "--",
    "…": r"\dots{}",
}
_MARKS = re.compile("|".join(re.escape(mark) for mark in _SPECIAL))


def latex(text: str) -> str:
    """Text that LaTeX sets as it is: one line, no command, no special character."""
    return _MARKS.sub(lambda found: _SPECIAL[found[0]], _flat(text))


def _flat(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
