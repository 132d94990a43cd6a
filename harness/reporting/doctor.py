"""What a machine can run, and what to do where it cannot."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.reporting.document import Document, Emphasis, Points, Table, TableCell, keys, texts
from harness.reporting.texts import Message, Phrase

if TYPE_CHECKING:
    from harness.doctor.findings import Check

LEVELS: dict[str, Emphasis] = {"ok": "good", "warn": "warn", "bad": "bad"}


def doctor_document(checks: Sequence[Check]) -> Document:
    """One row per check, and below them what to do; commands in backticks stay on one line."""
    rows = [
        [
            TableCell(Message(check.level), emphasis=LEVELS[check.level]),
            TableCell(Message(check.name)),
            TableCell(Message(check.found)),
        ]
        for check in checks
    ]
    table = Table.of("", [*texts("level"), *keys("check"), *texts("found")], rows)
    advice = tuple(
        Phrase("{what}: {reason}", what=Message(check.name), reason=Message(check.advice))
        for check in checks
        if check.advice
    )
    lists = (Points(Phrase("What to do:"), advice),) if advice else ()
    data = [dataclasses.asdict(check) for check in checks]
    return Document("", (table,), lists=lists, data=lambda: data)
