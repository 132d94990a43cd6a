"""The models that have a short name, and those that are named in the articles and have none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.reporting.document import Document, Table, TableCell, keys, numbers, texts
from harness.reporting.plan import count
from harness.reporting.texts import Message, Phrase

if TYPE_CHECKING:
    from harness.config import Preset


def presets_document(presets: Sequence[Preset], total: int) -> Document:
    """The presets that were chosen out of ``total``."""
    from harness.config.presets import preset_data

    columns = [*keys("name"), *texts("from"), *numbers("params")]
    columns += texts("kind", "licence", "released", "id")
    note = Phrase(
        "{n} of {known} presets. 'gated': accept the licence on the hub and set HF_TOKEN. "
        "CN<US: a Chinese maker, American weights to start from. --missing: what is not there.",
        n=len(presets),
        known=total,
    )
    table = Table.of("", columns, [_row(preset) for preset in presets])
    return Document("", (table,), (note,), data=lambda: [preset_data(preset) for preset in presets])


def missing_document(gaps: Sequence[dict[str, Any]]) -> Document:
    """What is named in the articles and is not there, and why."""
    rows = [[gap["model"], Message(gap["lacks"]), Message(gap["why"])] for gap in gaps]
    table = Table.of("", [*keys("model"), *texts("not there", "why")], rows)
    return Document("", (table,), data=lambda: gaps)


def _row(preset: Preset) -> list[TableCell]:
    from harness.config.presets import origin_country

    kind = "instruct" if preset.instruct else "base"
    if preset.think_tags:
        kind = "thinking" if preset.thinking is not False else "instruct"
    licence = f"{preset.licence} (gated)" if preset.gated else preset.licence
    origin = origin_country(preset)
    country = preset.country if origin in (None, preset.country) else f"{preset.country}<{origin}"
    return [
        TableCell(preset.name),
        TableCell(country),
        TableCell(count(preset.parameters), preset.parameters),
        TableCell(Message(kind)),
        TableCell(licence),
        TableCell(str(preset.released or "-")),
        TableCell(preset.id),
    ]
