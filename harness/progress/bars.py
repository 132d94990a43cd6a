"""The bars of a run on a terminal: one line a running cell, one for all cells.

The only module of the run that imports rich.
"""

from __future__ import annotations

from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from harness.progress.reporters import Progress as State
from harness.progress.reporters import download_text, pace_text, plain, plural
from harness.workers.events import Event

PHASES = {"files": "looking for files", "loading": "loading weights"}


class RichReporter:
    """Bars with items a second and time left; failures as lines above them, successes only counted
    (the table will show them).
    """

    def __init__(self, stream: TextIO) -> None:
        self.state = State()
        self.console = Console(file=stream, highlight=False)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}", markup=False, style="dim"),
        )
        self._bars = Progress(*columns, console=self.console, transient=True, refresh_per_second=8)
        self._all: TaskID | None = None
        self._lines: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> RichReporter:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def message(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(Text(plain(text)))

    def event(self, event: Event) -> None:
        """Moves the bars."""
        self.state.take(event)
        kind, state = event["event"], event.get("state")
        if kind == "plan":
            self._all = self._bars.add_task(
                "all cells", total=event["cells"], figures=f"0/{event['cells']} cells"
            )
        elif kind == "model":
            self._model(event)
        elif kind == "download":
            self._show(
                (event["model"], ""),
                f"{event['model']}: downloading",
                event.get("done"),
                event.get("total"),
                download_text(event),
            )
        elif kind == "progress":
            self._progress(event)
        elif kind == "cell" and state == "loading":
            self._hide((event["model"], ""))
            self._show(
                (event["model"], event["task"]), f"{event['model']} {event['task']}", None, None, "preparing"
            )
        elif kind == "cell" and state == "end":
            self._cell(event)
        elif kind in ("exit", "fatal"):
            self._drop(event["model"])

    def _model(self, event: Event) -> None:
        model, state = event["model"], str(event.get("state"))
        if state in PHASES:
            # Weights are loaded when the first cell asks for them: then that cell's line says so,
            # instead of a second line.
            task = next((task for name, task in self._lines if name == model and task), "")
            text = f"{model} {task}" if task else model
            self._show((model, task), text, None, None, PHASES[state])
        elif state == "end":
            self._drop(model)
        else:
            self._hide((model, ""))

    def _progress(self, event: Event) -> None:
        key = (event["model"], event["task"])
        pace, now = self.state.running[key], self.state.clock()
        figures = f"{pace.done}/{pace.total}{pace_text(pace, now)}"
        self._hide((event["model"], ""))
        self._show(key, f"{key[0]} {key[1]}", pace.done, pace.total, figures)

    def _cell(self, event: Event) -> None:
        self._hide((event["model"], event["task"]))
        if self._all is not None:
            more = ", writing results" if self.state.ended >= self.state.cells else ""
            self._bars.update(
                self._all,
                completed=self.state.ended,
                figures=f"{self.state.ended}/{self.state.cells} cells{more}",
            )
        reason = str(event.get("reason") or event.get("status"))
        if event.get("status") != "ok" and self.state.is_news(event["model"], reason):
            self.message(f"{event['model']} {event['task']}: {event.get('status')}: {reason}")

    def _show(
        self, key: tuple[str, str], text: str, done: float | None, total: float | None, figures: str
    ) -> None:
        if key not in self._lines:
            self._lines[key] = self._bars.add_task("", total=None, figures="")
        self._bars.update(
            self._lines[key], description=plain(text), completed=done or 0, total=total, figures=figures
        )

    def _hide(self, key: tuple[str, str]) -> None:
        line = self._lines.pop(key, None)
        if line is not None:
            self._bars.remove_task(line)

    def _drop(self, model: str) -> None:
        for key in [key for key in self._lines if key[0] == model]:
            self._hide(key)
        for _, count in self.state.repeated(model):
            self.message(f"{model}: {plural(count, 'more cell')} for the same reason")
