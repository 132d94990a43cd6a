"""``harness tokenizers``: what a page of Chinese and of English costs with each tokenizer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from harness.cli import completion
from harness.cli.options import Mirror, mirror_folder
from harness.cli.output import Show, notify, shows, write_or_print


@shows()
def tokenizers(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="Model ids, folders or presets.  [default: all of the mirror]",
            autocompletion=completion.models,
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
    *,
    show: Show,
) -> None:
    """Count what the same texts cost in Chinese and in English.

    Characters and bytes a token, and tokens a page. Loads tokenizers only. Exit code 1 where one
    could not be read.
    """
    from harness.meter.texts import dataset_texts, own_texts
    from harness.meter.tokenizers import PAGE, Failed, TokenizerCounts, measure, merge, mirror_tokenizers
    from harness.reporting.tokenizers import tokenizers_document

    folder = mirror_folder(mirror)
    names = models or mirror_tokenizers(folder)
    texts = [own_texts(), *(dataset_texts(name, folder) for name in dict.fromkeys(parallel or ()))]
    answers = list(measure(names, texts, folder))

    # One tokenizer that cannot be read must not cost the others their figures.
    failed = [one for one in answers if isinstance(one, Failed)]
    counts = merge(one for one in answers if isinstance(one, TokenizerCounts))
    document = tokenizers_document(counts, failed, texts, PAGE)
    show(document, wide=True)
    if show.out is not None:
        # --out has always been beside what is printed here.
        write_or_print(replace(show, named=None, out=None).text(document, wide=True), None)
    for broken in failed:
        notify(broken.reason)
    raise typer.Exit(1 if failed else 0)
