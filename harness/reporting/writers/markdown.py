"""Markdown as GitHub shows it. A cell is data, never markup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.reporting.document import Document, Points, Screen, Table

SUFFIXES = (".md", ".markdown")
_EDGE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""Underscores that may begin or end emphasis."""


def write(document: Document, screen: Screen) -> str:
    """A heading, tables with their titles in bold, notes as paragraphs, lists with dashes."""
    lines = [f"### {escape(document.title)}", ""] if document.title else []
    for table in document.tables:
        lines += _table(table)
    for note in document.notes:
        lines += [escape(note), ""]
    for points in document.lists:
        lines += _points(points)
    return "\n".join(lines)


def _table(table: Table) -> list[str]:
    lines = [f"**{escape(table.title)}**", ""] if table.title else []
    lines.append(_bars(table.headings))
    lines.append("|" + "|".join("---:" if column.number else ":---" for column in table.columns) + "|")
    lines += [_bars(row, strong=number in table.strong) for number, row in enumerate(table.texts)]
    lines.append("")
    for note in table.notes:
        lines += [escape(note), ""]
    return lines


def _bars(cells: Sequence[str], *, strong: bool = False) -> str:
    texts = [escape(cell.strip()) for cell in cells]
    return "| " + " | ".join(f"**{text}**" if strong and text else text for text in texts) + " |"


def _points(points: Points) -> list[str]:
    if not points.items:
        return []
    heading = [escape(points.title), ""] if points.title else []
    return [*heading, *(f"- {escape(item)}" for item in points.items), ""]


def escape(text: str) -> str:
    """Text that Markdown shows as it is: one line, nothing read as a table bar, emphasis, link or
    HTML.

    Underscores inside words do nothing in GitHub's Markdown and stay readable.
    """
    flat = "".join(char if char.isprintable() else " " for char in text)
    for mark in "\\`|[]*~":
        flat = flat.replace(mark, f"\\{mark}")
    return _EDGE.sub(r"\\_", flat).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """A command in backticks, as it is typed; a bar is written so that a table's cell does not end
    at it.
    """
    flat = "".join(char if char.isprintable() else " " for char in text).replace("|", "\\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", flat)), default=0))
    room = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{room}{flat}{room}{fence}"
