"""``harness adoption``: how widely models are used, from the hub's own counts."""

from __future__ import annotations

import datetime
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.compare import Csv, Json, Latex, Markdown
from harness.cli.output import chosen_form, colour, csv_text, width, write_or_print
from harness.cli.report import Language

if TYPE_CHECKING:
    from harness.adoption import Snapshot
    from harness.adoption.organizations import Organizations

app = typer.Typer(
    help="Likes and downloads of models: dated snapshots of the hub, and reports.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
EVERY = 20
"""Where nobody looks at a terminal, a line of progress every so many pages."""


class Measure(StrEnum):
    """What a report counts."""

    downloads = "downloads_30d"
    all = "downloads_all"
    likes = "likes"


@app.command("snapshot")
def snapshot(
    org: Annotated[
        list[str] | None,
        typer.Option(
            "--org",
            metavar="NAME",
            help="All models of this organisation. May be repeated.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option("--top", min=1, metavar="N", help="Without --org: the N most liked and N most downloaded."),
    ] = 1000,
    whole: Annotated[bool, typer.Option("--whole", help="Without --org: every model of the hub (thousands of pages).")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="A .jsonl or .csv.gz.  [default: results/adoption/hub-DATE.jsonl]",
            show_default=False,
        ),
    ] = None,
    pause: Annotated[float, typer.Option("--pause", min=0.0, metavar="S", help="Seconds between two pages.")] = 0.7,
) -> None:
    """Ask the hub for likes, downloads, base models and sizes, and keep them with their date.

    HF_ENDPOINT names another hub, HF_TOKEN a token (not needed). The same command goes on with a snapshot
    that was cut short.
    """
    from harness.adoption.client import ENDPOINT, HubClient, Manners
    from harness.adoption.published import USER_FOLDER
    from harness.adoption.snapshot import Query, take
    from harness.errors import ConfigError

    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise ConfigError("HF_HUB_OFFLINE is set: a snapshot asks the hub; unset it")
    if org and whole:
        raise ConfigError("choose one of --org and --whole")
    query = Query(tuple(dict.fromkeys(org or ())), None if whole else top)
    file = out or USER_FOLDER / f"{'-'.join(query.organizations) or 'hub'}-{datetime.datetime.now(datetime.UTC).date()}.jsonl"
    endpoint = os.environ.get("HF_ENDPOINT") or ENDPOINT
    live = sys.stderr.isatty()

    def progress(models: int, pages: int) -> None:
        if live or pages % EVERY == 0:
            typer.echo(
                f"\r{models:,} models, {pages} pages" if live else f"{models:,} models, {pages} pages",
                err=True,
                nl=not live,
            )

    def said(text: str) -> None:
        typer.echo(f"\n{text}" if live else text, err=True)

    with HubClient(endpoint, os.environ.get("HF_TOKEN") or None, Manners(pause=pause), said) as client:
        taken = take(client, query, file, progress)
    if live:
        typer.echo(err=True)
    for name in taken.empty:
        typer.echo(f"{name}: the hub lists no model of it", err=True)
    again = ", begun by an earlier call" if taken.resumed else ""
    twice = f"; {taken.repeated} came on two pages and are kept once" if taken.repeated else ""
    typer.echo(f"{taken.models:,} models in {taken.file}{again}{twice}")


@app.command("report")
def report(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Snapshots, or dated tables (CSV).  [default: the packaged lists]",
            show_default=False,
        ),
    ] = None,
    measure: Annotated[Measure, typer.Option("--measure", help="What is counted.")] = Measure.downloads,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Only the lists of this source.", show_default=False),
    ] = None,
    organizations: Annotated[
        Path | None,
        typer.Option(
            "--organizations",
            metavar="FILE",
            help="CSV with organization, region, source: more seats.",
            show_default=False,
        ),
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option("--plots", metavar="FOLDER", help="Write every figure as a picture, too.", show_default=False),
    ] = None,
    form: Annotated[
        str,
        typer.Option("--format", "-f", help="Of the pictures: svg, png, html, json, or several with commas."),
    ] = "svg",
    lang: Annotated[Language, typer.Option("--lang", help="Of tables and pictures.")] = Language.en,
    as_json: Json = False,
    as_csv: Csv = False,
    as_markdown: Markdown = False,
    as_latex: Latex = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the tables to this file.", show_default=False)] = None,
) -> None:
    """Show shares by country and organisation over time, concentration, and each organisation's most-liked
    model.

    Every heading says its denominator: all models, language models, first-party, without quantised
    re-uploads.
    """
    from harness.adoption import report as shown
    from harness.adoption.organizations import organizations as table
    from harness.report.sheets import write

    language = lang.value
    kind = chosen_form(json=as_json, csv=as_csv, markdown=as_markdown, latex=as_latex)
    known = table(organizations)
    snapshots, left_out = shown.chosen(_read(files or []), source)
    _check(snapshots, measure.value, source)
    if kind == "json":
        rows = shown.records(snapshots, measure.value, known)
        notes = shown.notes(left_out, language)
        text = json.dumps({"schema_version": 1, "figures": rows, "notes": notes}, ensure_ascii=False, indent=1) + "\n"
    elif kind == "csv":
        text = csv_text(shown.FIELDS, shown.records(snapshots, measure.value, known))
    else:
        sheets = shown.sheets(snapshots, measure.value, known, language)
        title, notes = shown.title(snapshots, language), shown.notes(left_out, language)
        text = write(title, sheets, notes, kind, width=width(), colour=colour() and out is None)
    write_or_print(text, out)
    if plots is not None:
        _pictures(snapshots, measure.value, known, plots, form, language)


def _read(files: list[Path]) -> list[Snapshot]:
    from harness.adoption import read_snapshots
    from harness.adoption.published import packaged

    return read_snapshots(files) if files else list(packaged())


def _check(snapshots: list[Snapshot], measure: str, source: str | None) -> None:
    """Raises DataError where nothing is left to show."""
    from harness.adoption.rows import MEASURES
    from harness.errors import DataError

    if not snapshots:
        raise DataError(f"no list of the source {source!r}" if source else "no list in these files")
    if not any(MEASURES[measure](row) is not None for one in snapshots for row in one.rows):
        raise DataError(f"--measure {measure}: none of these lists has it; choose another measure")


def _pictures(snapshots: list[Snapshot], measure: str, known: Organizations, folder: Path, form: str, language: str) -> None:
    from harness.adoption.plots import figures
    from harness.errors import ConfigError
    from harness.report.plots import FORMATS, save

    forms = [name.strip() for name in form.split(",")]
    if unknown := [name for name in forms if name not in FORMATS]:
        raise ConfigError(f"--format {','.join(unknown)}: pictures are written as {', '.join(FORMATS)}, one or several with commas")
    made = [(folder / f"{name}.{one}", chart) for name, chart in figures(snapshots, measure, known, language) for one in forms]
    for path, chart in made:
        save(chart, path)
    typer.echo(f"{len(made)} pictures written to {folder}", err=True)
