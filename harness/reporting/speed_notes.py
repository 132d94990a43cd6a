"""What stands below the tables of speed: cells that are not whole, figures that are doubtful, and
projections that there are none of; each reason once, in either language.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting.texts import Message, Phrase, translated
from harness.results.speed import SpeedResults, SpeedRow
from harness.wording import list_some

STATUS = {
    "failed": Phrase("failed"),
    "partial": Phrase("partial"),
    "skipped": Phrase("skipped"),
    "oom": Phrase("out of memory"),
}
_NO_DATASHEET = (
    "Not projected: a projection compares two datasheets, and the hardware catalogue has none of {device}."
)


def failures(results: SpeedResults, language: str = "en") -> list[str]:
    """One line per reason for which cells are not whole, with the cells that have it."""
    by_reason: dict[str, list[str]] = {}
    for row in results.rows:
        if row.status != "ok":
            status = translated(STATUS.get(row.status, row.status), language)
            # A reason often begins with the model, which the line names anyway.
            reason = translated(_reason(row), language).removeprefix(f"{row.model}: ")
            by_reason.setdefault(f"{status}: {reason}", []).append(f"{row.model} {row.shape}")
    return [f"{list_some(cells, 3)}: {reason}" for reason, cells in by_reason.items()]


def _reason(row: SpeedRow) -> str:
    """Why a cell is not whole: our own reasons as phrases, an engine's as it gave it."""
    stats = row.stats
    if row.status == "skipped":
        return Phrase("not measured yet; the same command goes on")
    if row.status == "partial":
        accepted, rejected = stats.repeats - stats.rejected, stats.rejected
        if rejected:
            return Phrase(
                "{kept} repeats kept, {rejected} rejected because the machine drifted by more than {limit}; "
                "raise speed.seconds, measure on a quieter machine, or say --shared",
                kept=accepted,
                rejected=rejected,
                limit=f"{stats.drift_limit:.0%}",
            )
        return Phrase("only {kept} repeats: its time was up, or it was interrupted", kept=accepted)
    return Message(row.reason or "")


def unprojected(results: SpeedResults) -> list[str]:
    """Why nothing was projected where a projection was asked for, each reason once."""
    reasons: dict[str, None] = {}
    for row in results.rows:
        for key, reason in row.reasons.items():
            if key == "projected" and row.limit.whole and row.limit.whole.datasheet is None:
                # Both ends compare datasheets, so the device itself needs one.
                device = row.identity.device or "?"
                reasons[Phrase(_NO_DATASHEET, device=device)] = None
            elif key == "projected" or key.startswith("projected."):
                chip = key.partition(".")[2]
                why = f"{chip}: {reason}" if chip else reason
                reasons[Phrase("Not projected: {reason}.", reason=Message(why.rstrip(".")))] = None
    return list(reasons)


def doubt_notes(rows: Sequence[SpeedRow]) -> list[str]:
    """What the mark of doubtful figures means, once, and how many rows have which reason."""
    doubts = [(row, doubt) for row in rows for doubt in row.stats.doubts]
    if not doubts:
        return []
    drifted = [doubt for _, doubt in doubts if doubt.kind == "drift"]
    few = sum(doubt.kind == "few" for _, doubt in doubts)
    notes: list[str] = [
        Phrase("? doubtful: ± is then half the range of all repeats, rejected ones included.")
    ]
    if drifted:
        notes.append(
            Phrase(
                "The machine drifted by more than {limit} in {count} of {of} repeats: "
                "something else ran beside.",
                limit=f"{drifted[0].limit or 0:.0%}",
                count=sum(doubt.count for doubt in drifted),
                of=sum(doubt.of for doubt in drifted),
            )
        )
    if few:
        notes.append(Phrase("{count} rows have fewer repeats than asked for.", count=few))
    return notes
