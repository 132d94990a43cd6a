"""The bars of a run on a terminal: one line per running cell, one for all cells.

The only module of the run that imports rich.
"""

from __future__ import annotations

from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
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

WIDE = 100
"""Columns of a terminal from which on bars are long; on a narrower one names and figures need the room."""


class LineFigures(ProgressColumn):
    """A line's figures; the seconds that pass where there is nothing else to count."""

    def render(self, task: Task) -> Text:
        """Drawn anew several times per second, so that nothing looks stuck."""
        figures = str(task.fields["figures"])
        waiting = task.total is None and task.elapsed is not None
        return Text(f"{figures}, {clock_text(task.elapsed or 0)}" if waiting else figures, style="dim")


class RichReporter:
    """Bars with items per second and time left.

    Failures are lines above the bars; successes are only counted, since the table will show them,
    unless ``every`` cell is to be a line.
    """

    def __init__(self, stream: TextIO, *, every: bool = False) -> None:
        self.state = RunState()
        self.lines = CellLines(every=every)
        self.console = Console(file=stream, highlight=False)
        wide = self.console.width >= WIDE
        name = Column(no_wrap=True, overflow="ellipsis", max_width=self.console.width - (74 if wide else 54))
        columns = (
            TextColumn("{task.description}", markup=False, table_column=name),
            BarColumn(bar_width=24 if wide else 8),
            LineFigures(table_column=Column(no_wrap=True, overflow="ellipsis")),
        )
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
