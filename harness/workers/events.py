"""What workers say of themselves: one class per event, and the one place that writes and reads them.

An event is one JSON line, ``{"event": kind, …fields}``. A worker of another version may say more
than this one understands (a remote executor need not run the same checkout), so what is unknown
becomes a note for people and never ends a run.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

from harness.results.schema import Status


@dataclass(frozen=True)
class WorkerStarted:
    """A worker's process runs."""

    kind: ClassVar[str] = "started"
    pid: int


@dataclass(frozen=True)
class RunPlanned:
    """What a run is about to do; said by the parent, before any worker speaks.

    ``groups``: the outermost group of each task that has one; ``weighted``: groups that score by
    items.
    """

    kind: ClassVar[str] = "planned"
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    cells: int
    groups: dict[str, str] = field(default_factory=dict)
    weighted: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelPhase:
    """A model's files are looked for, or its weights are loaded."""

    kind: ClassVar[str] = "model-phase"
    model: str
    phase: Literal["files", "loading"]


@dataclass(frozen=True)
class ModelLoaded:
    """A model is ready to answer; ``seconds`` is what loading took."""

    kind: ClassVar[str] = "model-loaded"
    model: str
    seconds: float


@dataclass(frozen=True)
class ModelEnded:
    """A worker is done with its model."""

    kind: ClassVar[str] = "model-ended"
    model: str
    status: Status
    reason: str | None = None


@dataclass(frozen=True)
class DownloadProgress:
    """Bytes of a model that are here, and bytes expected (0 where that is not known)."""

    kind: ClassVar[str] = "download"
    model: str
    done: int
    total: int = 0


@dataclass(frozen=True)
class CellStarted:
    """A cell's task is loaded and its prompts are rendered."""

    kind: ClassVar[str] = "cell-started"
    model: str
    task: str


@dataclass(frozen=True)
class CellProgress:
    """Items answered, of how many."""

    kind: ClassVar[str] = "cell-progress"
    model: str
    task: str
    done: int
    total: int


@dataclass(frozen=True)
class CellEnded:
    """How a cell ended, with its first row's score.

    ``twin`` where the cell is asked in place of another task, which counts instead of it;
    ``before`` where every answer was there already.
    """

    kind: ClassVar[str] = "cell-ended"
    model: str
    task: str
    status: Status
    reason: str | None = None
    metric: str | None = None
    value: float | None = None
    n: int = 0
    ci95: tuple[float, float] | None = None
    twin: bool = False
    before: bool = False


@dataclass(frozen=True)
class WorkerNote:
    """A line for people."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True)
class WorkerFailed:
    """The error that ends a worker; ``model`` is filled in by the executor."""

    kind: ClassVar[str] = "failed"
    reason: str
    model: str = ""


@dataclass(frozen=True)
class CommandAnswered:
    """The answer to one command; what ``data`` holds is the command's own affair."""

    kind: ClassVar[str] = "answered"
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CommandRefused:
    """A command that gave no figure: the name of the error, and why. The worker lives on."""

    kind: ClassVar[str] = "refused"
    error: str
    reason: str


@dataclass(frozen=True)
class WorkerExited:
    """A worker's process is gone; ``reason`` is None where it ended well. Said by the executor."""

    kind: ClassVar[str] = "exited"
    model: str
    shard: int
    reason: str | None = None
    code: int = 0


Event = (
    WorkerStarted
    | RunPlanned
    | ModelPhase
    | ModelLoaded
    | ModelEnded
    | DownloadProgress
    | CellStarted
    | CellProgress
    | CellEnded
    | WorkerNote
    | WorkerFailed
    | CommandAnswered
    | CommandRefused
    | WorkerExited
)
KINDS: dict[str, type[Event]] = {kind.kind: kind for kind in get_args(Event)}
"""Every event's class by the name that goes over the wire."""


def encode_event(event: Event) -> str:
    """The event as one JSON line without its end.

    ASCII only: a reason may hold half a character, which UTF-8 cannot carry.
    """
    fields = {one.name: getattr(event, one.name) for one in dataclasses.fields(event)}
    return json.dumps({"event": event.kind, **fields}, ensure_ascii=True)


class EventDecoder:
    """Reads one worker's lines. What it does not understand becomes a note, each kind of it once."""

    def __init__(self) -> None:
        self._noted: set[str] = set()

    def decode(self, line: str) -> tuple[Event, ...]:
        """The events of a line: none for a line of other output, else the event and its notes."""
        try:
            message = json.loads(line)
        except ValueError:
            return ()
        if not isinstance(message, dict) or not isinstance(message.get("event"), str):
            return ()

        name = message.pop("event")
        kind = KINDS.get(name)
        if kind is None:
            return self._note(f"a worker sent an event that this version does not know: {name}")

        names = {one.name for one in dataclasses.fields(kind)}
        notes: tuple[Event, ...] = ()
        for extra in sorted(message.keys() - names):
            notes += self._note(f"a worker's event {name!r} has a field that is not known: {extra}")
        try:
            return (_build(kind, {key: message[key] for key in message.keys() & names}), *notes)
        except TypeError:
            missing = ", ".join(sorted(_required(kind) - message.keys()))
            return self._note(f"a worker's event {name!r} lacks {missing} and is left out")

    def _note(self, text: str) -> tuple[Event, ...]:
        if text in self._noted:
            return ()
        self._noted.add(text)
        return (WorkerNote(text),)


def _build(kind: type[Event], fields: Mapping[str, Any]) -> Event:
    """JSON has no tuples: a list that is a field's whole value was one."""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    make: Callable[..., Event] = kind
    return make(**values)


def _required(kind: type[Event]) -> set[str]:
    return {
        one.name
        for one in dataclasses.fields(kind)
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    }
