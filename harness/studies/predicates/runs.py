"""Predicates over measured runs: they say what to run where there is none."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.finding import Outcome, StatementFinding, listed, say

if TYPE_CHECKING:
    from harness.analysis.index import Index


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
    """Whether the best of ``one`` has the higher index.

    Holds where the interval of the best of ``one`` lies above all others, fails where another's
    lies above its. Without runs it says which parts published scores lack, too; they decide
    nothing, since each was measured in its own way.
    """
    from harness.studies.scores import index_sentence

    run = what.config.split("/")[-1].removesuffix(".yaml")
    command = f"harness run {shlex.quote(what.config)} && harness study --all --run {run}"
    have = {row.id.lower() for run in data.runs for row in run.results.models if row.weights != "random"}
    lacking = [name for name in (*what.one, *what.other) if name.lower() not in have]
    if lacking:
        published = index_sentence((*what.one, *what.other), what.weights, what.language)
        absent, why = say("no_runs", names=listed(lacking)), say("two", one=published, other=say("run_first"))
        return StatementFinding("missing", "none", absent, why, command)

    by_name = _indices(what, data)
    parts = sorted({part for one in by_name.values() for part in one.missing})
    if parts:
        absent = say("index_parts", names="; ".join(parts))
        return StatementFinding("missing", "none", absent, say("run_first"), command)

    spans = {
        name: (one.value or 0.0, *(one.ci95 or (one.value or 0.0, one.value or 0.0)))
        for name, one in by_name.items()
    }
    return _compared(what, spans)


def _indices(what: ByIndex, data: Data) -> dict[str, Index]:
    """The index of each named model in the claim's language, by hub id in lower case."""
    from harness.analysis.comparison import compare
    from harness.analysis.index import indices, load_weights

    names = {name.lower() for name in (*what.one, *what.other)}
    comparison = compare(list(data.runs))
    by_name = {}
    for position, several in indices(comparison, load_weights(what.weights)).items():
        name = comparison.models[position].model.id.lower()
        index = next((one for one in several if one.language == what.language), None)
        if name in names and index is not None:
            by_name[name] = index
    return by_name


def _compared(what: ByIndex, spans: dict[str, tuple[float, float, float]]) -> StatementFinding:
    """The best of ``one`` against the others, by (value, low, high) of each model's index."""
    best = max(what.one, key=lambda name: spans[name.lower()][0])
    mine, rivals = spans[best.lower()], [spans[name.lower()] for name in what.other]
    rival = max(rivals)

    # Ahead of all is ahead of the widest interval; behind is behind the best rival's.
    above, below = mine[1] > max(high for *_, high in rivals), mine[2] < rival[1]
    outcome: Outcome = "holds" if above else "fails" if below else "unclear"
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
