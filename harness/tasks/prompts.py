"""What a chat template did to the messages of a cell's prompts, as findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.sanity import Finding
from harness.wording import quoted

SHOWN = 60
"""Characters of a lost text that are shown."""


class Adapted(Protocol):
    """What was done to one document's messages: see `harness.engines.folding.FoldedMessages`."""

    @property
    def folded(self) -> bool: ...
    @property
    def merged(self) -> bool: ...
    @property
    def cut_thoughts(self) -> bool: ...
    @property
    def lost(self) -> tuple[str, ...]: ...


def prompt_findings(adapted: Sequence[Adapted]) -> tuple[Finding, ...]:
    """Findings over the prompts of one cell, one entry per document."""
    counts = {
        "system_folded": sum(each.folded for each in adapted),
        "turns_merged": sum(each.merged for each in adapted),
        "thoughts_cut_from_examples": sum(each.cut_thoughts for each in adapted),
    }

    findings = [Finding(kind, count, len(adapted)) for kind, count in counts.items() if count]

    # One example is enough to recognise the instruction that the template dropped.
    losing = [each for each in adapted if each.lost]
    if losing:
        text = quoted(losing[0].lost[0], SHOWN)
        findings.append(Finding("instruction_lost", len(losing), len(adapted), {"text": text}))
    return tuple(findings)
