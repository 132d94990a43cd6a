"""``harness study``: what the articles claim, measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import show_list, write_or_print
from harness.cli.report import Language

if TYPE_CHECKING:
    from harness.studies.answer import ClaimAnswer
    from harness.studies.data import Data

OUT = Path("results") / "studies"


def study(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLAIM]...", help="C1 … C16, or a claim's YAML.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All packaged claims; writes the documents.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the claims.")] = False,
    lang: Annotated[
        Language | None,
        typer.Option(
            "--lang", help="Of the text (default en) and the documents (default both).", show_default=False
        ),
    ] = None,
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
        typer.Option("--run", help="A run to look at, too. May be repeated.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
) -> None:
    """Test the articles' claims.

    Each is split into statements about the date it was made; the verdict says supported, not
    supported or cannot tell, and why. What the newest boards say stands beside it. Needs no model
    and no network.
    """
    from harness.errors import ConfigError
    from harness.studies.answer import answer
    from harness.studies.claims import claims, find_claim

    language = (lang or Language.en).value
    if listed:
        show_list("", ["claim", "says"], [[claim.id, claim.claim[language]] for claim in claims().values()])
        return
    if not names and not every:
        raise ConfigError("name a claim (harness study --list shows them), or give --all")
    chosen = list(claims().values()) if every else [find_claim(name) for name in names or ()]
    data = _data(runs or [])
    answers = [answer(claim, data) for claim in chosen]
    if as_json:
        write_or_print(
            json.dumps([one.as_data() for one in answers], ensure_ascii=False, indent=1) + "\n", None
        )
    elif not every:
        from harness.studies.document import text

        write_or_print("\n".join(text(one, language) for one in answers), None)
    if out is not None or (every and not as_json):
        _write(answers, data, out or OUT, [lang.value] if lang is not None else ["en", "zh"])


def _data(runs: list[str]) -> Data:
    from harness.results.query import read_run
    from harness.studies.data import Data

    return Data(runs=tuple(read_run(run) for run in runs))


def _write(answers: list[ClaimAnswer], data: Data, out: Path, languages: list[str]) -> None:
    from harness.results.files import write_text
    from harness.studies import document

    for language in languages:
        pictures = {name: svg for one in answers for name, svg in document.plots(one, language).items()}
        for name, svg in pictures.items():
            write_text(out / "plots" / name, svg.decode())
        write_or_print(document.markdown(answers, data, language), out / f"studies.{language}.md")
        write_or_print(document.html(answers, data, language, pictures), out / f"studies.{language}.html")
    _show(answers, languages[0])


def _show(answers: list[ClaimAnswer], language: str) -> None:
    """The table of verdicts; in a pipe one line per claim, so that grep finds it."""
    from harness.cli.output import PIPE, list_width
    from harness.studies.finding import say
    from harness.studies.overview import below, overview, terminal

    if list_width() < PIPE:
        write_or_print(terminal(answers, language, list_width()), None)
        return
    semicolon = say("semicolon")[language]
    headers = [say(f"w_{name}")[language] for name in ("claim", "when", "verdict", "then", "today", "basis")]
    rows = [
        [
            f"{row.id} {row.name}",
            row.when,
            row.verdict,
            *(semicolon.join(cell) or "–" for cell in (row.then, row.today, row.basis)),
        ]
        for row in overview(answers, language)
    ]
    show_list("", headers, rows)
    write_or_print("".join(f"{line}\n" for line in below(answers, language)), None)
