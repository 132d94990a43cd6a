"""JSON: a command's own data where it has some, else its tables as lists of objects."""

from __future__ import annotations

import json
import math
from typing import Any

from harness.reporting.document import Document, Screen, Table

SUFFIXES = (".json",)


def write(document: Document, screen: Screen) -> str:
    """One JSON value; NaN and infinity, which JSON has not, are null."""
    data = document.data() if document.data is not None else _data(document)
    try:
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
    except ValueError:
        text = json.dumps(finite(data), ensure_ascii=False, indent=1, allow_nan=False)
    return text + "\n"


def finite(value: Any) -> Any:
    """The same data with None for NaN and infinity."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _data(document: Document) -> dict[str, Any]:
    lists = [{"title": points.title, "items": points.items} for points in document.lists]
    tables = [_table(table) for table in document.tables]
    return {"title": document.title, "tables": tables, "notes": document.notes, "lists": lists}


def _table(table: Table) -> dict[str, Any]:
    rows = [dict(zip(table.headings, (cell.raw for cell in row), strict=True)) for row in table.rows]
    return {"title": table.title, "rows": rows, "notes": table.notes}
