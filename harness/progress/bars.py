"""The bars of a run on a terminal: one line per running cell, one for all cells.

The only module of the run that imports rich.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID
from rich.text import Text

from harness.progress.cell_lines import CellLine, CellLines
from harness.progress.reporters import PHASES, clock_text, download_text, pace_line, plain
from harness.progress.state import RunState
from harness.workers.events import (
    CellEnded,
    CellProgress,
    CellStarted,
    DownloadProgress,
    Event,
    ModelEnded,
    ModelLoaded,
    ModelPhase,
    RunPlanned,
    WorkerExited,
    WorkerFailed,
)

BARS = ((100, 24), (70, 10))
"""From so many columns of the terminal on, bars of so many; on a narrower one none."""
NAME = 10
"""Columns that a name has at least; figures that do not fit beside it are left out whole."""


class NameColumn(ProgressColumn):
    """What a line is about; where there is no room, without its middle."""

    def __init__(self, console: Console, bar: int, lines: Callable[[], Iterable[Task]]) -> None:
        super().__init__()
        self.console, self.bar, self.lines = console, bar, lines

    def render(self, task: Task) -> Text:
        """The name beside the longest figures of all lines."""
        width = self.console.width
        figures = max(cell_len(whole_parts(figures_of(one), width)) for one in self.lines())
        room = width - figures - 1 - (self.bar + 1 if self.bar else 0)
        return Text(without_middle(task.description, room), no_wrap=True)


class FiguresColumn(ProgressColumn):
    """How far a line is, as much as fits."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def render(self, task: Task) -> Text:
        """Figures, none of them cut."""
        return Text(whole_parts(figures_of(task), self.console.width), style="dim", no_wrap=True)


def figures_of(task: Task) -> str:
    """A line's figures, with the seconds that pass where nothing is counted."""
    figures = str(task.fields["figures"])
    waiting = task.total is None and task.elapsed is not None
    return f"{figures}, {clock_text(task.elapsed or 0)}" if waiting else figures


def whole_parts(figures: str, width: int) -> str:
    """The parts between commas that fit beside a short name: a digit less would be another number."""
    parts = figures.split(", ")
    while len(parts) > 1 and cell_len(", ".join(parts)) > width - NAME - 1:
        parts.pop()
    return ", ".join(parts)


def without_middle(text: str, width: int) -> str:
    """The text with an ellipsis in its middle where it is wider than ``width``: names of models and
    tasks differ at their ends.
    """
    if cell_len(text) <= width:
        return text
    head, tail = text[: len(text) // 2], text[len(text) // 2 :]
    while head and cell_len(head) + cell_len(tail) + 1 > width:
        if cell_len(head) > cell_len(tail):
            head = head[:-1]
        else:
            tail = tail[1:]
    return f"{head}…{tail}"


class RichReporter:
    """Bars with items per second and time left.

    Failures are lines above the bars; successes are only counted, since the table will show them,
    unless ``every`` cell is to be a line.
    """

    def __init__(self, stream: TextIO, *, every: bool = False) -> None:
        self.state = RunState()
        self.lines = CellLines(every=every)
        self.console = Console(file=stream, highlight=False)
        bar = next((size for least, size in BARS if self.console.width >= least), 0)
        columns: list[ProgressColumn] = [
            NameColumn(self.console, bar, lambda: self._bars.tasks),
            *([BarColumn(bar_width=bar)] if bar else []),
            FiguresColumn(self.console),
        ]
        self._bars = Progress(*columns, console=self.console, transient=True, refresh_per_second=8)
        self._all: TaskID | None = None
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> RichReporter:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say(self.lines.close())
        self._bars.stop()

    def message(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(Text(plain(text)))

    def event(self, event: Event) -> None:
        """Moves the bars."""
        seconds = self.state.take(event)
        match event:
            case RunPlanned():
                self.lines.plan(event)
                self._all = self._bars.add_task("all cells", total=event.cells, figures=f"0/{event.cells}")
            case ModelPhase():
                self._phase(event)
            case ModelLoaded():
                self._hide((event.model, ""))
            case DownloadProgress():
                text = f"{event.model}: downloading"
                self._show((event.model, ""), text, event.done, event.total or None, download_text(event))
            case CellStarted():
                # The model's own line gives way to the line of its first cell.
                self._hide((event.model, ""))
                key = event.model, event.task
                self._show(key, f"{event.model} {event.task}", None, None, "building prompts")
            case CellProgress():
                self._progress(event)
            case CellEnded():
                self._hide((event.model, event.task))
                self._say(self.lines.ended(event, seconds))
            case ModelEnded() | WorkerExited() | WorkerFailed():
                self._drop(event.model)
        self._whole()

    def _say(self, lines: list[CellLine]) -> None:
        for line in lines:
            if line.notable or self.lines.every:
                self.message(line.text)

    def _phase(self, event: ModelPhase) -> None:
        # Weights are loaded when the first cell asks for them: then that cell's line says so,
        # instead of a second line.
        task = next((task for model, task in self._tasks if model == event.model and task), "")
        text = f"{event.model} {task}" if task else event.model
        self._hide((event.model, task))
        self._show((event.model, task), text, None, None, PHASES[event.phase])

    def _progress(self, event: CellProgress) -> None:
        key = (event.model, event.task)
        pace = self.state.running[key]
        self._hide((event.model, ""))
        figures = pace_line(pace, self.state.clock())
        self._show(key, f"{key[0]} {key[1]}", pace.done, pace.total, figures)

    def _whole(self) -> None:
        """The bar of all cells, with the time that the whole run may still take."""
        if self._all is None:
            return
        left = self.state.left()
        figures = f"{self.state.ended}/{self.state.cells} cells"
        figures += f", about {clock_text(left)} left" if left else ""

        # After the last cell the parent still assembles the results: the bar must not look stuck.
        figures += ", writing results" if self.state.ended >= self.state.cells else ""
        self._bars.update(self._all, completed=self.state.ended, figures=figures)

    def _show(
        self, key: tuple[str, str], text: str, done: float | None, total: float | None, figures: str
    ) -> None:
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(plain(text), total=total, figures=figures)
        self._bars.update(
            self._tasks[key], description=plain(text), completed=done or 0, total=total, figures=figures
        )

    def _hide(self, key: tuple[str, str]) -> None:
        line = self._tasks.pop(key, None)
        if line is not None:
            self._bars.remove_task(line)

    def _drop(self, model: str) -> None:
        for key in [key for key in self._tasks if key[0] == model]:
            self._hide(key)
        self._say(self.lines.model_ended(model))
