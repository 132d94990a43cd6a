"""A claim's answer: what each part measured, the verdict, and what is shown beside it."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import ConfigError
from harness.studies.claims import Claim, Part, Text
from harness.studies.data import Data
from harness.studies.exhibited import Exhibit
from harness.studies.exhibits import exhibit
from harness.studies.finding import (
    Basis,
    ClaimVerdict,
    Outcome,
    StatementFinding,
    counted_outcome,
    decided,
    joined,
    plain,
    say,
    together,
)
from harness.studies.predicates import ask_predicate


@dataclass(frozen=True)
class ClaimAnswer:
    """A claim with its findings and exhibits.

    ``findings`` in the order of the claim's parts, ``exhibits`` of what it shows, ``today`` of its
    statements of today.
    """

    claim: Claim
    findings: tuple[StatementFinding, ...]
    exhibits: tuple[Exhibit, ...]
    today: tuple[StatementFinding, ...] = ()

    def __repr__(self) -> str:
        """The claim's id and the verdict in words."""
        return f"ClaimAnswer {self.claim.id}: {self.said['en']}"

    @functools.cached_property
    def statements(self) -> tuple[Outcome, ...]:
        """The outcome of each statement; parts of one topic are one statement."""
        by_topic: dict[str, list[Outcome]] = {}
        for position, (part, finding) in enumerate(zip(self.claim.parts, self.findings, strict=True)):
            by_topic.setdefault(part.topic.en if part.topic is not None else f"#{position}", []).append(
                counted_outcome(finding)
            )
        return tuple(together(outcomes) for outcomes in by_topic.values())

    @functools.cached_property
    def verdict(self) -> ClaimVerdict:
        """What follows from the statements."""
        return decided(self.statements)

    @property
    def count(self) -> Text | None:
        """How many statements, or definitions, hold where only some do."""
        if self.verdict != "partly supported":
            return None
        return say(f"count_{self.claim.counted}", k=self.statements.count("holds"), n=len(self.statements))

    @property
    def said(self) -> Text:
        """The verdict in words, with the count."""
        return (
            say(self.verdict)
            if self.count is None
            else say("verdict_count", verdict=say(self.verdict), count=self.count)
        )

    @property
    def basis(self) -> Text:
        """What the findings rest on, in short: each board and method once, with its months."""
        return joined(self.bases)

    @property
    def bases(self) -> tuple[Text, ...]:
        """The same as one text for each board or other source."""
        bases = [one.basis or Basis(say(one.kind)) for one in self.findings]
        sources = {one.source.en: one.source for one in bases}
        return tuple(
            _in_short(source, [one for one in bases if one.source == source]) for source in sources.values()
        )

    @property
    def datum(self) -> Text | None:
        """The figure that would decide a claim that cannot be told.

        The first undecided part's, or why it is undecided.
        """
        if self.verdict != "cannot tell":
            return None
        open_parts = [
            part.datum or finding.why
            for part, finding in zip(self.claim.parts, self.findings, strict=True)
            if counted_outcome(finding) not in ("holds", "fails")
        ]
        return next((one for one in open_parts if one is not None), None)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.claim.id,
            "name": self.claim.name.model_dump() if self.claim.name else None,
            "claim": self.claim.claim.model_dump(),
            "sources": [source.model_dump() for source in self.claim.sources],
            "when": self.claim.when.model_dump() if self.claim.when else None,
            "verdict": self.verdict,
            "statements": {
                "hold": self.statements.count("holds"),
                "fail": self.statements.count("fails"),
                "all": len(self.statements),
            },
            "basis": self.basis.model_dump(),
            "datum": self.datum.model_dump() if self.datum else None,
            "pending": self.claim.pending.model_dump() if self.claim.pending else None,
            "parts": [
                _part(part, finding) for part, finding in zip(self.claim.parts, self.findings, strict=True)
            ],
            "today": [
                _part(part, finding) for part, finding in zip(self.claim.today, self.today, strict=True)
            ],
            "notes": [note.model_dump() for note in self.claim.notes],
            "exhibits": [one.as_data() for one in self.exhibits],
        }


def _in_short(source: Text, bases: Sequence[Basis]) -> Text:
    """A source with its methods, and the months of each."""
    texts = []
    for method in dict.fromkeys((one.method.en, one.method.zh) if one.method else None for one in bases):
        mine = [one for one in bases if ((one.method.en, one.method.zh) if one.method else None) == method]
        spans = [
            plain(one) for one in months([(one.begin, one.end) for one in mine if one.begin and one.end])
        ]
        texts.append(joined([*([Text(en=method[0], zh=method[1])] if method else []), *spans], ", ", "，"))
    return joined([source, *([joined(texts)] if any(one.en != "–" for one in texts) else [])], ", ", "，")


def months(spans: Sequence[tuple[datetime.date, datetime.date]]) -> list[str]:
    """Spans of days as months, those that overlap as one; a single day is said as it is."""
    joined_spans: list[tuple[datetime.date, datetime.date]] = []
    for begin, end in sorted(spans):
        if joined_spans and begin <= joined_spans[-1][1]:
            joined_spans[-1] = (joined_spans[-1][0], max(end, joined_spans[-1][1]))
        else:
            joined_spans.append((begin, end))
    ends = [
        (f"{begin}",) if begin == end else (f"{begin:%Y-%m}", f"{end:%Y-%m}") for begin, end in joined_spans
    ]
    return [" – ".join(dict.fromkeys(one)) for one in ends]


def answer(claim: Claim, data: Data) -> ClaimAnswer:
    """Tests every part of a claim.

    Raises ConfigError for a predicate, a plot or a key that is not known.
    """
    findings, today = (
        tuple(_tested(claim, part, data) for part in parts) for parts in (claim.parts, claim.today)
    )
    return ClaimAnswer(claim, findings, tuple(exhibit(shown, data) for shown in claim.shown), today)


def _tested(claim: Claim, part: Part, data: Data) -> StatementFinding:
    try:
        return ask_predicate(part.predicate, part.given, data)
    except ConfigError as error:  # its file is a person's own, perhaps with many statements
        raise ConfigError(f"claim {claim.id}: {part.says.en!r}: {error}") from error


def _part(part: Part, finding: StatementFinding) -> dict[str, Any]:
    """A statement and what was found, for JSON."""
    return {
        "says": part.says.model_dump(),
        "topic": part.topic.model_dump() if part.topic else None,
        "predicate": part.predicate,
        "given": part.model_dump(mode="json")["given"],
        "outcome": finding.outcome,
        "kind": finding.kind,
        "measured": finding.measured.model_dump(),
        "brief": finding.brief.model_dump() if finding.brief else None,
        "why": finding.why.model_dump() if finding.why else None,
        "limits": finding.limits.model_dump() if finding.limits else None,
        "basis": finding.basis.text.model_dump() if finding.basis else None,
        "command": finding.command,
        "figures": finding.figures,
    }
