"""The table of verdicts: claim, date, verdict, then, today, basis.

For a terminal as a table where it fits, else as blocks.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.folding import folded
from harness.reporting.inert import visible
from harness.studies.answer import ClaimAnswer
from harness.studies.claims import Part, Text
from harness.studies.finding import StatementFinding, say

COLUMNS = ("claim", "when", "verdict", "then", "today", "basis")
"""The headers of the table."""
WIDE = 128
"""Terminal columns from which on the table fits."""
INDENT = 4
MARK = "- "
"""What a point of a list begins with."""


@dataclass(frozen=True)
class OverviewRow:
    """One claim.

    ``then``, ``today`` and ``basis`` hold one short phrase per statement or source.
    """

    id: str
    name: str
    claim: str
    when: str
    verdict: str
    then: tuple[str, ...]
    today: tuple[str, ...]
    basis: tuple[str, ...]


def overview(answers: Sequence[ClaimAnswer], language: str) -> list[OverviewRow]:
    """A row per claim."""
    return [_row(one, language) for one in answers]


def _row(one: ClaimAnswer, language: str) -> OverviewRow:
    claim = one.claim
    return OverviewRow(
        claim.id,
        named(one, language),
        visible(claim.claim[language]),
        visible(claim.when[language]) if claim.when is not None else "–",
        one.said[language],
        tuple(
            _phrase(part, finding, language) for part, finding in zip(claim.parts, one.findings, strict=True)
        ),
        tuple(_phrase(part, finding, language) for part, finding in zip(claim.today, one.today, strict=True)),
        tuple(visible(basis[language]) for basis in one.bases),
    )


def named(one: ClaimAnswer, language: str) -> str:
    """What a claim is called in lists: its name, else its text."""
    return visible((one.claim.name or one.claim.claim)[language])


def _phrase(part: Part, finding: StatementFinding, language: str) -> str:
    """A mark for the outcome, and the figure with what it is.

    Without a figure the outcome in words.
    """
    label = part.short[language] if part.short is not None else ""
    figure = (finding.brief or say(finding.outcome))[language]
    return visible(
        f"{say(f'mark_{finding.outcome}')[language]} {label}{say('colon')[language] if label else ''}{figure}"
    )


def asides(answer: ClaimAnswer) -> list[tuple[str, Text]]:
    """What stands beside a verdict.

    What would measure a claim that is not measured yet, and what would decide one that cannot be
    told.
    """
    named = (("pending", answer.claim.pending), ("datum", answer.datum))
    return [(name, text) for name, text in named if text is not None]


def below(answers: Sequence[ClaimAnswer], language: str) -> list[str]:
    """What stands under the table.

    How to read the marks, and what is missing where a claim is not measured or not decided.
    """
    colon = say("colon")[language]
    listed = [
        f"{one.claim.id} · {say(f'w_{name}')[language]}{colon}{text[language]}"
        for one in answers
        for name, text in asides(one)
    ]
    return [say("marks")[language], *map(visible, listed)]


def terminal(answers: Sequence[ClaimAnswer], language: str, width: int) -> str:
    """The table for a terminal, with what stands below it. Nothing is cropped."""
    rows = overview(answers, language)
    body = (
        _table(rows, language, width)
        if width >= WIDE
        else "\n".join(_block(row, language, width) for row in rows)
    )
    return f"{body}\n" + "".join(f"{folded(line, width, 2)}\n" for line in below(answers, language))


def _table(rows: Sequence[OverviewRow], language: str, width: int) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Plain

    # Shares of the width that suit the longest words of each column in both languages.
    free = width - 2 * len(COLUMNS)
    shares = (0.13, 0.11, 0.15, 0.26, 0.2, 0.15)
    widths = [int(free * share) for share in shares]
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), show_lines=False
    )

    for name, room in zip(COLUMNS, widths, strict=True):
        table.add_column(say(f"w_{name}")[language], width=room, no_wrap=True)
    for row in rows:
        cells = ((f"{row.id} {row.name}",), (row.when,), (row.verdict,), row.then, row.today, row.basis)
        table.add_row(*(Plain(_listed(cell, room)) for cell, room in zip(cells, widths, strict=True)))
        table.add_section()

    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(table)
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _listed(phrases: Sequence[str], width: int) -> str:
    return "\n".join(folded(one, width, 2) for one in phrases) or "–"


def hung(text: str, width: int) -> str:
    """Prose folded to a terminal; a line goes on below its own words, not below its mark."""
    lines = [
        folded(line.rstrip(), width, len(MARK) if line.lstrip().startswith(MARK) else 0)
        for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


def _block(row: OverviewRow, language: str, width: int) -> str:
    """A claim as a heading and a list."""
    from rich.cells import cell_len

    head = f"{row.id}  {row.name}{say('stop')[language]} {row.when}{say('colon')[language]}{row.verdict}"
    lines = [folded(head, width, INDENT)]

    labels = {name: say(f"w_{name}")[language] for name in ("then", "today", "basis")}
    room = max(cell_len(label) for label in labels.values()) + 2
    for name, phrases in (("then", row.then), ("today", row.today), ("basis", row.basis)):
        for index, phrase in enumerate(phrases):
            label = labels[name] if index == 0 else ""
            start = " " * INDENT + label + " " * (room - cell_len(label))
            folds = folded(phrase, width - INDENT - room, 2).split("\n")
            lines += [start + folds[0], *(" " * (INDENT + room) + fold for fold in folds[1:])]
    return "\n".join(lines) + "\n"
