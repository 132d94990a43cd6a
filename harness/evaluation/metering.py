"""The meter in a worker: watches energy and memory while a cell is answered, and sums up what its
answers cost.
"""

from __future__ import annotations

import contextlib
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.items import Answer, Choice, Completion, Generation, Item, Passage, Tokens
from harness.meter.computed import computed_flops
from harness.meter.natural import latencies
from harness.meter.tally import CostTally, Joules, Setting
from harness.results.journal import Journal
from harness.results.schema import Row

if TYPE_CHECKING:
    from harness.config.architecture import Architecture
    from harness.evaluation.setup import WorkSetup
    from harness.meter.energy import PowerSource

CEILINGS = {"bfloat16": "bf16", "float16": "fp16"}


class Meter:
    """One worker's meter.

    ``off`` where the config says so: then nothing is watched and nothing is summed.
    """

    def __init__(self, setup: WorkSetup, journal: Journal) -> None:
        self.setup, self.journal = setup, journal
        self.off = not setup.config.meter
        self._source: PowerSource | None = None
        self._source_reason: str | None = None
        if not self.off:
            self._source, self._source_reason = _open(setup.device)
        self._idle_watts = _idle_watts(setup.device, self._source)
        self._arch: Architecture | None = None
        self._arch_reason: str | None = None
        self._setting: Setting | None = None
        self.load_seconds: float | None = None
        self._peak: int | None = None

    @contextlib.contextmanager
    def watching(self, cell_id: str) -> Iterator[None]:
        """Watches the device while a cell is answered; what it saw is kept even where answering
        ends in an error.
        """
        if self.off:
            yield
            return
        from harness.meter.energy import EnergyWatch

        self.peak_of_all()
        _forget_peak()
        watched = EnergyWatch(self._source, self._idle_watts, self._source_reason)
        try:
            with watched:
                yield
        finally:
            peaks = {
                "peak_rss_bytes": peak_rss(),
                "peak_device_bytes": peak_device_bytes(),
                "load_seconds": self.load_seconds,
            }
            self.journal.put_span(cell_id, {"energy": asdict(watched.reading), **peaks})

    def peak_of_all(self) -> int | None:
        """Greatest memory of CUDA tensors in this worker's life so far, in bytes; None without
        CUDA.
        """
        self._peak = _greatest((self._peak, peak_device_bytes()))
        return self._peak

    def keep(self, cell: CellAnswers) -> None:
        """Sums a cell up and keeps the sums; takes older ones away where the meter is off."""
        tally = None if self.off or not cell.answers else self._tally(cell).to_dict()
        self.journal.put_tally(self.setup.spec.label, cell.task, tally)

    def _tally(self, cell: CellAnswers) -> CostTally:
        work, spans = self.journal.work(cell.cell_id), self.journal.spans(cell.cell_id)
        mine = {key: work[key] for key in cell.answers if key in work}
        answers = list(cell.answers.values())
        written = [answer for answer in answers if isinstance(answer, Generation)]
        counts = [answer.tokens for answer in answers]
        tokens = Tokens(
            sum(one.prompt for one in counts),
            sum(one.computed for one in counts),
            sum(one.shared for one in counts),
            sum(one.output for one in counts),
        )
        seconds = sum(spent for spent, _ in mine.values())
        samples, latency_reason = latencies(written) if written else ({}, None)
        flops, flops_reason = self._flops(answers)
        sizes = [_size(answer.text) for answer in written]
        right = right_answers(cell.rows)
        return CostTally(
            items=len(answers),
            sessions=len({session for _, session in mine.values()}),
            seconds=seconds,
            tokens=(tokens.prompt, tokens.computed, tokens.shared, tokens.output),
            read=cell.read,
            written=(sum(size[0] for size in sizes), sum(size[1] for size in sizes)),
            **_phases(answers, written, tokens, seconds),
            flops=flops,
            flops_reason=flops_reason,
            joules=_joules(spans, [session for _, session in mine.values()]),
            **right,
            setting=self._place(cell.dtype),
            generated=bool(written),
            samples={"output": [answer.tokens.output for answer in written], **samples} if written else {},
            latency_reason=latency_reason,
            **{
                name: _greatest(span.get(name) for span in spans.values())
                for name in ("load_seconds", "peak_rss_bytes", "peak_device_bytes")
            },
        )

    def _flops(self, answers: Sequence[Answer]) -> tuple[float | None, str | None]:
        if self._arch is None and self._arch_reason is None:
            self._arch, self._arch_reason = self._find_architecture()
        if self._arch is None:
            return None, self._arch_reason
        window = self.setup.spec.max_length or self._arch.max_position_embeddings
        return computed_flops(self._arch, answers, window), None

    def _find_architecture(self) -> tuple[Architecture | None, str | None]:
        from harness.config.memory import known_architecture

        try:
            arch = known_architecture(self.setup.spec, self.setup.config.mirror)
        except HarnessError as error:
            return None, str(error)
        return (
            arch,
            None if arch is not None else "the model's architecture is not known, so its FLOPs are not",
        )

    def _place(self, dtype: str | None) -> Setting:
        """Price and ceiling of the device; found once."""
        if self._setting is None:
            self._setting = setting_of(self.setup.device, dtype, self.setup.config.usd_per_hour)
        return self._setting


