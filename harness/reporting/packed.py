"""The configs that come along, and what lies in the caches, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.packed import summary
from harness.reporting.document import NONE, Document, Table, TableCell, keys, numbers, texts
from harness.reporting.texts import Phrase
from harness.wording import size_text

if TYPE_CHECKING:
    from harness.hub.storage import Stored

WHAT = {
    "names": Phrase("names of lm-eval's tasks; read again in seconds"),
    "hashes": Phrase("hashes of big files; computed again, a minute per 100 GB"),
    "rest": Phrase("what other versions kept"),
    "hub models": Phrase("models from the hub"),
    "hub data": Phrase("data sets from the hub"),
    "tables": Phrase("data sets as tables, of the hub and of a mirror"),
    "ModelScope": Phrase("models and data sets from ModelScope"),
    "vLLM": Phrase("programs that vLLM compiled"),
}
"""What a kind holds; of our own, what deleting it costs."""


def configs_document(configs: Mapping[str, Path]) -> Document:
    """One row per packed config: its name, and the first sentence of its comment."""
    rows = [[name, summary(path)] for name, path in configs.items()]
    table = Table.of("", [*keys("config"), *texts("what")], rows)
    notes = (
        Phrase("harness run NAME runs one: results go to results/NAME of this folder."),
        Phrase("harness configs NAME > mine.yaml makes a copy to change; extends: NAME builds on one."),
    )
    return Document("", (table,), notes)


def cache_document(stores: Sequence[Stored]) -> Document:
    """One row per kind of what is kept: size, files, age, where it lies, whether it can be cleaned."""
    rows = [
        [
            TableCell(one.kind),
            TableCell(size_text(one.size) if one.files else NONE, one.size),
            TableCell(f"{one.files:,}", one.files),
            TableCell(one.newest.strftime("%Y-%m-%d") if one.newest else NONE),
            TableCell(str(one.path)),
            TableCell(WHAT.get(one.kind, "")),
        ]
        for one in stores
    ]
    columns = [*keys("kind"), *numbers("size", "files"), *texts("last written", "where", "what")]
    own = ", ".join(one.kind for one in stores if one.own)
    notes = (
        Phrase("harness cache clean KIND deletes: {kinds}. HARNESS_CACHE moves them.", kinds=own),
        Phrase(
            "The others belong to the libraries that filled them; `hf cache` lists and deletes the hub's."
        ),
    )
    return Document("", (Table.of("", columns, rows),), notes)
