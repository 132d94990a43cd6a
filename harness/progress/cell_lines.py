"""Which lines the ends of a run's cells are worth: subjects of a group are one line, a reason that
several cells and models share is said once, and what was done before is a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.wording import list_some, plural
from harness.workers.events import CellEnded, RunPlanned

NAMED = 4
"""Models named in one line; of more the first ones and a count."""


@dataclass(frozen=True)
class CellLine:
    """A line, and whether a person at a terminal is told: what succeeds stands in the table."""

    text: str
    notable: bool = False


@dataclass
class _Subjects:
    """The cells of one group and one model so far."""

    total: int
    values: list[tuple[float, int]] = field(default_factory=list)
    metric: str | None = None
    ended: int = 0
    before: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    reasons: dict[str, None] = field(default_factory=dict)


class CellLines:
    """Turns ends of cells into lines; with ``every`` each cell is one."""

    def __init__(self, *, every: bool = False) -> None:
        self.every = every
        self._groups: Mapping[str, str] = {}
        self._weighted: frozenset[str] = frozenset()
        self._sizes: dict[str, int] = {}
        self._open: dict[tuple[str, str], _Subjects] = {}
        self._skips: dict[tuple[str, int], None] = {}
        self._before = self._skipped_before = 0
        self._failures: dict[tuple[str, str], dict[str, int]] = {}

    def plan(self, event: RunPlanned) -> None:
        """Learns which tasks are subjects of a group."""
        self._groups, self._weighted = event.groups, frozenset(event.weighted)
        for task in event.tasks:
            if task in self._groups:
                self._sizes[self._groups[task]] = self._sizes.get(self._groups[task], 0) + 1

    def ended(self, event: CellEnded, seconds: float) -> list[CellLine]:
        """The lines that the end of a cell is worth now."""
        scored = event.status == "ok" or event.value is not None
        if self.every:
            return [CellLine(cell_line(event, seconds), not scored)]
        group = self._groups.get(event.task)
        if group is not None and self._sizes[group] > 1:
            return self._subject(event, group, seconds)

        if event.before:
            self._before += event.status == "ok"
            self._skipped_before += event.status != "ok"
            return []
        if scored:
            return [*self._past(), CellLine(cell_line(event, seconds))]
        return self._failure(event)

    def _subject(self, event: CellEnded, group: str, seconds: float) -> list[CellLine]:
        key = event.model, group
        subjects = self._open.setdefault(key, _Subjects(self._sizes[group]))
        subjects.ended += 1
        subjects.before += event.before
        subjects.seconds += seconds

        lines = []
        if event.value is not None:
            subjects.metric = subjects.metric or event.metric
            if event.metric == subjects.metric:
                weight = event.n if group in self._weighted else 1
                subjects.values.append((event.value, weight))
        if event.status == "skipped":
            subjects.skipped += 1
            subjects.reasons.setdefault(event.reason or "no reason given")
        elif event.status != "ok":
            subjects.failed += 1
            lines = self._failure(event)
        return [*lines, *(self._close(key) if subjects.ended >= subjects.total else [])]

    def _close(self, key: tuple[str, str]) -> list[CellLine]:
        """The line of a group whose subjects have ended, or of as many as have."""
        (model, group), subjects = key, self._open.pop(key)
        done = subjects.ended - subjects.skipped - subjects.failed
        if subjects.before == subjects.ended:
            self._before += done
            self._skipped_before += subjects.skipped
            return []
        lines = []

        # Fifty subjects that a mirror lacks are one fact, and the same one for the next model.
        if subjects.skipped and (group, subjects.skipped) not in self._skips:
            self._skips[group, subjects.skipped] = None
            first, *others = subjects.reasons
            more = f" (and {len(others)} alike)" if others else ""
            first = first.partition("; nearest: ")[0] if others else first
            what = f"{subjects.skipped} of {subjects.total} subjects skipped"
            lines.append(CellLine(f"{group}: {what}: {first}{more}", notable=True))

        parts = [f"{done} of {subjects.total} subjects"]
        weight = sum(each for _, each in subjects.values)
        if weight and subjects.metric:
            mean = sum(value * each for value, each in subjects.values) / weight
            parts.append(f"{subjects.metric} {mean:.3f}")
        parts += [f"{subjects.failed} failed"] if subjects.failed else []
        parts += [f"{subjects.before} done before"] if subjects.before else []
        line = CellLine(f"{model} {group}: {', '.join([*parts, f'{subjects.seconds:.1f} s'])}")
        return [*self._past(), *lines, line]

    def _failure(self, event: CellEnded) -> list[CellLine]:
        """A reason is a line when it comes up first; `close` says how often it came again."""
        # Reasons begin with the model that they are about, and are the same for another one.
        reason = (event.reason or event.status).removeprefix(f"{event.model}: ")
        models = self._failures.setdefault((event.status, reason), {})
        models[event.model] = models.get(event.model, 0) + 1
        news = sum(models.values()) == 1
        text = f"{event.model} {event.task}: {event.status}: {reason}"
        return [*self._past(), CellLine(text, notable=True)] if news else []

    def _past(self) -> list[CellLine]:
        """What was done before, once something new is said."""
        done, skipped = self._before, self._skipped_before
        self._before = self._skipped_before = 0
        more = f", {skipped} without data skipped again" if skipped else ""
        verb = "was" if done == 1 else "were"
        return (
            [CellLine(f"{plural(done, 'cell')} {verb} done before{more}", notable=True)]
            if done or skipped
            else []
        )

    def model_ended(self, model: str) -> list[CellLine]:
        """The groups of a model that ended without them."""
        keys = [key for key in self._open if key[0] == model]
        return [line for key in keys for line in self._close(key)]

    def close(self) -> list[CellLine]:
        """What is left to say after the last cell."""
        lines = [line for key in list(self._open) for line in self._close(key)]
        for (status, reason), models in self._failures.items():
            count = sum(models.values())
            if count > 1:
                names = next(iter(models)) if len(models) == 1 else _names(list(models))
                text = f"{names}: {count} cells {status} for one reason: {reason}"
                lines.append(CellLine(text, notable=True))
        self._failures.clear()
        return [*self._past(), *lines]


def _names(models: list[str]) -> str:
    return f"{len(models)} models ({list_some(models, NAMED)})"


def cell_line(event: CellEnded, seconds: float) -> str:
    """A finished cell: ``tiny-qwen zh_arithmetic: acc 0.850 ±0.040, n 200, 1.2 s``."""
    if event.value is None and event.status != "ok":
        return f"{event.model} {event.task}: {event.status}: {event.reason or event.status}"
    parts = [f"{event.metric} {event.value:.3f}" if event.value is not None else "done"]
    if event.ci95:
        parts[0] += f" ±{(event.ci95[1] - event.ci95[0]) / 2:.3f}"
    if event.n:
        parts.append(f"n {event.n}")
    parts.append("done before" if event.before else f"{seconds:.1f} s")

    # A cell that was cut short may have a score: the line must not look like a whole one.
    if event.status != "ok":
        parts.append(f"{event.status}: {event.reason}")
    return f"{event.model} {event.task}: {', '.join(parts)}"
