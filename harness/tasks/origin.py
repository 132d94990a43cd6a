"""Where an item comes from.

The source it shares with others is its cluster, its name in every language its item key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parent.parent / "data" / "sources.yaml"


@dataclass(frozen=True)
class Fields:
    """Document fields that make up a task's cluster labels and item keys; may be empty."""

    cluster: tuple[str, ...] = ()
    item: tuple[str, ...] = ()

    def cluster_of(self, doc: Mapping[str, Any]) -> str | None:
        """16 hex digits that items of one source share.

        None where items are independent or a field is missing.
        """
        return _digest(doc, self.cluster)

    def item_of(self, doc: Mapping[str, Any], doc_id: int) -> str:
        """What names the item in every language: its fields' digest, else its position in the data."""
        return _digest(doc, self.item) or str(doc_id)


def fields_of(task: str, metadata: Mapping[str, Any] | None = None) -> Fields:
    """What the task's own metadata says, else the packaged table (`data/sources.yaml`)."""
    own = metadata or {}
    if own.get("cluster") or own.get("item"):
        return Fields(_names(own.get("cluster")), _names(own.get("item")))
    for entry in _table():
        if any(fnmatchcase(task, pattern) for pattern in entry["tasks"]):
            return Fields(_names(entry.get("cluster")), _names(entry.get("item")))
    return Fields()


@lru_cache(maxsize=1)
def _table() -> list[dict[str, Any]]:
    import yaml

    table: list[dict[str, Any]] = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))
    return table


def _names(fields: str | Sequence[str] | None) -> tuple[str, ...]:
    return (fields,) if isinstance(fields, str) else tuple(fields or ())


def _digest(doc: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    if not names or any(name not in doc for name in names):
        return None
    text = json.dumps([doc[name] for name in names], ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
