"""What a person sees while shapes are measured: cell x of y, repeats, and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from harness.progress.reporters import SILENCE, clock_text, plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass
class BenchState:
    """Cells measured, and seconds that each took of its budget."""

    cells: int = 0
    budget: float = 0.0
    ended: int = 0
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds of the cells that are being measured."""
    _took: list[float] = field(default_factory=list)

    def end(self, cell: str, measured: bool) -> None:
        """A cell is over. One that was done before or failed at once says nothing of the others."""
        self.ended += 1
        seconds = self.spent.pop(cell, 0.0)
        if measured:
            self._took.append(seconds)

    def left_text(self) -> str:
        """``, about 3:20 left``; before any cell is whole, the most that the budget allows."""
        usual = sum(self._took) / len(self._took) if self._took else self.budget
        waiting = self.cells - self.ended - len(self.spent)
        seconds = waiting * usual + sum(max(0.0, usual - spent) for spent in self.spent.values())
        word = "about" if self._took else "at most"
        return f", {word} {clock_text(seconds)} left" if seconds >= 1 else ""


class BenchProgress:
    """Lines: one per cell, and one in between where `SILENCE` seconds go by."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.say, self._clock = say, clock
        self.state = BenchState()
        self._last = clock()

    def __enter__(self) -> BenchProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def message(self, text: str) -> None:
        """A line for people."""
        self._last = self._clock()
        self.say(plain(text))

    def plan(self, cells: int, budget: float) -> None:
        """How many cells there are, and the most seconds that each may take."""
        self.state.cells, self.state.budget = cells, budget

    def waiting(self, text: str) -> None:
        """Something that may take long has begun: a model is loaded, a shape warmed up."""
        if self._clock() - self._last >= SILENCE or self.state.ended == 0:
            self.message(text)

    def repeat(self, cell: str, seconds: float, text: str) -> None:
        """A repeat was made; ``seconds``: spent on the cell so far."""
        self.state.spent[cell] = seconds
        if self._clock() - self._last >= SILENCE:
            self.message(f"{self._place()} {cell}: {text}{self.state.left_text()}")

    def ended(self, cell: str, text: str, *, measured: bool = True) -> None:
        """A cell is over."""
        self.state.end(cell, measured)
        width = len(str(self.state.cells))
        count = f"[{self.state.ended:>{width}}/{self.state.cells}]"
        self.message(f"{count} {cell}: {text}{self.state.left_text()}")

    def _place(self) -> str:
        return f"cell {self.state.ended + 1} of {self.state.cells},"


class BenchBars(BenchProgress):
    """One bar of all cells on a terminal, and below it what is being measured."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(file=stream, highlight=False)
        columns: tuple[Any, ...] = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24 if console.width >= 100 else 8),
            TextColumn("{task.fields[figures]}", markup=False, style="dim"),
            TimeElapsedColumn(),
        )
        self._bars: Progress = Progress(*columns, console=console, transient=True, refresh_per_second=4)
        super().__init__(self._print)
        self._all: TaskID = self._bars.add_task("cells", total=None, figures="")
        self._now: TaskID = self._bars.add_task("", total=None, figures="", visible=False)

    def __enter__(self) -> BenchBars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def _print(self, text: str) -> None:
        from rich.text import Text

        self._bars.console.print(Text(text))

    def waiting(self, text: str) -> None:
        """A line that counts seconds, since nothing else moves."""
        self._show(text, 0, None, "")

    def repeat(self, cell: str, seconds: float, text: str) -> None:
        """Moves the bars."""
        self.state.spent[cell] = seconds
        self._show(cell, seconds, self.state.budget, text)
        self._whole()

    def ended(self, cell: str, text: str, *, measured: bool = True) -> None:
        """A line above the bars, and the next cell."""
        super().ended(cell, text, measured=measured)
        self._bars.update(self._now, visible=False)
        self._whole()

    def _show(self, text: str, done: float, total: float | None, figures: str) -> None:
        new = self._bars.tasks[-1].description != plain(text)
        if new:
            self._bars.reset(self._now)
        self._bars.update(
            self._now,
            description=plain(text),
            completed=min(done, total or done),
            total=total,
            figures=figures,
            visible=True,
        )

    def _whole(self) -> None:
        state = self.state
        figures = f"cell {min(state.ended + 1, state.cells)} of {state.cells}{state.left_text()}"
        self._bars.update(self._all, total=state.cells, completed=state.ended, figures=figures)


def bench_progress(stream: TextIO, *, quiet: bool = False) -> BenchProgress:
    """Bars where ``stream`` is a terminal, lines elsewhere, nothing with ``quiet``."""
    if quiet:
        return BenchProgress(lambda text: None)
    if stream.isatty():
        return BenchBars(stream)
    return BenchProgress(lambda text: print(text, file=stream, flush=True))
