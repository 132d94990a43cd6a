"""A claim's answer: what each part measured, the verdict, and what is shown beside it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from harness.studies.claims import Claim
from harness.studies.data import Data
from harness.studies.exhibited import Exhibit
from harness.studies.exhibits import exhibit
from harness.studies.finding import Finding, Verdict, verdict
from harness.studies.predicates import ask_predicate


@dataclass(frozen=True)
class Answer:
    """``findings`` in the order of the claim's parts, ``exhibits`` in that of what it shows."""

    claim: Claim
    findings: tuple[Finding, ...]
    exhibits: tuple[Exhibit, ...]

    @functools.cached_property
    def verdict(self) -> Verdict:
        """What follows from the parts."""
        return verdict(self.findings)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        parts = [
            {
                "says": part.says.model_dump(),
                "predicate": part.predicate,
                "given": part.model_dump(mode="json")["given"],
                "outcome": finding.outcome,
                "kind": finding.kind,
                "measured": finding.measured.model_dump(),
                "why": finding.why.model_dump() if finding.why else None,
                "command": finding.command,
                "figures": finding.figures,
            }
            for part, finding in zip(self.claim.parts, self.findings, strict=True)
        ]
        return {
            "id": self.claim.id,
            "claim": self.claim.claim.model_dump(),
            "sources": [source.model_dump() for source in self.claim.sources],
            "verdict": self.verdict,
            "parts": parts,
            "notes": [note.model_dump() for note in self.claim.notes],
            "exhibits": [one.as_data() for one in self.exhibits],
        }


def answer(claim: Claim, data: Data) -> Answer:
    """Tests every part of a claim. Raises ConfigError for a predicate, a plot or a key that is not known."""
    findings = tuple(ask_predicate(part.predicate, part.given, data) for part in claim.parts)
    return Answer(claim, findings, tuple(exhibit(shown, data) for shown in claim.shown))
