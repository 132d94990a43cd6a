"""``harness compare``: which differences between models are real, and whether one got worse."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion
from harness.cli.output import Show, shows
from harness.cli.testing import Annotations, Junit, check_junit, publish

if TYPE_CHECKING:
    from harness.analysis.regression import RegressionGate

Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Run folders, results.json files, or names of runs in results/.",
        autocompletion=completion.runs,
        show_default=False,
    ),
]


@shows()
def compare(
    runs: Runs,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", "-b", metavar="MODEL", help="Compare all with it.", show_default=False),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option("--task", "-t", help="Only this task (or glob), in detail.", show_default=False),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            "--index",
            metavar="NAME",
            help="Composite index: bilingual, open-llm-v2, smoke, or a YAML of weights.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All pairs, and the subjects of groups.")] = False,
    worse_than: Annotated[
        str | None,
        typer.Option(
            "--fail-if-worse",
            metavar="BASELINE",
            help="Exit with 3 where a model is worse than in this run (folder, results.json, lm-eval's "
            "results) or than this model.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        float | None,
        typer.Option("--by", metavar="POINTS", min=0, help="Points that may be lost.  [default: 0]"),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --fail-if-worse: any drop fails, also one by chance.")
    ] = False,
    junit: Junit = None,
    annotate: Annotations = None,
    *,
    show: Show,
) -> None:
    """Compare models on the items they share.

    Paired differences, tie groups, rank intervals. Only equal prompts are paired; runs may be of
    several machines and dates. With --fail-if-worse it is the regression gate of a CI.
    """
    if worse_than is not None:
        if index is not None or every:
            from harness.errors import ConfigError

            raise ConfigError("--fail-if-worse shows its own table: leave out --index and --all")
        check_junit(junit)
        gate = _gate(runs, worse_than, baseline, task, by=by or 0.0, strict=strict)
        _show_gate(gate, show, junit, annotate)
        raise typer.Exit(3 if gate.failed else 0)
    _refuse_gate_options(by=by, strict=strict, junit=junit, annotate=annotate)

    from harness.analysis.comparison import compare as compared
    from harness.analysis.index import load_weights
    from harness.reporting.comparison_document import comparison_document
    from harness.results.query import read_run

    # A wrong name of an index is refused before any samples are read.
    weights = load_weights(index) if index is not None else None
    comparison = compared([read_run(run) for run in runs])
    place = comparison.place(baseline) if baseline is not None else None
    show(comparison_document(comparison, weights=weights, baseline=place, tasks=task, every=every))


def _refuse_gate_options(
    *, by: float | None, strict: bool, junit: Path | None, annotate: bool | None
) -> None:
    from harness.errors import ConfigError

    options = {"--by": by is not None, "--strict": strict, "--junit": junit is not None}
    options["--annotations"] = bool(annotate)
    for name, present in options.items():
        if present:
            raise ConfigError(f"{name} belongs to the gate: add --fail-if-worse BASELINE")


def _gate(
    names: list[str], worse_than: str, model: str | None, tasks: str | None, *, by: float, strict: bool
) -> RegressionGate:
    from harness.analysis.regression import regression_gate
    from harness.cli.baselines import read_baseline
    from harness.results.query import read_run

    runs = [read_run(name) for name in names]
    with tempfile.TemporaryDirectory(prefix="harness-baseline-") as work:
        baseline = read_baseline(worse_than, runs, Path(work))
        # A model's name instead of a run: all others of the same runs are held against it.
        chosen, against = (runs, worse_than) if baseline is None else (baseline, model)
        return regression_gate(runs, chosen, model=against, by=by, strict=strict, tasks=tasks)


def _show_gate(gate: RegressionGate, show: Show, junit: Path | None, annotate: bool | None) -> None:
    from harness.reporting.regression import regression_document, regression_testcases

    show(regression_document(gate).in_language(show.language))
    publish(regression_testcases(gate), f"compare with {gate.baseline}", junit, annotate)
