"""The snapshots of published ratings, and the rated models, as lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.reporting.document import Column, Document, Table, TableCell, keys, numbers, texts
from harness.reporting.texts import Phrase

if TYPE_CHECKING:
    from harness.published import PublishedRating, RatedModel


def rated_document(models: Sequence[RatedModel]) -> Document:
    """Who made each rated model, and what is not known of it."""
    from harness.published.overview import model_data

    names = ("name", "maker", "country", "weights", "licence", "released", "unknown")
    columns = [*keys("model"), *texts("maker", "from", "weights", "licence", "released", "not known")]
    return _document(columns, names, [model_data(model) for model in models])


def snapshots_document(ratings: Sequence[PublishedRating]) -> Document:
    """One row per board."""
    from harness.published.overview import snapshot_data

    names = ("board", "first", "last", "snapshots", "models", "methods", "intervals", "categories", "source")
    columns = [*keys("board"), *texts("earliest", "latest"), *numbers("snapshots", "models")]
    columns += texts("methods", "intervals", "categories", "source")
    return _document(columns, names, snapshot_data(ratings))


def _document(columns: Sequence[Column], names: Sequence[str], data: Sequence[dict[str, Any]]) -> Document:
    rows = [[_cell(name, entry[name]) for name in names] for entry in data]
    return Document("", (Table.of("", columns, rows),), data=lambda: data)


def _cell(name: str, value: Any) -> TableCell:
    """A fact; whether weights or intervals are published is said in the reader's language."""
    if name == "unknown":
        parts = [Phrase(part) for part in str(value).split(", ")]
        while len(parts) > 1:
            parts[-2:] = [Phrase("{first}, {rest}", first=parts[-2], rest=parts[-1])]
        return TableCell(parts[0], value)

    text = str(value)
    return TableCell(Phrase(text) if name in ("weights", "intervals") else text, value)
