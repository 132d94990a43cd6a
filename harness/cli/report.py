"""``harness report``: the table of runs that are done, or everything about them as one HTML page."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import colour, width, write_or_print

if TYPE_CHECKING:
    from harness.results.schema import Results


class Format(StrEnum):
    """How to write the table."""

    rich = "rich"
    markdown = "markdown"
    csv = "csv"
    json = "json"


class Language(StrEnum):
    """What the HTML page is written in."""

    en = "en"
    zh = "zh"


def report(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Run folders, results.json files, or names of runs in results/.", show_default=False),
    ],
    form: Annotated[Format, typer.Option("--format", "-f", help="csv and json hold every metric.")] = Format.rich,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to this file.  [default: the terminal]", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the subjects of groups, too.")] = False,
    costs: Annotated[bool, typer.Option("--costs", help="What the answers cost instead of scores (rich or markdown).")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one self-contained page instead, with every question.", show_default=False),
    ] = None,
    lang: Annotated[Language | None, typer.Option("--lang", help="The page's language.  [default: en]", show_default=False)] = None,
) -> None:
    """Show the table of one run, or of several joined; or write the page."""
    if html is not None:
        _page(runs, html, lang or Language.en, out)
        return
    if lang is not None:
        from harness.errors import ConfigError

        raise ConfigError(f"--lang {lang.value}: only the page has languages, the table is in English; add --html FILE")
    from harness.report import make_table, render
    from harness.results.query import read_results

    results = [read_results(run) for run in runs]
    if costs:
        _costs(results, form, every, out)
        return
    table = make_table(results)
    write_or_print(render(table, form.value, every=every, width=width(), colour=colour() and out is None), out)


def _costs(results: list[Results], form: Format, every: bool, out: Path | None) -> None:
    from harness.errors import ConfigError
    from harness.report.cost_sheet import costs_sheet
    from harness.report.sheets import write

    if form not in (Format.rich, Format.markdown):
        raise ConfigError(f"--costs --format {form.value}: csv and json hold the costs without --costs; choose rich or markdown")
    sheet = costs_sheet(results, every)
    if not sheet.rows:
        raise ConfigError("these runs hold no costs: they were made with meter: false, by an older version, or imported")
    names = ", ".join(dict.fromkeys(result.name for result in results))
    write_or_print(write(names, [sheet], [], form.value, width=width(), colour=colour() and out is None), out)


def _page(runs: list[str], html: Path, lang: Language, out: Path | None) -> None:
    from harness.errors import ConfigError
    from harness.report.html import page
    from harness.results.query import read_run

    if out is not None:
        raise ConfigError(f"choose one of --html {html} and --out {out}: the first writes the page, the second the table")
    write_or_print(page([read_run(run) for run in runs], lang.value), html)
