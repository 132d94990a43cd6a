"""Predicates over measured runs: they say what to run where there is none."""

from __future__ import annotations

import shlex

from pydantic import BaseModel, ConfigDict, Field

from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Outcome, StatementFinding, listed, say


class ByIndex(BaseModel):
    """The best of the models ``one`` has a higher composite index than every one of ``other``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    weights: str = Field(description="A composite index: a packaged name or a YAML file.")
    language: str = "en"
    one: tuple[str, ...] = Field(min_length=1, description="Hub ids.")
    other: tuple[str, ...] = Field(min_length=1)
    config: str = Field(description="The config that runs them.")


class NeedsRun(BaseModel):
    """What nobody has measured yet: always missing, with the command that measures it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    what: Text
    command: str


def by_index(what: ByIndex, data: Data) -> StatementFinding:
    """Holds where the interval of the best of ``one`` lies above all others, fails where another's
    lies above its.

    Without runs it says which parts published scores lack, too; they decide nothing, since each was
    asked in its own way.
    """
    from harness.analysis.comparison import compare
    from harness.analysis.index import indices, load_weights
    from harness.studies.scores import told

    command = f"harness run {shlex.quote(what.config)} && harness study --all --run {what.config.split('/')[-1].removesuffix('.yaml')}"
    wanted = {name.lower() for name in (*what.one, *what.other)}
    have = {row.id.lower() for run in data.runs for row in run.results.models if row.weights != "random"}
    lacking = [name for name in (*what.one, *what.other) if name.lower() not in have]
    if lacking:
        published = told((*what.one, *what.other), what.weights, what.language)
        return StatementFinding(
            "missing",
            "none",
            say("no_runs", names=listed(lacking)),
            say("two", one=published, other=say("run_first")),
            command,
        )
    comparison = compare(list(data.runs))
    found = {}
    for place, several in indices(comparison, load_weights(what.weights)).items():
        name = comparison.models[place].model.id
        index = next((one for one in several if one.language == what.language), None)
        if name.lower() in wanted and index is not None:
            found[name.lower()] = index
    parts = sorted({part for one in found.values() for part in one.missing})
    if parts:
        return StatementFinding(
            "missing", "none", say("index_parts", names="; ".join(parts)), say("run_first"), command
        )
    spans = {
        name: (one.value or 0.0, *(one.ci95 or (one.value or 0.0, one.value or 0.0)))
        for name, one in found.items()
    }
    best = max(what.one, key=lambda name: spans[name.lower()][0])
    mine, rivals = spans[best.lower()], [spans[name.lower()] for name in what.other]
    rival = max(rivals)
    outcome: Outcome = (
        "holds"
        if mine[1] > max(high for *_, high in rivals)
        else "fails"
        if mine[2] < rival[1]
        else "unclear"
    )
    measured = say(
        "index",
        best=best,
        value=f"{mine[0]:.1f}",
        low=f"{mine[1]:.1f}",
        high=f"{mine[2]:.1f}",
        other=f"{rival[0]:.1f}",
    )
    why = say("near_limit") if outcome == "unclear" else None
    brief = say("brief_index", value=f"{mine[0]:.1f}", other=f"{rival[0]:.1f}")
    return StatementFinding(outcome, "measured", measured, why, figures={"index": spans}, brief=brief)


def needs_run(what: NeedsRun, data: Data) -> StatementFinding:
    """Always missing: no run at hand can say it."""
    return StatementFinding(
        "missing", "none", say("no_measure", what=what.what), say("run_first"), what.command
    )
