"""One picture for a notebook: the same charts as `harness report --plots` writes, by their kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.comparison import Comparison, compare
from harness.analysis.scopes import Scope
from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.reporting.plots.figures import figures, slug
from harness.reporting.plots.grids import matrix
from harness.reporting.plots.save import specification
from harness.reporting.plots.scores import ranking
from harness.reporting.plots.speed_rows import speed_figures
from harness.reporting.speed_file import read_speed_rows, speed_file
from harness.results.query import FILE, read_run
from harness.texts import LANGUAGES, Words
from harness.wording import list_first

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart

FORMS = {
    "layer": "LayerChart",
    "hconcat": "HConcatChart",
    "vconcat": "VConcatChart",
    "concat": "ConcatChart",
    "facet": "FacetChart",
    "mark": "Chart",
}
"""Altair's class of a chart, by the key that only its Vega-Lite has."""
WHOLE = ("chinese-english",)
"""Kinds with a dash in them; of the others what follows the dash is a scope or a shape."""
OF_SCOPE = {"ranking": ranking, "differences": matrix}
"""Charts that can be drawn of any task, group or average by its name."""


def plot(
    shown: str | Path | Comparison, kind: str | None = None, *, of: str | None = None, language: str = "en"
) -> Chart:
    """One chart of a run, a bench's folder or a comparison, in the house theme.

    ``kind`` is a figure's name or what it begins with, the first figure for None; ``of`` the task,
    group or average of a ranking or of differences. Raises ConfigError, RunFolderError.
    """
    import altair

    if language not in LANGUAGES:
        raise ConfigError(f"language {language!r}: plots are drawn in {' or '.join(LANGUAGES)}")
    words = Words(language)
    comparison = shown if isinstance(shown, Comparison) else _comparison(shown)
    if of is not None:
        chart = _of_scope(comparison, kind or "ranking", of, words)
    else:
        chart = _by_kind(_figures(shown, comparison, words), kind)

    # A notebook would draw it in Altair's theme: this way it looks as in a report, names made safe.
    spec = specification(chart, check=False)
    form = next((form for form in FORMS if form in spec), "mark")
    return getattr(altair, FORMS[form]).from_dict(spec, validate=False)


def _comparison(run: str | Path) -> Comparison | None:
    """The models of a run; None for a folder that holds a bench alone."""
    speed = speed_file(run)
    if speed is not None and not (speed.parent / FILE).exists():
        return None
    return compare([read_run(run)])


def _figures(
    shown: str | Path | Comparison, comparison: Comparison | None, words: Words
) -> Iterator[tuple[str, Any]]:
    if comparison is not None:
        yield from figures(comparison, words)
    speed = None if isinstance(shown, Comparison) else speed_file(shown)
    if speed is not None:
        yield from speed_figures(read_speed_rows(speed), words)


def _by_kind(charts: Iterator[tuple[str, Any]], kind: str | None) -> Any:
    """The first chart of a kind. Raises ConfigError where there is none, naming those there are."""
    names = []
    for name, chart in charts:
        if kind is None or name == kind or name.startswith(f"{kind}-"):
            return chart
        names.append(name if name in WHOLE else name.partition("-")[0])
    if not names:
        raise ConfigError("nothing to plot: no score and no measured speed here")
    kinds = list(dict.fromkeys(names))
    raise ConfigError(f"kind={kind!r}: no such figure{suggest(kind, kinds)}; there are {', '.join(kinds)}")


def _of_scope(comparison: Comparison | None, kind: str, name: str, words: Words) -> Any:
    draw = OF_SCOPE.get(kind)
    if draw is None:
        raise ConfigError(f"kind={kind!r} with of={name!r}: of= goes with {' or '.join(OF_SCOPE)}")

    scopes = {scope.name: scope for scope in comparison.scopes} if comparison is not None else {}
    scope = scopes.get(name) or _by_slug(scopes, name)
    if scope is None:
        raise ConfigError(
            f"of={name!r}: no such task, group or average{suggest(name, scopes)}; "
            f"there are {list_first(list(scopes), 12) or 'none'}"
        )
    if not scope.scores or (kind == "differences" and not scope.pairs):
        raise ConfigError(f"of={name!r}: no {kind}: no two models were compared on it")
    labels = [model.label for model in comparison.models] if comparison is not None else []
    return draw(scope, labels, words)


def _by_slug(scopes: dict[str, Scope], name: str) -> Scope | None:
    """``chinese-average`` for "Chinese average", as in the names of figures."""
    return next((scope for scope in scopes.values() if slug(scope.name) == name), None)
