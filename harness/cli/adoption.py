"""``harness adoption``: how widely models are used, from the hub's own counts."""

from __future__ import annotations

import datetime
import os
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.groups import CommandGroup
from harness.cli.output import Show, notify, shows, tell
from harness.wording import listed_names

if TYPE_CHECKING:
    from harness.adoption import Snapshot
    from harness.adoption.organizations import Organizations
    from harness.adoption.snapshot import TakenSnapshot

app = typer.Typer(
    cls=CommandGroup,
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


def _option(*names: str, metavar: str | None = None, say: str) -> Any:
    """An option without a default in its help."""
    return typer.Option(*names, metavar=metavar, help=say, show_default=False)


Orgs = Annotated[
    list[str] | None,
    _option("--org", metavar="NAME", say="All models of this organisation. May be repeated."),
]
Top = Annotated[
    int,
    typer.Option("--top", min=1, metavar="N", help="Without --org: the N most liked and N most downloaded."),
]
Whole = Annotated[
    bool, typer.Option("--whole", help="Without --org: every model of the hub (thousands of pages).")
]
Target = Annotated[
    Path | None,
    _option(
        "--out", "-o", metavar="FILE", say="A .jsonl or .csv.gz.  [default: results/adoption/hub-DATE.jsonl]"
    ),
]
Pause = Annotated[float, typer.Option("--pause", min=0.0, metavar="S", help="Seconds between two pages.")]
Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Snapshots, or dated tables (CSV).  [default: the packaged lists]",
        show_default=False,
    ),
]
Counted = Annotated[Measure, typer.Option("--measure", help="What is counted.")]
OnlySource = Annotated[str | None, _option("--source", metavar="NAME", say="Only the lists of this source.")]
Seats = Annotated[
    Path | None,
    _option("--organizations", metavar="FILE", say="CSV with organization, region, source: more seats."),
]
Plots = Annotated[
    Path | None, _option("--plots", metavar="FOLDER", say="Write every figure as a picture, too.")
]


@app.command("snapshot")
def snapshot(
    org: Orgs = None, top: Top = 1000, whole: Whole = False, out: Target = None, pause: Pause = 0.7
) -> None:
    """Ask the hub for likes, downloads, base models and sizes, and keep them with their date.

    HF_ENDPOINT names another hub, HF_TOKEN a token (not needed). The same command goes on with a
    snapshot that was cut short.
    """
    from harness.adoption.client import HubClient, Manners
    from harness.adoption.published import USER_FOLDER
    from harness.adoption.snapshot import Query, take
    from harness.errors import ConfigError
    from harness.hub import presence

    if (switch := presence.offline_switch()) is not None:
        raise ConfigError(f"{switch} is set: a snapshot asks the hub; unset it")
    if org and whole:
        raise ConfigError("choose one of --org and --whole")

    query = Query(tuple(dict.fromkeys(org or ())), None if whole else top)
    today = datetime.datetime.now(datetime.UTC).date()
    file = out or USER_FOLDER / f"{'-'.join(query.organizations) or 'hub'}-{today}.jsonl"
    token = os.environ.get("HF_TOKEN") or None
    with HubClient(presence.endpoint(), token, Manners(pause=pause), _report_problem) as client:
        outcome = take(client, query, file, _progress)
    _report_end(outcome)


def _live() -> bool:
    """Whether someone watches: then one line is written over, else there is a line now and then."""
    return sys.stderr.isatty()


def _progress(models: int, pages: int) -> None:
    text = f"{models:,} models, {pages} pages"
    if _live():
        typer.echo(f"\r{text}", err=True, nl=False)
    elif pages % EVERY == 0:
        notify(text)


def _report_problem(text: str) -> None:
    notify(f"\n{text}" if _live() else text)


def _report_end(outcome: TakenSnapshot) -> None:
    if _live():
        typer.echo(err=True)
    for name in outcome.empty:
        notify(f"{name}: the hub lists no model of it")
    again = ", begun by an earlier call" if outcome.resumed else ""
    twice = f"; {outcome.repeated} came on two pages and are kept once" if outcome.repeated else ""
    tell(f"{outcome.models:,} models in {outcome.file}{again}{twice}")


@app.command("report")
@shows()
def report(
    files: Files = None,
    measure: Counted = Measure.downloads,
    source: OnlySource = None,
    organizations: Seats = None,
    plots: Plots = None,
    *,
    show: Show,
) -> None:
    """Show shares by country and organisation over time, concentration, and each organisation's
    most-liked model.

    Every heading says its denominator: all models, language models, first-party, without quantised
    re-uploads, new ones. With --plots, -f names pictures: svg, png, html, json, or several with
    commas.
    """
    from harness.adoption.organizations import organizations as table
    from harness.adoption.report import adoption_document, chosen

    if plots is not None:
        # -f is about the pictures; the tables are printed, or go where --out says.
        pictures, show = show.named or "svg", replace(show, named=None)
    seats = table(organizations)
    snapshots, left_out = chosen(_read(files or []), source)
    _check(snapshots, measure.value, source)
    show(adoption_document(snapshots, measure.value, seats, show.language, left_out))
    if plots is not None:
        _pictures(snapshots, measure.value, seats, plots, pictures, show.language)


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


def _pictures(
    snapshots: list[Snapshot], measure: str, seats: Organizations, folder: Path, form: str, language: str
) -> None:
    from harness.adoption.plots import figures
    from harness.errors import ConfigError
    from harness.reporting.plots.save import FORMATS, save

    forms = listed_names(form)
    if unknown := [name for name in forms if name not in FORMATS]:
        raise ConfigError(
            f"--format {','.join(unknown)}: pictures are written as {', '.join(FORMATS)}, one or "
            f"several with commas"
        )
    files = [
        (folder / f"{name}.{one}", chart)
        for name, chart in figures(snapshots, measure, seats, language)
        for one in forms
    ]
    for path, chart in files:
        save(chart, path)
    notify(f"{len(files)} pictures written to {folder}")
