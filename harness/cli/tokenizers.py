"""``harness tokenizers``: what a page of Chinese and of English costs with each tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Mirror, mirror_folder
from harness.cli.output import show_list, write_or_print

if TYPE_CHECKING:
    from harness.meter.texts import ParallelText
    from harness.meter.tokenizers import Failed, TokenizerCounts


def tokenizers(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="Model ids, folders or presets.  [default: all of the mirror]",
            show_default=False,
        ),
    ] = None,
    mirror: Mirror = None,
    parallel: Annotated[
        list[str] | None,
        typer.Option(
            "--parallel",
            metavar="NAME",
            help="Also a parallel data set: xquad, mgsm, belebele. May be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the data here, too.", show_default=False)
    ] = None,
) -> None:
    """Count what the same texts cost in Chinese and in English.

    Characters and bytes a token, and tokens a page. Loads tokenizers only. Exit code 1 where one
    could not be read.
    """
    from harness.meter.texts import dataset_texts, own_texts
    from harness.meter.tokenizers import PAGE, Failed, TokenizerCounts, measure, merge, mirror_tokenizers
    from harness.reporting.tokenizers import tokenizer_data

    folder = mirror_folder(mirror)
    names = models or mirror_tokenizers(folder)
    texts = [own_texts(), *(dataset_texts(name, folder) for name in dict.fromkeys(parallel or ()))]
    answers = list(measure(names, texts, folder))
    failed = [one for one in answers if isinstance(one, Failed)]
    found = merge(one for one in answers if isinstance(one, TokenizerCounts))
    data = json.dumps(tokenizer_data(found, failed, texts, PAGE), ensure_ascii=False, indent=1) + "\n"
    if out is not None:
        write_or_print(data, out)
    if as_json:
        write_or_print(data, None)
    else:
        _show(found, failed, texts)
    raise typer.Exit(1 if failed else 0)


def _show(found: list[TokenizerCounts], failed: list[Failed], texts: list[ParallelText]) -> None:
    from harness.meter.tokenizers import PAGE
    from harness.reporting.tokenizers import HEADERS, tokenizer_rows

    for text in texts if found else ():
        title = f"{text.name}: {len(text.zh)} texts in Chinese and English ({text.source})"
        show_list(title, HEADERS, tokenizer_rows(found, text.name), right=range(1, len(HEADERS)))
    typer.echo(
        f"A page: {PAGE['zh']} Chinese or {PAGE['en']:,} English characters. zh:en: tokens of the Chinese text by those of the English."
    )
    for one in found:
        if len(one.names) > 1:
            typer.echo(f"{one.names[0]} shares its tokenizer with {', '.join(one.names[1:])}.")
        if any(count.unknown for languages in one.counts.values() for count in languages.values()):
            typer.echo(
                f"* {one.names[0]}: characters were lost to unknown tokens; its ratios look better than they are."
            )
    for broken in failed:
        typer.echo(broken.reason, err=True)
