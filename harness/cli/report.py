"""``harness report``: the table of runs that are done, everything about them as one HTML page, or
the figures as pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.cli import completion
from harness.cli.output import Show, notify, shows, write_or_print
from harness.cli.testing import Annotations, Junit, check_junit, publish
from harness.wording import listed_names

if TYPE_CHECKING:
    from harness.reporting.html.study import Studies
    from harness.results.query import Run


@shows()
def report(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Run folders, results.json files, or names of runs in results/.",
            autocompletion=completion.runs,
            show_default=False,
        ),
    ],
    every: Annotated[bool, typer.Option("--all", help="Show the subjects of groups, too.")] = False,
    costs: Annotated[bool, typer.Option("--costs", help="What the answers cost instead of scores.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write one self-contained page instead, with every question.",
            show_default=False,
        ),
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option(
            "--plots",
            metavar="FOLDER",
            help="Write every figure as a picture into this folder instead.",
            show_default=False,
        ),
    ] = None,
    study: Annotated[
        list[str] | None,
        typer.Option(
            "--study",
            metavar="CLAIM",
            help="With --html: C1 … C16, a claim's YAML, or all; repeatable.",
            show_default=False,
        ),
    ] = None,
    junit: Junit = None,
    annotate: Annotations = None,
    *,
    show: Show,
) -> None:
    """Show the table of one run, or of several joined; or write the page, or the pictures.

    -f csv and -f json hold every metric. With --plots, -f names pictures: svg, png, html, json, or
    several with commas.
    """
    if html is not None or plots is not None:
        _alone(html, plots, show.out)
    if study and html is None:
        _refuse_studies(study)
    check_junit(junit)
    if html is not None:
        _page(runs, html, show.language, study or [])
    elif plots is not None:
        _pictures(runs, plots, show.named or "svg", show.language)
    else:
        _table(runs, show, every=every, costs=costs)
    if junit is not None or annotate:
        _publish(runs, junit, annotate)


def _publish(runs: list[str], junit: Path | None, annotate: bool | None) -> None:
    from harness.reporting.testcases import run_testcases
    from harness.results.query import read_results

    results = [read_results(run) for run in runs]
    names = ", ".join(dict.fromkeys(one.name for one in results))
    # The run printed its annotations itself: here only who asks for them gets them again.
    publish(run_testcases(results), names, junit, annotate, quiet=True)


def _alone(html: Path | None, plots: Path | None, out: Path | None) -> None:
    from harness.errors import ConfigError

    options = [
        f"--{name} {value}"
        for name, value in (("html", html), ("plots", plots), ("out", out))
        if value is not None
    ]
    if len(options) > 1:
        raise ConfigError(
            f"choose one of {' and '.join(options)}: --html writes the page, --plots the "
            f"pictures, --out the table"
        )


def _table(runs: list[str], show: Show, *, every: bool, costs: bool) -> None:
    from harness.errors import ConfigError
    from harness.reporting.cost_sheet import costs_document
    from harness.reporting.score_document import score_document
    from harness.reporting.table import make_table
    from harness.results.query import read_results

    results = [read_results(run) for run in runs]
    if not costs:
        show(score_document(make_table(results), every=every, language=show.language))
        return
    document = costs_document(results, every)
    if document is None:
        raise ConfigError(
            "these runs hold no costs: they were made with meter: false, by an older version, or imported"
        )
    show(document)


def _refuse_studies(names: list[str]) -> NoReturn:
    from harness.errors import ConfigError

    raise ConfigError(
        f"--study {names[0]}: only the page has studies; add --html FILE, or see `harness study {names[0]}`"
    )


def _page(runs: list[str], html: Path, lang: str, studies: list[str]) -> None:
    from harness.reporting.html import page
    from harness.results.query import read_run

    loaded = [read_run(run) for run in runs]
    write_or_print(page(loaded, lang, _studies(studies, loaded, lang)), html)


def _studies(names: list[str], runs: list[Run], lang: str) -> Studies | None:
    if not names:
        return None
    from harness.studies.data import Data
    from harness.studies.section import section

    return section(names, Data(runs=tuple(runs)), lang)


def _pictures(runs: list[str], folder: Path, form: str, language: str) -> None:
    from harness.reporting.plots.draw import draw

    pictures, notes = draw(runs, folder, listed_names(form), language)
    for note in notes:
        notify(note)
    notify(f"{len(pictures)} pictures written to {folder}")