@dataclass(frozen=True)
class CellAnswers:
    """A cell as it was marked: its answers by key, its rows, and characters and bytes of its items
    (None where they are not known).
    """

    task: str
    cell_id: str
    answers: Mapping[str, Answer]
    rows: Sequence[Row]
    read: tuple[int, int] | None
    dtype: str | None


def setting_of(device: str, dtype: str | None, own_price: float | None) -> Setting:
    """Accelerators, price and peak of ``cpu`` or ``cuda`` (all visible GPUs) for answers in a
    number format.
    """
    from harness.meter import prices
    from harness.meter.checks import EnergyError
    from harness.meter.nvml import visible_names

    names: list[str] = []
    unseen = "CPUs are not in the hardware catalogue; harness bench measures a ceiling"
    if device.startswith("cuda"):
        try:
            names = visible_names()
        except EnergyError as error:
            unseen = str(error)
    name = names[0] if names else None
    price = prices.usd_per_hour(name, own_price)
    peak, ceiling, reason = _ceiling(name, dtype, max(1, len(names))) if name else (None, None, unseen)
    return Setting(
        accelerators=max(1, len(names)),
        usd_per_hour=price.usd_per_hour if price else None,
        price_source=price.source if price else None,
        price_date=price.date if price else None,
        price_reason=None if price else prices.why_no_price(name),
        ceiling=ceiling,
        ceiling_flops=peak,
        ceiling_reason=reason,
    )


def _ceiling(name: str, dtype: str | None, count: int) -> tuple[float | None, str | None, str | None]:
    from harness.meter.hardware import find_chip

    form = CEILINGS.get(dtype or "")
    if form is None:
        return None, None, f"the hardware catalogue has no peak for {dtype or 'an unknown number format'}"
    try:
        chip = find_chip(name)
        peak = chip.figure(form)  # type: ignore[arg-type]
    except HarnessError as error:
        return None, None, str(error)
    return count * peak, f"datasheet: {count} × {chip.name} {form}", None


def read_sizes(items: Sequence[Item], keys: set[str]) -> tuple[int, int] | None:
    """Characters (NFC) and UTF-8 bytes of what was asked, of the items with these keys: of a
    choice, every context and continuation. None where an item is given as token ids.
    """
    characters = bytes_ = 0
    for item in items:
        if item.key not in keys:
            continue
        if isinstance(item, Completion) and item.prompt_ids is not None:
            return None
        for text, times in _texts(item):
            size = _size(text)
            characters, bytes_ = characters + times * size[0], bytes_ + times * size[1]
    return characters, bytes_


def _texts(item: Item) -> Iterator[tuple[str, int]]:
    """The item's texts and how often each is read."""
    if isinstance(item, Choice):
        counts: dict[str, int] = {}
        for pair in item.pairs:
            for text in pair:
                counts[text] = counts.get(text, 0) + 1
        yield from counts.items()
    else:
        yield (item.text if isinstance(item, Passage) else item.prompt), 1


