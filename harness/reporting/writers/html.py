"""HTML: the tables as one plain page that needs nothing else and runs nothing. (The page with
charts and questions is `harness report --html`.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape as escape_markup

from harness.reporting.document import Column, Document, Points, Screen, Table, TableCell
from harness.reporting.inert import visible

SUFFIXES = (".html", ".htm")
STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "figure{margin:0 0 1.5rem;overflow-x:auto}table{border-collapse:collapse}"
    "caption{text-align:left;font-weight:600;padding-bottom:.3rem}"
    "th,td{padding:.2rem .7rem;text-align:left;white-space:pre-wrap;vertical-align:top}"
    "thead th{border-bottom:2px solid}tbody:not(:first-of-type) tr:first-child>*{border-top:1px "
    "solid}"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".good{color:light-dark(#060,#8d8)}.warn{color:light-dark(#850,#fc6)}.bad{color:light-dark(#a00,#f99)}"
)
SCOPED = (
    ".harness figure{margin:0 0 1rem;overflow-x:auto}"
    ".harness caption{text-align:left;font-weight:600}"
    ".harness th,.harness td{text-align:left;padding:.2rem .6rem;vertical-align:top}"
    ".harness th.n,.harness td.n{text-align:right;white-space:nowrap}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write(document: Document, screen: Screen) -> str:
    """A whole page: heading, tables, notes, lists."""
    title = escape(document.title or "harness")
    lines = [
        "<!doctype html>",
        f'<html lang="{escape(document.language)}">',
        f'<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>',
        f"<style>{STYLE}</style></head>",
        f"<body><h1>{title}</h1>",
    ]

    return "\n".join([*lines, *_body(document), "</body></html>"]) + "\n"


def fragment(document: Document) -> str:
    """Tables, notes and lists without a page round them, for a notebook's cell.

    Its style holds inside the fragment alone: a notebook is one page, and others' tables are on it.
    """
    return "\n".join([f'<div class="harness"><style>{SCOPED}</style>', *_body(document), "</div>"])


def _body(document: Document) -> Iterator[str]:
    for table in document.tables:
        yield from _table(table)
    yield from (f"<p>{escape(note)}</p>" for note in document.notes)
    for points in document.lists:
        yield from _points(points)


def _table(table: Table) -> Iterator[str]:
    yield "<figure><table>"
    if caption := table.title or table.caption:
        yield f"<caption>{escape(caption)}</caption>"
    heads = (f"<th{_class(column)}>{escape(column.heading)}</th>" for column in table.columns)
    yield f"<thead><tr>{''.join(heads)}</tr></thead>"

    yield "<tbody>"
    for number, row in enumerate(table.rows):
        # A section is a body of its own, so that the style can draw its line.
        if number and number in table.breaks:
            yield "</tbody><tbody>"
        yield _row(table.columns, row, strong=number in table.strong)
    yield "</tbody></table>"
    yield from (f"<p>{escape(note)}</p>" for note in table.notes)
    yield "</figure>"


def _row(columns: Sequence[Column], row: Sequence[TableCell], *, strong: bool) -> str:
    cells = []
    for column, cell in zip(columns, row, strict=True):
        text = escape(cell.text)
        tag = "th" if column.key else "td"
        text = f"<strong>{text}</strong>" if strong and text else text
        cells.append(f"<{tag}{_class(column, cell.emphasis)}>{text}</{tag}>")
    return f"<tr>{''.join(cells)}</tr>"


def _class(column: Column, emphasis: str = "") -> str:
    names = " ".join(name for name in ("n" if column.number else "", emphasis) if name)
    return f' class="{names}"' if names else ""


def _points(points: Points) -> Iterator[str]:
    if points.items:
        yield f"<h2>{escape(points.title)}</h2>" if points.title else ""
        yield "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in points.items) + "</ul>"


def escape(text: str) -> str:
    """Text as a browser shows it, whatever it holds: no markup, nothing that hides or turns."""
    return escape_markup(visible(text))
