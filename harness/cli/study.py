"""``harness study``: what the articles claim, measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion
from harness.cli.output import PIPE, Show, list_width, notify, shows, write_or_print

if TYPE_CHECKING:
    from harness.reporting.document import Document
    from harness.studies.answer import ClaimAnswer
    from harness.studies.data import Data

OUT = Path("results") / "studies"


@shows(out=False)
def study(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLAIM]...", help="C1 … C16, or a claim's YAML.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All packaged claims; writes the documents.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the claims.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Write documents and plots here.  [default with --all: results/studies]",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            help="A run to look at, too. May be repeated.",
            autocompletion=completion.runs,
            show_default=False,
        ),
    ] = None,
    png: Annotated[
        bool | None,
        typer.Option(
            "--png/--no-png",
            help="Write plots as PNG, too, beside SVG and CSV.  [default: with --out]",
            show_default=False,
        ),
    ] = None,
    *,
    show: Show,
) -> None:
    """Test the articles' claims.

    Each is split into statements about the date it was made; the verdict says supported, not
    supported or cannot tell, and why. What the newest boards say stands beside it. Needs no model
    and no network.
    """
    from harness.errors import ConfigError
    from harness.studies.answer import answer
    from harness.studies.claims import claims, find_claim

    if listed:
        show(_list(show.language), wide=True)
        return
    if not names and not every:
        raise ConfigError("name a claim (harness study --list shows them), or give --all")
    chosen = list(claims().values()) if every else [find_claim(name) for name in names or ()]
    data = _data(runs or [])
    answers = [answer(claim, data) for claim in chosen]

    # The verdict with its reasons is prose; every other form is the table of verdicts.
    if show.form != "terminal":
        show(_verdicts(answers, show.language))
    elif not every:
        from harness.studies.document import text
        from harness.studies.overview import hung

        prose = "\n".join(text(one, show.language) for one in answers)
        write_or_print(hung(prose, list_width()) if list_width() < PIPE else prose, None)
    if out is not None or (every and show.form == "terminal"):
        languages = [show.language] if show.language_asked else ["en", "zh"]
        # PNG are ten times as big, so they are left out where nobody named a folder for them.
        pixels = out is not None if png is None else png
        _write(answers, data, out or OUT, languages, show, png=pixels)


def _list(language: str) -> Document:
    from harness.reporting.document import Document, Table, keys, texts
    from harness.studies.claims import claims

    rows = [[claim.id, claim.claim[language]] for claim in claims().values()]
    return Document("", (Table.of("", [*keys("claim"), *texts("says")], rows),))


def _verdicts(answers: list[ClaimAnswer], language: str) -> Document:
    """The table of verdicts; as JSON everything."""
    from harness.reporting.document import NONE, Column, Document, Table
    from harness.studies.finding import say
    from harness.studies.overview import COLUMNS, below, overview

    semicolon = say("semicolon")[language]
    # Headings and cells are texts of the studies, already in their language.
    columns = [Column(say(f"w_{name}")[language], key=name == COLUMNS[0]) for name in COLUMNS]
    rows = [
        [
            f"{row.id} {row.name}",
            row.when,
            row.verdict,
            *(semicolon.join(cell) or NONE for cell in (row.then, row.today, row.basis)),
        ]
        for row in overview(answers, language)
    ]
    return Document(
        "",
        (Table.of("", columns, rows, caption=say("w_overview")[language], label="studies"),),
        tuple(below(answers, language)),
        data=lambda: [one.as_data() for one in answers],
        language=language,
    )


def _data(runs: list[str]) -> Data:
    from harness.results.query import read_run
    from harness.studies.data import Data

    return Data(runs=tuple(read_run(run) for run in runs))


def _write(
    answers: list[ClaimAnswer], data: Data, out: Path, languages: list[str], show: Show, *, png: bool
) -> None:
    from harness.studies.figures import FORMS
    from harness.studies.files import write_documents

    forms = [form for form in FORMS if png or form != "png"]
    for file in write_documents(answers, data, out, languages, forms):
        notify(f"written to {file}")
    _show(answers, languages[0], show)


def _show(answers: list[ClaimAnswer], language: str, show: Show) -> None:
    """The table of verdicts; in a pipe one line per claim, so that grep finds it."""
    from harness.studies.overview import terminal

    if list_width() < PIPE:
        write_or_print(terminal(answers, language, list_width()), None)
    elif show.form == "terminal":
        show = replace(show, language=language)
        show(_verdicts(answers, language), wide=True)
