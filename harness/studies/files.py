"""Everything that ``harness study --out`` writes: documents, pages, and the files of each figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from harness.results.files import write_text, write_whole
from harness.studies import document, figures, page
from harness.studies.answer import ClaimAnswer
from harness.studies.data import Data

PLOTS = "plots"
"""The folder of the figures' files beside the documents."""


def write_documents(
    answers: Sequence[ClaimAnswer],
    data: Data,
    out: Path,
    languages: Sequence[str],
    forms: Sequence[str],
) -> Iterator[Path]:
    """Writes the documents with their figures in ``forms`` (svg, png, csv), and yields each document
    as it is done.

    Raises RunFolderError where one cannot be written.
    """
    for language in languages:
        pictures: dict[str, bytes] = {}
        for one in answers:
            drawn = document.plots(one, language)
            pictures |= drawn
            _write_figures(one, drawn, out / PLOTS, language, forms)

        markdown, file = out / f"studies.{language}.md", out / f"studies.{language}.html"
        write_text(markdown, document.markdown(answers, data, language, PLOTS))
        yield markdown
        other = next((name for name in languages if name != language), "")
        write_text(file, page.html(answers, data, language, pictures, (PLOTS, tuple(forms)), other))
        yield file


def _write_figures(
    one: ClaimAnswer, drawn: dict[str, bytes], folder: Path, language: str, forms: Sequence[str]
) -> None:
    """The files of one claim's figures; those of tables have rows alone."""
    for number, exhibit in enumerate(one.exhibits, 1):
        file = folder / document.picture_name(one, language, number)
        if "csv" in forms:
            write_text(file.with_suffix(".csv"), figures.rows_csv(exhibit, language))
        if (svg := drawn.get(file.name)) is None:
            continue

        source = figures.source_line(one, exhibit, language)
        whole = figures.framed(svg, document.shown(exhibit.title, language), source)
        write_text(file, whole.decode())
        if "png" in forms:
            write_whole(file.with_suffix(".png"), partial(_put, figures.png(whole)))


def _put(data: bytes, file: Path) -> None:
    file.write_bytes(data)
