"""The whole page: a comparison's parts laid into the template, under a policy that lets nothing in
and nothing out.

The one script and the one style are inline and allowed by their hashes; data stands in a script
element of type application/json, which no browser runs; the viewer shows it through textContent
only.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from harness.analysis.comparison import Comparison, compare
from harness.analysis.gap import Gap, gaps
from harness.analysis.notes import translated
from harness.analysis.published import matches
from harness.errors import ConfigError
from harness.reporting.html import charts, tables
from harness.reporting.html.finding import finding, main_scopes
from harness.reporting.html.items import item_data, stated
from harness.reporting.html.study import Studies
from harness.reporting.inert import embedded, shortened, visible
from harness.reporting.plots.theme import page_style
from harness.reporting.sanity import lines_of, sanity_text
from harness.reporting.table import make_table
from harness.results.query import Run
from harness.texts import LANGUAGES, Words
from harness.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template

PARTS = Path(__file__).resolve().parents[2] / "data" / "report"
LONGEST_MANIFEST = 400_000
"""Characters of all runs' manifests that are shown."""


def page(runs: Sequence[Run], language: str = "en", studies: Studies | None = None) -> str:
    """The HTML of one run, or of several joined, as `compare` joins them. ``language`` en or zh;
    ``studies`` in the same, for a section.

    Raises ConfigError for another language, or where no run holds a score.
    """
    if language not in LANGUAGES:
        raise ConfigError(f"--lang {language}: the page is written in {' or '.join(LANGUAGES)}")
    words = Words(language)
    comparison = compare(runs)
    items = item_data(comparison, words)
    script, style = _part("viewer.js"), _part("style.css") + page_style()
    return _template().render(
        w=words,
        policy=_policy(script, style),
        studies=studies,
        script=Markup(script),
        style=Markup(style),
        title=words("title", name=visible(comparison.name)),
        made=words(
            "made", version=__version__, runs=words.listed([visible(run.results.name) for run in runs])
        ),
        items=items["tasks"],
        stated=stated(items, words),
        data=Markup(embedded({**items, "words": words.under("js_")})),
        manifests=[_manifest(run, words, LONGEST_MANIFEST // len(runs)) for run in runs],
        sanity=[
            (line.level, visible(sanity_text(line, language)))
            for line in lines_of([run.results for run in runs])
        ],
        failures=[visible(reason) for reason in make_table([run.results for run in runs]).failures],
        notes=[visible(translated(note, language)) for note in comparison.notes],
        **_sections(comparison, words),
    )


def _sections(comparison: Comparison, words: Words) -> dict[str, Any]:
    """What is drawn and tabulated from the comparison."""
    labels = [model.label for model in comparison.models]
    found, claims = gaps(comparison.contests), matches(comparison)
    scopes = main_scopes(comparison)
    names = [f"{tables.scope_name(scope, words)} · {tables.metric_name(scope, words)}" for scope in scopes]
    rankings = [
        (
            name,
            charts.ranking_chart(scope, labels, words, name),
            tables.ranking_grid(comparison, scope, words),
        )
        for name, scope in zip(names, scopes, strict=True)
    ]
    pairs = [
        (name, tables.matrix_grid(comparison, scope, words))
        for name, scope in zip(names, scopes, strict=True)
    ]
    return {
        "finding": finding(comparison, found, words),
        "rankings": rankings,
        "heat": tables.heat_grid(comparison, words),
        "scores": tables.scores_grid(comparison, words),
        "gap": _gap(comparison, found, labels, words),
        "pairs": [(name, grid) for name, grid in pairs if grid is not None and len(grid.rows) > 1],
        "costs": charts.cost_charts(comparison, scopes, words),
        "published": tables.published_grid(comparison, claims, words) if claims else None,
    }


def _gap(
    comparison: Comparison, found: Sequence[Gap], labels: Sequence[str], words: Words
) -> tuple[Markup | None, tables.Grid] | None:
    if not found:
        return None
    return charts.gap_chart(found, labels, words, words("h_gap")), tables.gap_grid(comparison, found, words)


def _policy(script: str, style: str) -> str:
    """The content security policy: nothing but this very script and this very style."""
    return f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _manifest(run: Run, words: Words, most: int) -> dict[str, Any]:
    """A run's facts in short, and its manifest whole up to ``most`` characters."""
    known, results = run.manifest, run.results
    versions = known.get("packages") or {}
    facts = {
        "run": results.name,
        "created": results.created,
        "version": results.harness_version,
        "command": " ".join(map(str, known.get("command") or [])),
        "hardware": _hardware(known.get("hardware") or {}),
        "packages": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "models": ", ".join(_model(row.id, row.revision, row.dtype, row.engine) for row in results.models),
        "config_hash": results.config_hash,
    }
    text = json.dumps(known, ensure_ascii=False, indent=1) if known else ""
    shown = [(words(f"m_{key}"), visible(value)) for key, value in facts.items() if value]
    return {"facts": shown, "whole": visible(shortened(text, most, words("cut")))}


def _model(name: str, revision: str | None, *facts: str | None) -> str:
    known = [fact for fact in (revision, *facts) if fact]
    return f"{name} ({', '.join(known)})" if known else name


def _hardware(known: dict[str, Any]) -> str:
    gpus = [
        str(gpu.get("name", gpu)) if isinstance(gpu, dict) else str(gpu) for gpu in known.get("gpus") or []
    ]
    cores = f"{known.get('cores')} cores" if known.get("cores") else ""
    return ", ".join(part for part in (str(known.get("cpu") or ""), cores, *gpus) if part)


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    known = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return known.from_string(_part("page.html.j2"))
