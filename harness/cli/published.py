"""``harness published``: ratings, scores and prices that others published."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.groups import CommandGroup
from harness.cli.output import Show, notify, shows, tell

if TYPE_CHECKING:
    from harness.published import RatedModel

app = typer.Typer(
    cls=CommandGroup,
    help="Published ratings and scores: what is there, and bringing more.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Folder = Annotated[Path, typer.Option("--folder", help="Where imported files are kept.")]


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A leaderboard: CSV, JSON, JSONL or Parquet.", show_default=False
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="URL",
            help="Where it was read.  [default: the file's name and hash]",
            show_default=False,
        ),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            "--date",
            metavar="YYYY-MM-DD",
            help="Its day, where the file does not say it.",
            show_default=False,
        ),
    ] = None,
    board: Annotated[
        str | None, typer.Option("--board", help="Name of the leaderboard.", show_default=False)
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name of the kept file.  [default: FILE's]", show_default=False),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            help="default, or style_control.  [default: the file's, else default]",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help="How the figures were made, where the file does not say it: bradley-terry, online-elo, "
            "elo-bootstrap-median, score.",
            show_default=False,
        ),
    ] = None,
    folder: Folder = Path("results/published"),
) -> None:
    """Keep a leaderboard file's figures where the studies find them.

    LMArena's tables, the Open LLM Leaderboard's, and any table with a model and a rating or a
    column a task. Nothing is sent anywhere.
    """
    from harness.published.importing import import_leaderboard
    from harness.published.ratings import METHODS, STYLES

    done = import_leaderboard(
        file,
        name=name,
        folder=folder,
        source=source,
        board=board,
        date=_day(date),
        style=_one_of(style, STYLES),
        method=_one_of(method, METHODS),
    )
    snapshots = len({one.snapshot for one in done.ratings})
    tell(
        f"{len(done.ratings)} figures of {len({one.model for one in done.ratings})} models, "
        f"{snapshots} snapshots in {done.file}"
    )

    # What was left out is said: a leaderboard that is shorter than its file looks whole.
    if done.without_value or done.repeated:
        notify(
            f"left out: {done.without_value} without a figure, {done.repeated} of a model that "
            f"was there already"
        )
    if done.models:
        notify(f"{len(done.models)} models not known before: see {done.file.with_suffix('.models.yaml')}")


@app.command("list")
@shows()
def list_(
    models: Annotated[
        bool, typer.Option("--models", help="The rated models instead: maker, country, licence, release.")
    ] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Only models of which something is not known.")
    ] = False,
    country: Annotated[
        str | None, typer.Option("--country", help="Only makers of this country.", show_default=False)
    ] = None,
    folder: Folder = Path("results/published"),
    *,
    show: Show,
) -> None:
    """List the snapshots of published ratings, or the rated models."""
    from harness.published import load_ratings, rated_models
    from harness.reporting.published import rated_document, snapshots_document

    if models or unknown or country:
        chosen = [one for one in rated_models(folder).values() if _wanted(one, unknown, country)]
        show(rated_document(chosen), wide=True)
    else:
        show(snapshots_document(load_ratings(folder, board=None)), wide=True)


def _wanted(model: RatedModel, unknown: bool, country: str | None) -> bool:
    return (not unknown or bool(model.unknown)) and (
        country is None or (model.country or "?").lower() == country.lower()
    )


def _one_of(text: str | None, names: tuple[str, ...]) -> Any:
    if text is not None and text not in names:
        raise typer.BadParameter(f"expected {', '.join(names)}; got {text!r}")
    return text


def _day(text: str | None) -> datetime.date | None:
    try:
        return None if text is None else datetime.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"expected a day such as 2025-08-06, got {text!r}", param_hint="--date"
        ) from None
