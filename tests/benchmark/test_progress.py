"""Cell x of y and the time left while shapes are measured."""

from __future__ import annotations

import io

from harness.progress.bench import BenchBars, BenchProgress, BenchState, bench_progress


def test_a_line_per_cell_and_one_in_between() -> None:
    now = [0.0]
    lines: list[str] = []
    progress = BenchProgress(lines.append, lambda: now[0])
    progress.plan(3, 40.0)
    progress.repeat("m 8>4 x1", 2.0, "repeat 1, 9.0 tok/s")
    now[0] = 11.0
    progress.repeat("m 8>4 x1", 11.0, "repeat 5, 9.0 tok/s")
    progress.ended("m 8>4 x1", "9.0 tok/s ±1.0 %, 5 repeats")
    progress.ended("m 8>4 x2", "failed: no room", measured=False)
    progress.ended("m 8>4 x4", "9.0 tok/s ±1.0 %, 5 repeats")
    assert lines == [
        "cell 1 of 3, m 8>4 x1: repeat 5, 9.0 tok/s, at most 1:49 left",
        "[1/3] m 8>4 x1: 9.0 tok/s ±1.0 %, 5 repeats, about 0:22 left",
        "[2/3] m 8>4 x2: failed: no room, about 0:11 left",
        "[3/3] m 8>4 x4: 9.0 tok/s ±1.0 %, 5 repeats",
    ]


def test_cells_that_were_not_measured_say_nothing_of_the_others() -> None:
    state = BenchState(cells=3, budget=60.0)
    state.end("a", measured=False)
    assert state.left_text() == ", at most 2:00 left"


def test_who_shows_progress() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    with bench_progress(out) as bars:
        assert isinstance(bars, BenchBars)
        bars.plan(2, 10.0)
        bars.waiting("m: loading")
        bars.repeat("m 8>4 x1", 2.0, "repeat 1")
        bars.ended("m 8>4 x1", "9.0 tok/s")
        bars.message("a line")
    assert "[1/2] m 8>4 x1: 9.0 tok/s" in out.getvalue()
    lines = io.StringIO()
    bench_progress(lines).message("said")
    bench_progress(lines, quiet=True).message("not said")
    assert lines.getvalue() == "said\n"
