"""The studies as one self-contained HTML page. Names are data, never markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from harness.reporting.inert import visible
from harness.reporting.plots.theme import page_style
from harness.studies.answer import ClaimAnswer
from harness.studies.claims import FOLDER
from harness.studies.data import Data
from harness.studies.document import cited, dated, dates, labelled, picture_name, sentences, shown
from harness.studies.finding import say
from harness.studies.overview import COLUMNS, asides, below, named, overview
from harness.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template


def html(
    answers: Sequence[ClaimAnswer],
    data: Data,
    language: str,
    pictures: Mapping[str, bytes],
    files: tuple[str, tuple[str, ...]] = ("", ()),
    other: str = "",
) -> str:
    """All studies as one page: no script, no network, plots drawn inside it.

    ``files`` are the folder and the forms of the figures' files, ``other`` is the language of
    another page: both lie beside the page, which links to them.
    """
    style = (FOLDER / "style.css").read_text(encoding="utf-8") + page_style()

    return _template().render(
        language=language,
        policy=_policy(style),
        style=Markup(style),
        answers=answers,
        say=lambda key, **values: say(key, **values)[language],
        shown=lambda cell: shown(cell, language),
        picture=lambda answer, number: _drawing(answer, language, number, pictures),
        links=lambda answer, number: _links(answer, language, number, files),
        other=other,
        version=__version__,
        overview=overview(answers, language),
        columns=COLUMNS,
        below=below(answers, language),
        named=lambda answer: named(answer, language),
        dated=lambda answer: dated(answer, language),
        asides=lambda answer: [
            visible(labelled(f"w_{name}", aside, language)) for name, aside in asides(answer)
        ],
        sentences=lambda finding: visible(sentences(finding, language)),
        dates=dates(data),
        cited=cited(answers, data, language),
    )


def _policy(style: str) -> str:
    """Nothing but this very style may act; links lead away from the page and bring nothing in."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _days(text: str) -> Markup:
    """Text whose dates are not broken at the end of a line."""
    return Markup(
        re.sub(r"\d{4}-\d\d(?:-\d\d)?", r'<span class="day">\g<0></span>', str(Markup.escape(text)))
    )


def _drawing(answer: ClaimAnswer, language: str, number: int, pictures: Mapping[str, bytes]) -> Markup | None:
    """The plot as an element of the page, in its colours of light and dark; None without one."""
    from harness.reporting.plots.svg import inline

    svg = pictures.get(picture_name(answer, language, number))
    title = answer.exhibits[number - 1].title
    return inline(svg.decode(), shown(title, language)) if svg is not None else None


def _links(
    answer: ClaimAnswer, language: str, number: int, files: tuple[str, tuple[str, ...]]
) -> list[tuple[str, str]]:
    """(form, address beside the page) of a figure's files; of a table only its rows are one."""
    folder, forms = files
    name = picture_name(answer, language, number).removesuffix(".svg")
    drawn = bool(answer.exhibits[number - 1].points)
    return [(form.upper(), f"{folder}/{name}.{form}") for form in forms if drawn or form == "csv"]


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment: Any = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["days"] = _days
    template: Template = environment.from_string((FOLDER / "page.html.j2").read_text(encoding="utf-8"))
    return template
