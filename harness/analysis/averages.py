"""A table's lines in their order, each language closed by its average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.analysis.intervals import Z95
from harness.analysis.lines import AVERAGES, LANGUAGES, Line, ScoreFigure
from harness.analysis.means import weighted_mean
from harness.analysis.notes import note


def with_averages(lines: Sequence[Line], twins: Mapping[str, str] | None = None) -> tuple[Line, ...]:
    """Chinese lines and their average, English lines and theirs, then the rest; inside a language
    the config's order. ``twins`` names the line of each line's generated form.
    """
    ordered: list[Line] = []
    for language in LANGUAGES:
        mine = [line for line in lines if line.language == language]
        average = make_average(language, mine, twins or {})
        ordered += [*mine, *([average] if average is not None else [])]
    return (*ordered, *(line for line in lines if line.language not in LANGUAGES))


def make_average(language: str, lines: Sequence[Line], twins: Mapping[str, str]) -> Line | None:
    """The unweighted mean of a language's lines, or None for fewer than two.

    Its interval takes the tasks as independent. A model that was asked a task's twin in its place
    has that value in its average, which is marked.
    """
    parts = [line for line in lines if line.averaged]
    if len(parts) < 2:
        return None
    by_name = {line.name: line for line in lines if line.alternative}
    by_line = [_with_twin(line, by_name.get(twins.get(line.name, ""))) for line in parts]
    figures = tuple(_mean(figures) for figures in zip(*by_line, strict=True))
    return Line(AVERAGES[language], "average", language, None, None, None, None, True, figures)


def _with_twin(line: Line, twin: Line | None) -> tuple[ScoreFigure, ...]:
    """A line's figures, with those of its twin where it has no value itself."""
    if twin is None:
        return line.figures
    why = note("asked_as", task=twin.name)
    return tuple(
        replace(other, apart=why) if figure.value is None and other.value is not None else figure
        for figure, other in zip(line.figures, twin.figures, strict=True)
    )


def _mean(figures: Sequence[ScoreFigure]) -> ScoreFigure:
    """One model's average: only over all lines, for a mean over fewer would be of other tasks."""
    if any(figure.status == "random" for figure in figures):
        return ScoreFigure(status="random")
    whole = [figure for figure in figures if figure.value is not None]
    if len(whole) < len(figures):
        return ScoreFigure(status="partial", n=len(whole), missing=len(figures) - len(whole))

    mean = weighted_mean(
        [figure.value or 0.0 for figure in whole],
        [None if figure.half is None else figure.half / Z95 for figure in whole],
        [figure.strata for figure in whole],
        [1 / len(whole)] * len(whole),
    )
    half = (mean.ci95[1] - mean.ci95[0]) / 2 if mean.ci95 is not None else None
    unfinished = any(figure.status == "partial" for figure in whole)
    return ScoreFigure(
        mean.value,
        half,
        len(whole),
        "partial" if unfinished else "ok",
        ci95=mean.ci95,
        apart=next((figure.apart for figure in whole if figure.apart), None),
        fewer=any(figure.fewer for figure in whole),
    )
