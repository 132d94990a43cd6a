"""The meter in a worker: watches energy and memory while a cell is answered, and sums its cost up."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from harness.engines.registry import backend_of
from harness.errors import HarnessError
from harness.evaluation.cell_sums import (
    CellAnswers,
    joule_sums,
    phase_sums,
    request_sums,
    right_answers,
    text_size,
    token_sums,
)
from harness.evaluation.device_price import setting_of
from harness.evaluation.memory_peaks import forget_peak, peak_device_bytes, peak_rss
from harness.items import Answer, Generation
from harness.meter.computed import computed_flops
from harness.meter.money import with_rates
from harness.meter.natural import latencies
from harness.meter.tally import CostTally, Setting
from harness.meter.token_prices import token_rates, why_no_rates
from harness.results.journal import Journal

if TYPE_CHECKING:
    from harness.config.architecture import Architecture
    from harness.engines.protocol import Engine
    from harness.evaluation.setup import WorkSetup
    from harness.meter.energy import PowerSource

PEAKS = ("load_seconds", "peak_rss_bytes", "peak_device_bytes")
"""What a span holds beside its energy; of several sessions the greatest counts."""


class Meter:
    """One worker's meter.

    ``off`` where the config says so: then nothing is watched and nothing is summed.
    """

    def __init__(self, setup: WorkSetup, journal: Journal) -> None:
        self.setup, self.journal = setup, journal
        self.off = not setup.config.meter
        self._source: PowerSource | None = None
        self._source_reason: str | None = None
        remote = backend_of(setup.spec).asks_endpoint
        if remote:
            self._source_reason = "an endpoint's energy cannot be read here"
        elif not self.off:
            self._source, self._source_reason = _open(setup.device)

        # Before anything is loaded: later the device is never idle again.
        self._idle_watts = _idle_watts(setup.device, self._source)
        self._arch: Architecture | None = None
        self._arch_reason: str | None = None
        self._setting: Setting | None = None
        self.load_seconds: float | None = None
        self._peak: int | None = None

    @contextlib.contextmanager
    def watching(self, cell_id: str, engine: Engine) -> Iterator[None]:
        """Watches the device, and an endpoint's requests, while a cell is answered.

        What was measured is kept even where answering ends in an error.
        """
        if self.off:
            yield
            return
        from harness.meter.energy import EnergyWatch

        # The model's own peak is noted first, since the cell's is counted from zero.
        self.peak_of_all()
        forget_peak()
        before = _requests(engine)
        watched = EnergyWatch(self._source, self._idle_watts, self._source_reason)
        try:
            with watched:
                yield
        finally:
            peaks = (self.load_seconds, peak_rss(), peak_device_bytes())
            span = {"energy": asdict(watched.reading), **dict(zip(PEAKS, peaks, strict=True))}
            span["requests"] = _difference(before, _requests(engine))
            self.journal.put_span(cell_id, span)

    def peak_of_all(self) -> int | None:
        """Greatest memory of CUDA tensors in this worker's life so far, in bytes; None without CUDA."""
        self._peak = _greatest((self._peak, peak_device_bytes()))
        return self._peak

    def keep(self, cell: CellAnswers) -> None:
        """Sums a cell up and keeps the sums; takes older ones away where the meter is off."""
        tally = None if self.off or not cell.answers else self._tally(cell).to_dict()
        self.journal.put_tally(self.setup.spec.label, cell.task, tally)

    def _tally(self, cell: CellAnswers) -> CostTally:
        # Seconds and sessions of exactly the marked answers: a journal may hold more than are
        # asked.
        work, spans = self.journal.work(cell.cell_id), self.journal.spans(cell.cell_id)
        own = [work[key] for key in cell.answers if key in work]
        seconds, sessions = sum(spent for spent, _ in own), [session for _, session in own]

        answers = list(cell.answers.values())
        written = [answer for answer in answers if isinstance(answer, Generation)]
        tokens = token_sums(answers)
        sizes = [text_size(answer.text) for answer in written]
        flops, flops_reason = self._flops(answers)
        samples, latency_reason = latencies(written) if written else ({}, None)
        return CostTally(
            items=len(answers),
            sessions=len(set(sessions)),
            seconds=seconds,
            tokens=(tokens.prompt, tokens.computed, tokens.shared, tokens.output),
            read=cell.read,
            written=(sum(size[0] for size in sizes), sum(size[1] for size in sizes)),
            **phase_sums(answers, written, tokens, seconds),
            flops=flops,
            flops_reason=flops_reason,
            joules=joule_sums(spans, sessions),
            **right_answers(cell.rows),
            setting=self._device_setting(cell.dtype),
            generated=bool(written),
            samples={"output": [answer.tokens.output for answer in written], **samples} if written else {},
            latency_reason=latency_reason,
            **{name: _greatest(span.get(name) for span in spans.values()) for name in PEAKS},
            requests=request_sums(spans),
            uncounted=sum(answer.tokens.prompt == 0 for answer in answers),
            timed_from="request" if any(answer.sent is not None for answer in written) else "batch",
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
        unknown = "the model's architecture is not known, so its FLOPs are not"
        return arch, None if arch is not None else unknown

    def _device_setting(self, dtype: str | None) -> Setting:
        """Price and ceiling of the device; looked up once."""
        if self._setting is None:
            own = self.setup.config.usd_per_hour
            self._setting = setting_of(self.setup.device, dtype, own)
            # An endpoint charges tokens, unless the config says what its machine costs.
            rates = token_rates(self.setup.spec)
            if rates is not None and (own is None or self.setup.spec.price is not None):
                self._setting = with_rates(self._setting, rates)
            elif own is None and backend_of(self.setup.spec).asks_endpoint:
                # What this machine's accelerators cost says nothing of the server's.
                reason = why_no_rates(self.setup.spec)
                self._setting = replace(self._setting, usd_per_hour=None, price_reason=reason)
        return self._setting


def _open(device: str) -> tuple[PowerSource | None, str | None]:
    """The device's energy counter, kept open for all cells, or the reason why there is none."""
    from harness.meter import energy
    from harness.meter.checks import EnergyError

    try:
        return energy.open_source(device), None
    except EnergyError as error:
        return None, str(error)


def _idle_watts(device: str, source: PowerSource | None) -> float | None:
    """Power of a GPU before anything is loaded on it.

    None where it cannot be read, and on CPUs, which are busy starting this process.
    """
    return source.power() if source is not None and device.startswith("cuda") else None


def _requests(engine: Engine) -> dict[str, int] | None:
    """An endpoint's counts so far; None for engines that send no requests."""
    counts = engine.info.extra.get("requests")
    return dict(counts) if isinstance(counts, dict) else None


def _difference(before: dict[str, int] | None, after: dict[str, int] | None) -> dict[str, int] | None:
    if before is None or after is None:
        return None
    return {name: times - before.get(name, 0) for name, times in after.items() if times != before.get(name)}


def _greatest(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)
