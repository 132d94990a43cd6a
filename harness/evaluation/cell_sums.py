"""Sums over a cell's answers, of which its natural figures are made (`harness.meter.natural`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.items import Answer, Choice, Completion, Generation, Item, Passage, Tokens
from harness.meter.tally import CostTally, Joules
from harness.results.schema import Row
from harness.sanity import Finding


@dataclass(frozen=True)
class CellAnswers:
    """A cell as it was marked: its answers by key, its rows, and the size of what was read.

    ``read`` is (characters, bytes) of its items, None where they are not known.
    """

    task: str
    cell_id: str
    answers: Mapping[str, Answer]
    rows: Sequence[Row]
    read: tuple[int, int] | None
    dtype: str | None


def read_sizes(items: Sequence[Item], keys: set[str]) -> tuple[int, int] | None:
    """Characters (NFC) and UTF-8 bytes of what was asked, of the items with these keys.

    Of a choice, every context and continuation. None where an item is given as token ids.
    """
    characters = bytes_ = 0
    for item in items:
        if item.key not in keys:
            continue

        # Token ids have no characters until a tokenizer decodes them.
        if isinstance(item, Completion) and item.prompt_ids is not None:
            return None
        for text, times in _texts(item):
            size = text_size(text)
            characters, bytes_ = characters + times * size[0], bytes_ + times * size[1]
    return characters, bytes_


def _texts(item: Item) -> Iterator[tuple[str, int]]:
    """The item's texts and how often each is read: a choice's context once per option."""
    if isinstance(item, Choice):
        counts: dict[str, int] = {}
        for pair in item.pairs:
            for text in pair:
                counts[text] = counts.get(text, 0) + 1
        yield from counts.items()
    else:
        yield (item.text if isinstance(item, Passage) else item.prompt), 1


def text_size(text: str) -> tuple[int, int]:
    """(characters, bytes): NFC code points and their UTF-8."""
    # Most prompts are ASCII or normal already, and a cell has thousands: normalising is the last
    # resort.
    if text.isascii():
        return len(text), len(text)
    whole = text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
    return len(whole), len(whole.encode("utf-8", "replace"))


def token_sums(answers: Sequence[Answer]) -> Tokens:
    """Tokens of all answers."""
    return sum((answer.tokens for answer in answers), Tokens())


def right_answers(rows: Sequence[Row]) -> dict[str, Any]:
    """How many answers were right by the primary metric, or why that is not known.

    A metric counts answers where its interval is Wilson's. The keys are `CostTally`'s.
    """
    from harness.analysis.primary import primary

    key = primary(rows[0].task, rows) if rows else None
    row = next((row for row in rows if (row.metric, row.filter or "none") == key), None)
    if row is None or row.value is None:
        return {"correct": None, "marked": 0, "metric": None, "correct_reason": "there is no score"}
    if not (row.interval or "").startswith("wilson"):
        reason = f"{row.metric} does not count right answers"
        return {"correct": None, "marked": row.n, "metric": row.metric, "correct_reason": reason}
    right = {"correct": row.value * row.n, "marked": row.n, "metric": row.metric, "correct_reason": None}
    return right | {"correct_ci95": row.ci95}


def right_share(tallies: Sequence[CostTally]) -> tuple[float, float] | None:
    """The 95 % interval of the share of right answers, over the tallies that count them.

    One task's is its own row's, which knows of shared sources; several are taken together.
    """
    from harness.analysis.intervals import wilson

    counted = [tally for tally in tallies if tally.correct is not None]
    if len(counted) == 1 and counted[0].correct_ci95 is not None:
        return counted[0].correct_ci95
    marked = sum(tally.marked for tally in counted)
    return wilson(sum(tally.correct or 0.0 for tally in counted), marked) if marked else None


def request_sums(spans: Mapping[str, Mapping[str, Any]]) -> dict[str, int] | None:
    """An endpoint's counts of requests over the sessions that were metered to their end.

    None for engines in process.
    """
    counts = [span["requests"] for span in spans.values() if span.get("requests") is not None]
    names = dict.fromkeys(name for one in counts for name in one)
    return {name: sum(one.get(name, 0) for one in counts) for name in names} if counts else None


def request_findings(spans: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """That requests of a cell had to be sent again."""
    counts = request_sums(spans) or {}
    repeated = counts.get("repeated", 0)
    return [Finding("requests_repeated", repeated, counts.get("sent", 0))] if repeated else []


def phase_sums(
    answers: Sequence[Answer], written: Sequence[Generation], tokens: Tokens, seconds: float
) -> dict[str, Any]:
    """Tokens and seconds of prefill and of decoding, as `CostTally` keeps them.

    ``prefill`` is (prompt tokens, computed ones, seconds), ``decode`` (tokens, seconds).
    """
    if not written:
        return {"prefill": (tokens.prompt, tokens.computed, seconds), "decode": None}

    # One answer without times would make the phases' seconds too few for their tokens.
    timed = all(one.prefill_seconds is not None and one.decode_seconds is not None for one in written)
    if len(written) < len(answers) or not timed:
        return {"prefill": None, "decode": None}
    steps = sum(max(0, answer.tokens.output - 1) for answer in written)
    prefill = sum(answer.prefill_seconds or 0.0 for answer in written)
    decode = sum(answer.decode_seconds or 0.0 for answer in written)
    return {"prefill": (tokens.prompt, tokens.computed - steps, prefill), "decode": (steps, decode)}


def joule_sums(spans: Mapping[str, Mapping[str, Any]], sessions: Sequence[str]) -> Joules:
    """Energy of the sessions that were metered to their end, and how many answers they gave.

    ``spans`` by session as `Meter.watching` keeps them; ``sessions`` has one entry per answer.
    """
    here = set(sessions)
    metered = {
        name: span["energy"]
        for name, span in spans.items()
        if name in here and span["energy"]["joules_gross"] is not None
    }
    if not metered:
        reasons = [span["energy"]["reason"] for span in spans.values()]
        return Joules(reason=reasons[-1] if reasons else "no session was metered to its end")

    # One session without an idle power leaves the whole without a net figure: no sum of parts.
    nets = [energy["joules_net"] for energy in metered.values()]
    whole = None not in nets
    return Joules(
        gross=sum(energy["joules_gross"] for energy in metered.values()),
        idle=sum(energy["joules_idle"] for energy in metered.values()) if whole else None,
        net=sum(nets) if whole else None,
        items=sum(session in metered for session in sessions),
        seconds=sum(energy["seconds"] for energy in metered.values()),
        source="+".join(sorted({energy["source"] for energy in metered.values()})),
        reason=next((energy["reason"] for energy in metered.values() if energy["reason"]), None),
    )
