"""A claim's answer: what each part measured, the verdict, and what is shown beside it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.studies.claims import Claim, Part, Text
from harness.studies.data import Data
from harness.studies.exhibited import Exhibit
from harness.studies.exhibits import exhibit
from harness.studies.finding import Finding, Verdict, say, verdict
from harness.studies.predicates import ask_predicate


@dataclass(frozen=True)
class Answer:
    """``findings`` in the order of the claim's parts, ``exhibits`` of what it shows, ``today`` of its statements of today."""

    claim: Claim
    findings: tuple[Finding, ...]
    exhibits: tuple[Exhibit, ...]
    today: tuple[Finding, ...] = ()

    @functools.cached_property
    def verdict(self) -> Verdict:
        """What follows from the parts."""
        return verdict(self.findings)

    @property
    def basis(self) -> Text:
        """What the findings rest on: each board and method once, with its days."""
        named = [one.basis or say(one.kind) for one in self.findings]
        return Text(en=_grouped([one.en for one in named], ", ", "; "), zh=_grouped([one.zh for one in named], "，", "；"))

    @property
    def datum(self) -> Text | None:
        """The figure that would decide a claim that cannot be told: the first undecided part's, or why it is undecided."""
        if self.verdict != "cannot tell":
            return None
        open_parts = [
            part.datum or finding.why
            for part, finding in zip(self.claim.parts, self.findings, strict=True)
            if finding.outcome not in ("holds", "fails") or finding.kind == "projected"
        ]
        return next((one for one in open_parts if one is not None), None)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.claim.id,
            "claim": self.claim.claim.model_dump(),
            "sources": [source.model_dump() for source in self.claim.sources],
            "when": self.claim.when.model_dump() if self.claim.when else None,
            "verdict": self.verdict,
            "basis": self.basis.model_dump(),
            "datum": self.datum.model_dump() if self.datum else None,
            "pending": self.claim.pending.model_dump() if self.claim.pending else None,
            "parts": [_part(part, finding) for part, finding in zip(self.claim.parts, self.findings, strict=True)],
            "today": [_part(part, finding) for part, finding in zip(self.claim.today, self.today, strict=True)],
            "notes": [note.model_dump() for note in self.claim.notes],
            "exhibits": [one.as_data() for one in self.exhibits],
        }


def _grouped(said: Sequence[str], comma: str, semicolon: str) -> str:
    """Texts that differ after the last comma only, together."""
    groups: dict[str, dict[str, None]] = {}
    for one in said:
        head, _, days = one.rpartition(comma)
        groups.setdefault(head, {})[days] = None
    return semicolon.join((f"{head}{comma}" if head else "") + comma.join(days) for head, days in groups.items()) or "–"


def answer(claim: Claim, data: Data) -> Answer:
    """Tests every part of a claim. Raises ConfigError for a predicate, a plot or a key that is not known."""
    findings, today = (tuple(ask_predicate(part.predicate, part.given, data) for part in parts) for parts in (claim.parts, claim.today))
    return Answer(claim, findings, tuple(exhibit(shown, data) for shown in claim.shown), today)


def _part(part: Part, finding: Finding) -> dict[str, Any]:
    """A statement and what was found, for JSON."""
    return {
        "says": part.says.model_dump(),
        "predicate": part.predicate,
        "given": part.model_dump(mode="json")["given"],
        "outcome": finding.outcome,
        "kind": finding.kind,
        "measured": finding.measured.model_dump(),
        "why": finding.why.model_dump() if finding.why else None,
        "limits": finding.limits.model_dump() if finding.limits else None,
        "basis": finding.basis.model_dump() if finding.basis else None,
        "command": finding.command,
        "figures": finding.figures,
    }
