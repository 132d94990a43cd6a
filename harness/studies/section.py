"""Answers as a section of the report's page.

The runs' page stays one file, and what is published stands beside what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting.html import tables
from harness.reporting.html.study import Plate, StatementView, Studies, Study
from harness.reporting.inert import visible
from harness.studies.answer import ClaimAnswer, answer
from harness.studies.claims import claims, find_claim
from harness.studies.data import Data
from harness.studies.document import cited, dated, labelled, origin, picture_name, plots, sentences, shown
from harness.studies.exhibited import Exhibit
from harness.studies.finding import StatementFinding, say
from harness.studies.overview import asides


def section(names: Sequence[str], data: Data, language: str) -> Studies:
    """The studies named, in one language, each once; ``all``: those of all packaged claims.

    Raises ConfigError for an unknown claim.
    """
    selected = {
        claim.id: claim
        for name in names
        for claim in (claims().values() if name.lower() == "all" else [find_claim(name)])
    }

    answers = [answer(claim, data) for claim in selected.values()]
    sources = tuple((visible(title), visible(url)) for title, url in cited(answers, data, language))
    return Studies(tuple(_study(one, language) for one in answers), sources)


def _study(one: ClaimAnswer, language: str) -> Study:
    claim, pictures = one.claim, plots(one, language)
    plates = [
        _plate(exhibit, pictures.get(picture_name(one, language, number)), language)
        for number, exhibit in enumerate(one.exhibits, 1)
    ]

    # Ratings from votes measure what people like, which every reader of one must know.
    beside = [labelled(f"w_{name}", text, language) for name, text in asides(one)]
    notes = [*claim.notes, *([say("caution")] if any(exhibit.arena for exhibit in one.exhibits) else [])]

    return Study(
        claim.id,
        shown(claim.claim, language),
        visible(origin(one, language)),
        f"{visible(dated(one, language))}{say('colon')[language]}{one.said[language]}",
        one.verdict.replace(" ", "-"),
        tuple(say(f"w_{key}")[language] for key in ("statement", "outcome", "measured", "rests")),
        tuple(_statements(one, language)),
        tuple(plates),
        (*map(visible, beside), *(shown(note, language) for note in notes)),
    )


def _statements(one: ClaimAnswer, language: str) -> list[StatementView]:
    """The claim's statements, then those of today, which say so."""
    then = zip(one.claim.parts, one.findings, strict=True)
    now = zip(one.claim.today, one.today, strict=True)
    today = say("w_today")[language] + say("colon")[language]
    return [
        *(_statement(shown(part.says, language), finding, language) for part, finding in then),
        *(_statement(today + shown(part.says, language), finding, language) for part, finding in now),
    ]


def _statement(says: str, finding: StatementFinding, language: str) -> StatementView:
    outcome, rests = say(finding.outcome)[language], say(finding.kind)[language]
    return StatementView(
        says,
        outcome,
        finding.outcome,
        visible(sentences(finding, language)),
        rests,
        visible(finding.command or ""),
    )


def _plate(exhibit: Exhibit, svg: bytes | None, language: str) -> Plate:
    headers = tuple(shown(head, language) for head in exhibit.headers)
    rows = tuple(tuple(tables.Cell(shown(cell, language)) for cell in row) for row in exhibit.rows)
    grid = tables.Grid(headers, rows, left=frozenset(range(len(headers))))
    return Plate(
        shown(exhibit.title, language), svg, tuple(shown(line, language) for line in exhibit.lines), grid
    )
