"""What a cell's kept answers show of themselves.

Read from the journal, so that a run that was resumed later loses none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.items import Answer, Generation, Likelihood, Score
from harness.sanity import Finding

if TYPE_CHECKING:
    from harness.engines.protocol import EngineInfo

_MANY = 0.25
"""Part of the questions with equal options above which the figures are nobody's; rounding (bf16
logits) and repeated options make a few.
"""


def answer_findings(answers: Iterable[Answer]) -> list[Finding]:
    """Findings on options that are all alike, and on answers cut off, endless or without a token."""
    scores = generated = alike = certain = filtered = unknown = texts = tokenless = 0
    for answer in answers:
        if isinstance(answer, Score) and len(answer.logprobs) > 1 and all(answer.lengths):
            scores += 1
            sure = answer.logprobs.count(0.0) > 1  # no model is certain of two options
            certain += sure
            alike += sure or len(set(answer.logprobs)) == 1
        elif isinstance(answer, Generation):
            generated += 1
            filtered += answer.finish == "filter"
            unknown += answer.finish == "unknown"
        elif isinstance(answer, Likelihood):
            texts += 1
            tokenless += not answer.predicted and answer.logprob == 0.0

    # A few equal options are rounding; one answer that is certain of two options is never right.
    findings = []
    if certain or alike > _MANY * scores:
        findings.append(Finding("constant_logprobs", alike, scores))
    if filtered:
        findings.append(Finding("answers_filtered", filtered, generated))
    if unknown:
        findings.append(Finding("endings_unknown", unknown, generated))
    if tokenless:
        findings.append(Finding("texts_without_tokens", tokenless, texts))
    return findings


def lasting_findings(info: EngineInfo, known: Sequence[Finding]) -> list[Finding]:
    """The engine's findings with those of earlier sessions.

    An endpoint's show in its answers, and a session that asks only for what is missing may not see
    again what spoilt the answers that are kept; any other engine's show anew whenever the model is
    loaded.
    """
    from harness.engines.registry import is_endpoint

    findings = list(info.findings)
    if not is_endpoint(info.engine):
        return findings
    kinds = {one.kind for one in findings}
    return findings + [one for one in known if one.kind not in kinds]


def server_changed(info: EngineInfo, before: Mapping[str, Any] | None) -> list[Finding]:
    """A finding where an endpoint describes itself otherwise than in an earlier session.

    Local engines need no such look: what they are is part of a cell's identity.
    """
    from harness.engines.registry import is_endpoint

    earlier = ((before or {}).get("extra") or {}).get("reported") or {}
    now = info.extra.get("reported") or {}
    differ = [name for name in {**earlier, **now} if earlier.get(name) != now.get(name)]
    if not is_endpoint(info.engine) or not earlier or not differ:
        return []
    before_text, now_text = (
        ", ".join(f"{name} {reported.get(name, 'not reported')}" for name in differ)
        for reported in (earlier, now)
    )
    return [Finding("server_changed", values={"before": before_text, "now": now_text})]
