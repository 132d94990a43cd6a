"""A table's lines in their order, each language closed by its average."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.intervals import Z95
from harness.analysis.lines import AVERAGES, LANGUAGES, Line, ScoreFigure
from harness.analysis.means import weighted_mean


def with_averages(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Chinese lines and their average, English lines and theirs, then the rest; inside a language
    the config's order.
    """
    ordered: list[Line] = []
    for language in LANGUAGES:
        mine = [line for line in lines if line.language == language]
        average = make_average(language, mine)
        ordered += [*mine, *([average] if average is not None else [])]
    return (*ordered, *(line for line in lines if line.language not in LANGUAGES))


def make_average(language: str, lines: Sequence[Line]) -> Line | None:
    """The unweighted mean of a language's lines, or None for fewer than two.

    Its interval takes the tasks as independent.
    """
    parts = [line for line in lines if line.averaged]
    if len(parts) < 2:
        return None
    figures = tuple(_mean(figures) for figures in zip(*(line.figures for line in parts), strict=True))
    return Line(AVERAGES[language], "average", language, None, None, None, None, True, figures)


def _mean(figures: Sequence[ScoreFigure]) -> ScoreFigure:
    """One model's average: only over all lines, for a mean over fewer would be of other tasks."""
    if any(figure.status == "random" for figure in figures):
        return ScoreFigure(status="random")
    whole = [figure for figure in figures if figure.value is not None and figure.status == "ok"]
    if len(whole) < len(figures):
        return ScoreFigure(status="partial", n=len(whole), missing=len(figures) - len(whole))

    mean = weighted_mean(
        [figure.value or 0.0 for figure in whole],
        [None if figure.half is None else figure.half / Z95 for figure in whole],
        [figure.strata for figure in whole],
        [1 / len(whole)] * len(whole),
    )
    half = (mean.ci95[1] - mean.ci95[0]) / 2 if mean.ci95 is not None else None
    return ScoreFigure(mean.value, half, len(whole), "ok")
