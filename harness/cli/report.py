"""``harness report``: the table of runs that are done, everything about them as one HTML page, or
the figures as pictures.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.cli.output import colour, width, write_or_print

if TYPE_CHECKING:
    from harness.reporting.html.study import Studies
    from harness.results.query import Run
    from harness.results.schema import Results

TABLES = ("rich", "markdown", "csv", "json")


class Language(StrEnum):
    """What the page and the pictures are written in."""

    en = "en"
    zh = "zh"


def report(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="Run folders, results.json files, or names of runs in results/.",
            show_default=False,
        ),
    ],
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help="Table: rich, markdown, csv or json (csv and json hold every metric); with --plots: png, svg, html, json, or several "
            "with commas.  [default: rich; svg]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write to this file.  [default: the terminal]", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the subjects of groups, too.")] = False,
    costs: Annotated[
        bool, typer.Option("--costs", help="What the answers cost instead of scores (rich or markdown).")
    ] = False,
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
    lang: Annotated[
        Language | None,
        typer.Option(
            "--lang", help="The page's and the pictures' language.  [default: en]", show_default=False
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
) -> None:
    """Show the table of one run, or of several joined; or write the page, or the pictures."""
    if html is not None or plots is not None:
        _alone(html, plots, out)
    if study and html is None:
        _refuse_studies(study)
    if html is not None:
        _page(runs, html, (lang or Language.en).value, study or [])
    elif plots is not None:
        _pictures(runs, plots, form or "svg", lang or Language.en)
    else:
        _table(runs, form or "rich", lang, out, every=every, costs=costs)


def _alone(html: Path | None, plots: Path | None, out: Path | None) -> None:
    from harness.errors import ConfigError

    asked = [
        f"--{name} {value}"
        for name, value in (("html", html), ("plots", plots), ("out", out))
        if value is not None
    ]
    if len(asked) > 1:
        raise ConfigError(
            f"choose one of {' and '.join(asked)}: --html writes the page, --plots the pictures, --out the table"
        )


def _table(
    runs: list[str], form: str, lang: Language | None, out: Path | None, *, every: bool, costs: bool
) -> None:
    from harness.errors import ConfigError

    if form not in TABLES:
        raise ConfigError(
            f"--format {form}: a table is written as {', '.join(TABLES)}; pictures need --plots FOLDER"
        )
    if lang is not None:
        raise ConfigError(
            f"--lang {lang.value}: only page and pictures have languages, the table is in English; add --html FILE"
        )
    from harness.reporting import make_table
    from harness.reporting.render import render
    from harness.results.query import read_results

    results = [read_results(run) for run in runs]
    if costs:
        _costs(results, form, every, out)
        return
    table = make_table(results)
    write_or_print(render(table, form, every=every, width=width(), colour=colour() and out is None), out)


def _costs(results: list[Results], form: str, every: bool, out: Path | None) -> None:
    from harness.errors import ConfigError
    from harness.reporting.cost_sheet import costs_sheets
    from harness.reporting.sheets import write

    if form not in ("rich", "markdown"):
        raise ConfigError(
            f"--costs --format {form}: csv and json hold the costs without --costs; choose rich or markdown"
        )
    sheets = costs_sheets(results, every)
    if not sheets:
        raise ConfigError(
            "these runs hold no costs: they were made with meter: false, by an older version, or imported"
        )
    names = ", ".join(dict.fromkeys(result.name for result in results))
    write_or_print(write(names, sheets, [], form, width=width(), colour=colour() and out is None), out)


def _refuse_studies(names: list[str]) -> NoReturn:
    from harness.errors import ConfigError

    raise ConfigError(
        f"--study {names[0]}: only the page has studies; add --html FILE, or see `harness study {names[0]}`"
    )


def _page(runs: list[str], html: Path, lang: str, studies: list[str]) -> None:
    from harness.reporting.html import page
    from harness.results.query import read_run

    read = [read_run(run) for run in runs]
    write_or_print(page(read, lang, _studies(studies, read, lang)), html)


def _studies(names: list[str], runs: list[Run], lang: str) -> Studies | None:
    if not names:
        return None
    from harness.studies.data import Data
    from harness.studies.section import section

    return section(names, Data(runs=tuple(runs)), lang)


def _pictures(runs: list[str], folder: Path, form: str, lang: Language) -> None:
    from harness.reporting.plots.draw import draw

    made, said = draw(runs, folder, [name.strip() for name in form.split(",")], lang.value)
    for line in said:
        typer.echo(line, err=True)
    typer.echo(f"{len(made)} pictures written to {folder}", err=True)
