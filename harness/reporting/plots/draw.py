"""Every picture of a set of runs, written into a folder: what ``harness report RUN… --plots
FOLDER`` does.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.comparison import compare
from harness.errors import ConfigError
from harness.reporting.plots.figures import figures
from harness.reporting.plots.save import FORMATS, FontWarning, save
from harness.reporting.plots.speed_rows import speed_figures
from harness.reporting.speed_file import read_speed_rows, speed_file
from harness.results.query import FILE, read_run
from harness.texts import LANGUAGES, Words

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart


def draw(
    runs: Sequence[str | Path], folder: Path, formats: Sequence[str] = ("svg",), language: str = "en"
) -> tuple[list[Path], list[str]]:
    """Writes every figure that the runs hold data for, in every format; returns the files and what
    could not be drawn right.

    ``runs`` are folders or names: of `harness run` (scores), of `harness bench` (speed), or both in
    one. Raises ConfigError for an unknown format or language, or where there is nothing to draw;
    RunFolderError where a file cannot be read or written.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise ConfigError(
            f"--format {','.join(formats) or '(nothing)'}: pictures are written as {', '.join(FORMATS)}, one "
            "or several with commas"
        )
    if language not in LANGUAGES:
        raise ConfigError(f"--lang {language}: pictures are written in {' or '.join(LANGUAGES)}")

    files, warned = [], []
    for name, chart in _unique(_all(runs, Words(language))):
        for form in formats:
            path = folder / f"{name}.{form}"
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", FontWarning)
                save(chart, path)
            files.append(path)

            # A missing font spoils a picture without an error, so it is told with what was written.
            warned += [str(one.message) for one in caught if issubclass(one.category, FontWarning)]
    return files, warned


def _all(runs: Sequence[str | Path], words: Words) -> Iterator[tuple[str, Chart]]:
    speeds = {run: speed_file(run) for run in runs}

    # One folder may hold both: `harness run` and `harness bench` keep their results side by side.
    scored = [run for run, speed in speeds.items() if speed is None or (speed.parent / FILE).exists()]
    if scored:
        yield from figures(compare([read_run(run) for run in scored]), words)
    rows = [row for speed in speeds.values() if speed is not None for row in read_speed_rows(speed)]
    if rows:
        yield from speed_figures(rows, words)


def _unique(named: Iterator[tuple[str, Chart]]) -> Iterator[tuple[str, Any]]:
    """Names that two figures share get a number, so that no file is written over."""
    counts: dict[str, int] = {}
    for name, chart in named:
        counts[name] = counts.get(name, 0) + 1
        yield (name if counts[name] == 1 else f"{name}-{counts[name]}"), chart
