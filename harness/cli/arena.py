"""``harness arena``: ratings from people's votes between two answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import Show, notify, shows

if TYPE_CHECKING:
    from harness.analysis.arena import Votes
    from harness.analysis.arena.ratings import Anchor


@shows()
def arena(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Battles or win counts: .csv, .jsonl, .json or .parquet.", show_default=False
        ),
    ],
    style: Annotated[
        bool, typer.Option("--style-control", help="Hold length, headers, bold and lists constant.")
    ] = False,
    draws: Annotated[
        int, typer.Option("--bootstrap", min=0, metavar="N", help="Also percentile intervals of N resamples.")
    ] = 0,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the bootstrap.", show_default=False)] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            "--anchor",
            metavar="MODEL=RATING",
            help="Fix one rating.  [default: mean 1000]",
            show_default=False,
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", metavar="MODEL", help="Leave a model out. May be repeated.", show_default=False
        ),
    ] = None,
    least: Annotated[
        int, typer.Option("--min-battles", min=0, metavar="N", help="Leave models with fewer battles out.")
    ] = 0,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="COLUMN=VALUE",
            help="Only these rows, e.g. language=Chinese. May be repeated.",
            show_default=False,
        ),
    ] = None,
    *,
    show: Show,
) -> None:
    """Rate models from votes.

    Bradley–Terry with ties, sandwich and bootstrap intervals, rank intervals. Columns: model_a,
    model_b and winner, or winner_model_a …, or wins_a, wins_b, ties.
    """
    from harness.analysis.arena import make_ratings, read_votes
    from harness.analysis.arena.ratings import SEED
    from harness.reporting.arena import arena_document

    fixed = _anchor(anchor)
    votes = _kept(read_votes(file, style=style, where=where or ()), without or [], least)
    ratings = make_ratings(votes, draws=draws, seed=SEED if seed is None else seed, anchor=fixed)

    # CSV has no room for notes, and they may say that models were left out.
    if show.form == "csv":
        for note in ratings.notes:
            notify(note)
    show(arena_document(ratings, file.name))


def _anchor(text: str | None) -> Anchor | None:
    if text is None:
        return None
    from harness.errors import ConfigError

    model, _, rating = text.rpartition("=")
    # NaN fails every comparison below, as infinity does: both are refused with the rest.
    try:
        value = float(rating)
    except ValueError:
        value = float("nan")
    if not model or not abs(value) < float("inf"):
        raise ConfigError(
            f"--anchor {text}: expected MODEL=RATING with a number, e.g. mixtral-8x7b-instruct-v0.1=1114"
        )
    return model, value


def _kept(votes: Votes, without: list[str], least: int) -> Votes:
    """Without the models named, then without those that have too few battles, until all have
    enough.
    """
    if without:
        votes = votes.keep(without)
    while sparse := votes.sparse(least):
        notify(f"left out, fewer than {least} battles: {', '.join(sparse)}")
        votes = votes.keep(sparse)
    return votes
