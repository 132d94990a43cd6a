"""A table as text in one of four formats: ``rich`` for a terminal, ``markdown``, ``csv`` and
``json``.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from typing import Any, Literal

from harness.errors import ConfigError
from harness.reporting.grid import make_grid
from harness.reporting.records import fields
from harness.reporting.sanity import sanity_text
from harness.reporting.table import Table
from harness.results.cost import DEFINITIONS

_EDGE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""Underscores that may begin or end emphasis."""

Format = Literal["rich", "markdown", "csv", "json"]


def render(
    table: Table,
    format: Format | str = "rich",
    *,
    every: bool = False,
    width: int = 100,
    colour: bool = False,
) -> str:
    """The table as text; ``every`` also shows the subjects of groups.

    Raises ConfigError for an unknown format.
    """
    if format == "rich":
        from harness.reporting.terminal import render_rich

        return render_rich(table, width=width, colour=colour, every=every)
    if format == "markdown":
        return render_markdown(table, every=every)
    if format == "csv":
        return render_csv(table)
    if format == "json":
        return render_json(table)
    raise ConfigError(f"unknown format {format!r}: expected rich, markdown, csv or json")


def render_markdown(table: Table, *, every: bool = False) -> str:
    """A GitHub table, its notes, and why cells failed."""
    grid = make_grid(table, every=every)
    blocks = (grid.fixed, *grid.blocks)
    headers = [name for block in blocks for name in block.headers]
    left = {"task", "metric", "model"}
    lines = [f"### {escape(table.name)}", ""]
    lines.append(_markdown_row(headers))
    lines.append(
        "|"
        + "|".join(":---" if name in left and place < 2 else "---:" for place, name in enumerate(headers))
        + "|"
    )
    for row in range(len(grid.fixed.rows)):
        cells = [cell for block in blocks for cell in block.rows[row]]
        lines.append(_markdown_row(cells, strong=row in grid.strong))
    lines += ["", " ".join(escape(note) for note in table.notes), ""]
    if table.sanity:
        lines += [*(f"- {escape(sanity_text(line))}" for line in table.sanity), ""]
    if table.failures:
        lines += ["Not done:", "", *(f"- {escape(failure)}" for failure in table.failures), ""]
    return "\n".join(lines)


def _markdown_row(cells: list[str], *, strong: bool = False) -> str:
    texts = [escape(cell.strip()) for cell in cells]
    return "| " + " | ".join(f"**{text}**" if strong and text else text for text in texts) + " |"


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


def render_csv(table: Table) -> str:
    """One row a (model, task or group, metric, filter), every metric included."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fields(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.records)
    return file.getvalue()


def render_json(table: Table) -> str:
    """The table as data: models with their speed, lines with one figure a model, notes, failures,
    and the tidy rows.
    """
    data = {
        "name": table.name,
        "models": [_model(table, place) for place in range(len(table.columns))],
        "lines": [_plain(line, [column.label for column in table.columns]) for line in table.lines],
        "notes": table.notes,
        "failures": table.failures,
        "sanity": [{**dataclasses.asdict(line), "text": line.text()} for line in table.sanity],
        "rows": table.records,
        "costs": [row.model_dump(mode="json") for row in table.costs],
        "definitions": DEFINITIONS if table.costs else {},
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _model(table: Table, place: int) -> dict[str, Any]:
    column = table.columns[place]
    speed = {
        "items_per_second": column.items_per_second,
        "tokens_per_second": column.tokens_per_second,
        "seconds": column.seconds,
    }
    speed |= dataclasses.asdict(column.cost)
    return {"label": column.label, "run": column.run, **column.row.model_dump(mode="json"), **speed}


def _plain(line: Any, labels: list[str]) -> dict[str, Any]:
    data = dataclasses.asdict(line)
    data["figures"] = dict(zip(labels, data["figures"], strict=True))
    return data