def _size(text: str) -> tuple[int, int]:
    if text.isascii():
        return len(text), len(text)
    whole = text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
    return len(whole), len(whole.encode("utf-8", "replace"))


def right_answers(rows: Sequence[Row]) -> dict[str, Any]:
    """How many answers were right by the primary metric, where that counts answers (its interval is
    Wilson's).
    """
    from harness.analysis.primary import primary

    key = primary(rows[0].task, rows) if rows else None
    row = next((row for row in rows if (row.metric, row.filter or "none") == key), None)
    if row is None or row.value is None:
        return {"correct": None, "marked": 0, "metric": None, "correct_reason": "there is no score"}
    if not (row.interval or "").startswith("wilson"):
        reason = f"{row.metric} does not count right answers"
        return {"correct": None, "marked": row.n, "metric": row.metric, "correct_reason": reason}
    return {"correct": row.value * row.n, "marked": row.n, "metric": row.metric, "correct_reason": None}


def _phases(
    answers: Sequence[Answer], written: Sequence[Generation], tokens: Tokens, seconds: float
) -> dict[str, Any]:
    """Tokens and seconds of prefill and of decoding."""
    if not written:
        return {"prefill": (tokens.prompt, tokens.computed, seconds), "decode": None}
    if len(written) < len(answers) or any(
        answer.prefill_seconds is None or answer.decode_seconds is None for answer in written
    ):
        return {"prefill": None, "decode": None}
    steps = sum(max(0, answer.tokens.output - 1) for answer in written)
    reading = sum(answer.prefill_seconds or 0.0 for answer in written)
    writing = sum(answer.decode_seconds or 0.0 for answer in written)
    return {"prefill": (tokens.prompt, tokens.computed - steps, reading), "decode": (steps, writing)}


def _joules(spans: Mapping[str, Mapping[str, Any]], sessions: Sequence[str]) -> Joules:
    """Energy of the sessions that were metered to their end, and how many of these answers they
    gave.
    """
    here = set(sessions)
    known = {
        name: span["energy"]
        for name, span in spans.items()
        if name in here and span["energy"]["joules_gross"] is not None
    }
    if not known:
        reasons = [span["energy"]["reason"] for span in spans.values()]
        return Joules(reason=reasons[-1] if reasons else "no session was metered to its end")
    nets = [energy["joules_net"] for energy in known.values()]
    whole = None not in nets
    return Joules(
        gross=sum(energy["joules_gross"] for energy in known.values()),
        idle=sum(energy["joules_idle"] for energy in known.values()) if whole else None,
        net=sum(nets) if whole else None,
        items=sum(session in known for session in sessions),
        seconds=sum(energy["seconds"] for energy in known.values()),
        source="+".join(sorted({energy["source"] for energy in known.values()})),
        reason=next((energy["reason"] for energy in known.values() if energy["reason"]), None),
    )


def _open(device: str) -> tuple[PowerSource | None, str | None]:
    """What tells the device's energy, kept open for all cells, or the reason why nothing does."""
    from harness.meter import energy
    from harness.meter.checks import EnergyError

    try:
        return energy.open_source(device), None
    except EnergyError as error:
        return None, str(error)


def _idle_watts(device: str, source: PowerSource | None) -> float | None:
    """Power of a GPU before anything is loaded on it; None where it cannot be read, and on CPUs,
    which are busy starting this process.
    """
    return source.power() if source is not None and device.startswith("cuda") else None


def peak_rss() -> int:
    """Greatest resident memory of this process so far, in bytes."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024


def peak_device_bytes() -> int | None:
    """Greatest memory of this process's CUDA tensors since `_forget_peak`; None without CUDA."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return int(sum(torch.cuda.max_memory_allocated(index) for index in range(torch.cuda.device_count())))


def _forget_peak() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        for index in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(index)


def _greatest(values: Any) -> Any:
    return max((value for value in values if value is not None), default=None)
