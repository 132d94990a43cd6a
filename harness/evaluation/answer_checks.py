"""What a cell's kept answers show of themselves.

Read from the journal, so that a run that was resumed later loses none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.items import Answer, Generation, Likelihood, Score
from harness.results.sanity import sanity_row
from harness.results.schema import ModelRow, Picks, Row, SanityRow
from harness.sanity import Finding
from harness.wording import shorten

if TYPE_CHECKING:
    from harness.engines.protocol import EngineInfo

_LEVEL, _MORE, _LEAST = 0.05, 0.1, 10
"""What a p is held against; by how much of the questions an answer must be given more often than it
is right; of how few questions nothing is said.
"""
_DIFFERENT = 10
"""As how many different answers those count that are too many to be kept."""
_LONGEST = 30
"""Characters of an answer that are shown."""
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


def pick_rows(rows: Iterable[Row], models: Iterable[ModelRow]) -> list[SanityRow]:
    """Cells whose answers are too much alike to be a score of the questions; models with random
    weights, which have no accuracy, left out.

    Read from the primary metric's row. Lopsided: one answer is given more often than it is right
    by a tenth of the questions, half as often again as an equal share, and not by chance
    (p < 0.05). Whether the score is above that of the
    best constant answer is asked besides: docs/statistics.md.
    """
    from harness.analysis.primary import primary

    cells: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        cells.setdefault((row.model, row.task), []).append(row)

    random = {model.model for model in models if model.weights == "random"}
    findings = []
    for (model, task), mine in cells.items():
        key = primary(task, mine)
        main = next((row for row in mine if (row.metric, row.filter or "none") == key), None)
        if main is None or main.picks is None or main.picks.of < _LEAST or model in random:
            continue
        kind = _pick_kind(main.value or 0.0, main.picks)
        if kind is not None:
            findings.append(sanity_row(model, task, _pick_finding(kind, main.value or 0.0, main.picks)))
    return findings


def _pick_kind(score: float, picks: Picks) -> str | None:
    # Where one answer is right for all, an even model is lopsided beside the keys, but no constant.
    different = len({*picks.answers, *picks.keys}) or _DIFFERENT
    much = picks.given / picks.of >= 1.5 / different and picks.given - picks.right >= _MORE * picks.of
    lopsided = much and picks.p_lopsided is not None and picks.p_lopsided < _LEVEL
    above = score > picks.constant_score and picks.p_above is not None and picks.p_above < _LEVEL
    if lopsided:
        return "lopsided_answers" if above else "constant_answers"

    # Many a weak model is not surely above the constant: only one that is not above it at all, as
    # far as this task shows, is worth a line.
    return "not_above_constant" if score <= picks.constant_score else None


def _pick_finding(kind: str, score: float, picks: Picks) -> Finding:
    values: dict[str, str | int | float | None] = {
        **({"answer": shorten(picks.commonest, _LONGEST)} if kind != "not_above_constant" else {}),
        "constant": shorten(picks.constant, _LONGEST),
        "right": picks.right,
        "constant_right": picks.constant_right,
        "points": round(score * picks.of, 6),
        "marked": picks.of,
    }
    count = picks.given if kind != "not_above_constant" else picks.constant_right
    return Finding(kind, count, picks.of, values)


def lasting_findings(info: EngineInfo, earlier: Sequence[Finding]) -> list[Finding]:
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
    return findings + [one for one in earlier if one.kind not in kinds]


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
