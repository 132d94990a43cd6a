"""What a cell's kept answers show of themselves: told from the journal, so a run that went on later
loses none of it.
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
    """Options that are all alike, answers that a filter cut off, answers without a reason for their
    end, texts without a token.
    """
    scores = generated = alike = certain = filtered = untold = texts = tokenless = 0
    for answer in answers:
        if isinstance(answer, Score) and len(answer.logprobs) > 1 and all(answer.lengths):
            scores += 1
            sure = answer.logprobs.count(0.0) > 1  # no model is certain of two options
            certain += sure
            alike += sure or len(set(answer.logprobs)) == 1
        elif isinstance(answer, Generation):
            generated += 1
            filtered += answer.finish == "filter"
            untold += answer.finish == "unknown"
        elif isinstance(answer, Likelihood):
            texts += 1
            tokenless += not answer.predicted and answer.logprob == 0.0
    found = []
    if certain or alike > _MANY * scores:
        found.append(Finding("constant_logprobs", alike, scores))
    if filtered:
        found.append(Finding("answers_filtered", filtered, generated))
    if untold:
        found.append(Finding("endings_unknown", untold, generated))
    if tokenless:
        found.append(Finding("texts_without_tokens", tokenless, texts))
    return found


def lasting_findings(info: EngineInfo, known: Sequence[Finding]) -> list[Finding]:
    """The engine's findings with those of earlier sessions. An endpoint's show in its answers, and
    a session that asks only for what is missing may not see again what spoilt the answers that are
    kept; any other engine's show anew whenever the model is loaded.
    """
    from harness.engines.registry import is_endpoint

    found = list(info.findings)
    kinds = {one.kind for one in found}
    return found + [one for one in known if one.kind not in kinds] if is_endpoint(info.engine) else found


def server_changed(info: EngineInfo, before: Mapping[str, Any] | None) -> list[Finding]:
    """That an endpoint said otherwise what it is when an earlier session asked it. Local engines
    need no such look: what they are is part of a cell's identity.
    """
    from harness.engines.registry import is_endpoint

    earlier = ((before or {}).get("extra") or {}).get("reported") or {}
    now = info.extra.get("reported") or {}
    differ = [name for name in {**earlier, **now} if earlier.get(name) != now.get(name)]
    if not is_endpoint(info.engine) or not earlier or not differ:
        return []
    said = [", ".join(f"{name} {told.get(name, 'not told')}" for name in differ) for told in (earlier, now)]
    return [Finding("server_changed", values={"before": said[0], "now": said[1]})]
