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
from harness.analysis.picks import pick_counts
from harness.analysis.published import matches
from harness.errors import ConfigError
from harness.reporting.expectations import expectation_points
from harness.reporting.html import charts, tables
from harness.reporting.html.finding import finding
from harness.reporting.html.items import item_data, stated
from harness.reporting.html.study import Studies
from harness.reporting.inert import embedded, shortened, visible
from harness.reporting.plots.theme import page_style
from harness.reporting.sanity import lines_of, sanity_text
from harness.reporting.scopes import main_scopes, metric_name, scope_name
from harness.reporting.table import make_table
from harness.reporting.texts import translated
from harness.results.query import Run
from harness.results.schema import Results
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

    # The policy allows this very script and style by their hashes, so both are put together before
    # anything is written.
    script, style = _part("viewer.js"), _part("style.css") + page_style()
    names = words.listed([visible(run.results.name) for run in runs])
    results = [run.results for run in runs]
    return _template().render(
        w=words,
        policy=_policy(script, style),
        studies=studies,
        script=Markup(script),
        style=Markup(style),
        title=words("title", name=visible(comparison.name)),
        made=words("made", version=__version__, runs=names),
        items=items["tasks"],
        stated=stated(items, words),
        data=Markup(embedded({**items, "words": words.under("js_")})),
        manifests=[_manifest(run, words, LONGEST_MANIFEST // len(runs)) for run in runs],
        sanity=[(line.level, visible(sanity_text(line, language))) for line in lines_of(results)],
        expectations=_expectations(results, language),
        failures=[visible(translated(reason, language)) for reason in make_table(results).failures],
        notes=[visible(translated(note, language)) for note in comparison.notes],
        **_sections(comparison, words),
    )


def _expectations(results: Sequence[Results], language: str) -> tuple[str, list[tuple[str, str]]] | None:
    """The heading and, per outcome, the class of its line and its text."""
    points = expectation_points([row for result in results for row in result.expectations])
    if points is None:
        return None
    kinds = ["warning" if index in points.warnings else "note" for index in range(len(points.items))]
    texts = [visible(translated(text, language)) for text in points.items]
    return visible(translated(points.title, language)), list(zip(kinds, texts, strict=True))


def _sections(comparison: Comparison, words: Words) -> dict[str, Any]:
    """What is drawn and tabulated from the comparison."""
    labels = [model.label for model in comparison.models]
    differences, claims = gaps(comparison.contests), matches(comparison)
    scopes = main_scopes(comparison)

    # A ranking of one metric and one of means may have the same name, so each says its metric.
    names = [f"{scope_name(scope, words)} · {metric_name(scope, words)}" for scope in scopes]
    ranked = list(zip(names, scopes, strict=True))
    rankings = [
        (name, charts.ranking_chart(one, labels, words, name), tables.ranking_grid(comparison, one, words))
        for name, one in ranked
    ]
    pairs = [
        (name, tables.matrix_grid(comparison, one, words), tables.pairs_grids(comparison, one, words))
        for name, one in ranked
    ]

    counts = pick_counts(comparison)
    picks = charts.pick_charts(counts, labels, words)
    return {
        "picks": picks,
        "picks_left": words("picks_left", n=len(counts) - len(picks)) if len(counts) > len(picks) else "",
        "finding": finding(comparison, differences, words),
        "rankings": rankings,
        "heat": tables.heat_grid(comparison, words),
        "scores": tables.scores_grid(comparison, words),
        "gap": _gap(comparison, differences, labels, words),
        "pairs": [one for one in pairs if one[1] is not None and len(one[1].rows) > 1],
        "costs": charts.cost_charts(comparison, scopes, words),
        "published": tables.published_grid(comparison, claims, words) if claims else None,
    }


def _gap(
    comparison: Comparison, pairs: Sequence[Gap], labels: Sequence[str], words: Words
) -> tuple[Markup | None, tables.Grid] | None:
    if not pairs:
        return None
    return charts.gap_chart(pairs, labels, words, words("h_gap")), tables.gap_grid(comparison, pairs, words)


def _policy(script: str, style: str) -> str:
    """The content security policy: nothing but this very script and this very style."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _manifest(run: Run, words: Words, most: int) -> dict[str, Any]:
    """A run's facts in short, and its manifest whole up to ``most`` characters."""
    manifest, results = run.manifest, run.results
    versions = manifest.get("packages") or {}
    facts = {
        "run": results.name,
        "created": results.created,
        "version": results.harness_version,
        "command": " ".join(map(str, manifest.get("command") or [])),
        "hardware": _hardware(manifest.get("hardware") or {}),
        "packages": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "models": ", ".join(_model(row.id, row.revision, row.dtype, row.engine) for row in results.models),
        "config_hash": results.config_hash,
    }

    # A manifest of many tasks is long, and all runs' together must leave room for the questions.
    text = json.dumps(manifest, ensure_ascii=False, indent=1) if manifest else ""
    shown = [(words(f"m_{key}"), visible(value)) for key, value in facts.items() if value]
    return {"facts": shown, "whole": visible(shortened(text, most, words("cut")))}


def _model(name: str, revision: str | None, *facts: str | None) -> str:
    details = [fact for fact in (revision, *facts) if fact]
    return f"{name} ({', '.join(details)})" if details else name


def _hardware(machine: dict[str, Any]) -> str:
    gpus = machine.get("gpus") or []
    names = [str(gpu.get("name", gpu)) if isinstance(gpu, dict) else str(gpu) for gpu in gpus]
    cores = f"{machine.get('cores')} cores" if machine.get("cores") else ""
    return ", ".join(part for part in (str(machine.get("cpu") or ""), cores, *names) if part)


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_part("page.html.j2"))
