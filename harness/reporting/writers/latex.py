"""LaTeX with booktabs, fitted to the page: one table environment per table, with caption and label,
notes below it. A cell is data, never a command.

A table that is too wide is set smaller, then with wrapped headings and folded texts, then in parts
below each other that all name their rows; one that is too long for a page is a longtable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from harness.reporting.document import Column, Document, Screen, Table
from harness.reporting.tex import breakable, escape, flat, holds_han, prose
from harness.reporting.tex_layout import PaperLayout, PaperPart, layout
from harness.reporting.texts import Phrase, translated

SUFFIXES = (".tex",)
LABEL = 48
"""Characters of a label, which is typed by hand."""


def write(document: Document, screen: Screen) -> str:
    """Every table to be taken into a paper with ``\\input``. What warns of a figure, and which cells
    failed, stands in comments below.
    """
    body: list[str] = []
    labels = _labels(document)
    for number, table in enumerate(document.tables, 1):
        notes = [*table.notes, *_bold_note(table, document.language)]
        # What holds for all tables is read below the last one, as in a paper.
        notes += document.notes if number == len(document.tables) else ()
        title = table.caption or table.title or document.title
        body += [*_table(table, title, next(labels), notes, document.language), ""]

    if not document.tables:
        body += [f"% {flat(note)}" for note in document.notes]
    for points in document.lists:
        body += [f"% {flat(line)}" for line in (points.title, *points.items) if line]
    return "\n".join([*_preamble(document.title, "\n".join(body)), *body]) + "\n"


def _preamble(title: str, body: str) -> Iterator[str]:
    """What the paper must load, and by what it must be set, for these tables."""
    names = ["booktabs", *(["array"] if r"\arraybackslash" in body else [])]
    names += ["longtable"] if r"\begin{longtable}" in body else []
    names += ["rotating"] if r"\begin{sidewaystable}" in body else []
    packages = f"\\usepackage{{{','.join(names)}}}"
    yield f"% {flat(title)}: {packages}" if title else f"% {packages}"
    if holds_han(body):
        yield r"% Chinese text: XeLaTeX or LuaLaTeX with \usepackage{ctex}, or xeCJK and a font of your own."


def _bold_note(table: Table, language: str) -> list[str]:
    best = any(cell.best for row in table.rows for cell in row)
    note = Phrase("Bold: the best score, where its 95 % interval lies apart from all others'.")
    return [translated(note, language)] if best else []


def _table(table: Table, title: str, label: str, notes: Sequence[str], language: str) -> Iterator[str]:
    chosen = layout(table)
    if chosen.long:
        yield from _long(table, chosen, title, label, notes, language)
        return

    name = "sidewaystable" if chosen.sideways else "table"
    yield from (f"\\begin{{{name}}}", "\\centering")
    yield f"\\caption{{{escape(title)}}}"
    yield f"\\label{{{label}}}"
    yield from _type(chosen)
    for number, part in enumerate(chosen.parts):
        if number:
            yield "\\par\\medskip"
        yield f"\\begin{{tabular}}{{{_alignment(table, chosen, part)}}}"
        yield from ("\\toprule", _headings(chosen, part), "\\midrule")
        yield from _rows(table, chosen, part)
        yield from ("\\bottomrule", "\\end{tabular}")

    if notes:
        yield from ("\\par\\smallskip", "\\begin{minipage}{\\linewidth}", "\\footnotesize\\raggedright")
        yield from (f"{prose(note)}\\par" for note in notes)
        yield "\\end{minipage}"
    yield f"\\end{{{name}}}"


def _long(
    table: Table, chosen: PaperLayout, title: str, label: str, notes: Sequence[str], language: str
) -> Iterator[str]:
    """A table over several pages, its headings on each; further parts have captions of their own."""
    yield from ("\\begingroup", *_type(chosen))
    for number, part in enumerate(chosen.parts, 1):
        head = _headings(chosen, part)
        again = Phrase("{caption} ({n} of {of})", caption=title, n=number, of=len(chosen.parts))
        caption = title if len(chosen.parts) == 1 else translated(again, language)
        yield f"\\begin{{longtable}}{{{_alignment(table, chosen, part)}}}"
        yield f"\\caption{{{escape(caption)}}}" + (f"\\label{{{label}}}" if number == 1 else "") + r" \\"

        yield from ("\\toprule", head, "\\midrule", "\\endfirsthead")
        yield from ("\\toprule", head, "\\midrule", "\\endhead", "\\bottomrule", "\\endfoot")
        yield from _rows(table, chosen, part)
        yield "\\end{longtable}"

    yield from ((f"\\noindent\\footnotesize {prose(note)}\\par") for note in notes)
    yield "\\endgroup"


def _type(chosen: PaperLayout) -> list[str]:
    """The size of the type, and less space between columns than at the usual size."""
    size = chosen.size
    return [size.command, f"\\setlength{{\\tabcolsep}}{{{size.gap / 2:g}pt}}"] if size.command else []


def _alignment(table: Table, chosen: PaperLayout, part: PaperPart) -> str:
    """``r`` for figures, ``l`` for texts, a paragraph as wide as its share where texts are folded."""
    letters = []
    for position, width in zip(part.columns, part.widths, strict=True):
        if position in chosen.paragraphs:
            # In points, for engines differ in what an em of the small sizes is.
            room = width * chosen.size.digit
            letters.append(f">{{\\raggedright\\arraybackslash}}p{{{room:.0f}pt}}")
        else:
            letters.append("r" if table.columns[position].number else "l")
    return f"@{{}}{''.join(letters)}@{{}}"


def _headings(chosen: PaperLayout, part: PaperPart) -> str:
    heads = []
    for position in part.columns:
        lines = [_cell(line) for line in chosen.headings[position].split("\n")]
        stack = r"\\".join(lines)
        heads.append(lines[0] if len(lines) == 1 else f"\\shortstack[r]{{{stack}}}")
    return _row(heads)


def _rows(table: Table, chosen: PaperLayout, part: PaperPart) -> Iterator[str]:
    for number, row in enumerate(table.rows):
        # The rule below the headings is there already where the first row begins a section.
        if number and number in table.breaks:
            yield "\\midrule"

        cells = []
        for position in part.columns:
            text = _cell(row[position].text)
            text = breakable(text) if position in chosen.paragraphs else text
            # Of a row that sums up others only the name is bold: its figures would seem the best.
            name = number in table.strong and _is_name(table.columns[position], position)
            cells.append(f"\\textbf{{{text}}}" if text and (name or row[position].best) else text)
        yield _row(cells)


def _is_name(column: Column, position: int) -> bool:
    return position == 0 and not column.number


def _cell(text: str) -> str:
    """An indented name (a subject of a group) keeps its indent; a sign that marks a figure takes no
    room, so that digits stand below digits.

    What begins with a bracket or a star stands in braces: after the end of a row, LaTeX would take
    it for an option of that.
    """
    plain = text.strip()
    marked = f"{{{plain[0]}}}{escape(plain[1:])}" if plain[:1] in ("[", "*") else escape(plain)
    if sign := re.search(r"(?<=\d)[*†‡]+$", plain):
        marked = f"{marked[: -len(sign[0])]}\\rlap{{{sign[0]}}}"
    return ("\\quad " if text.startswith("  ") else "") + marked


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _labels(document: Document) -> Iterator[str]:
    """``tab:`` and the document's and table's English words in ASCII, the same in every language; a
    number where two would be equal.
    """
    used: dict[str, int] = {}
    for table in document.tables:
        title = f"{document.label or document.title} {table.label or table.title}"
        words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:LABEL].strip("-") or "table"
        used[words] = used.get(words, 0) + 1
        yield f"tab:{words}" + (f"-{used[words]}" if used[words] > 1 else "")
