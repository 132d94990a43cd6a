"""harness: measures open-weight language models, accuracy and speed from the same run.

From Python (docs/api.md)::

    import harness

    config = harness.load_config("configs/smoke.yaml", ["limit=20"])
    print(harness.plan(config).cells)
    outcome = harness.run(config, out="results/mine")
    frame = harness.load_results("results/mine")  # one row per (cell, metric, filter)
    pairs = harness.compare("results/mine", "results/other")
    print(harness.report(pairs, language="zh"))

Nothing heavy is imported before the function that needs it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.version import __version__

if TYPE_CHECKING:
    import pandas

    from harness.analysis.comparison import Comparison
    from harness.benchmark.runner import BenchOutcome
    from harness.config import LoadedConfig
    from harness.evaluation import Plan, RunOutcome
    from harness.studies.answer import ClaimAnswer

__all__ = [
    "__version__",
    "bench",
    "compare",
    "load_config",
    "load_results",
    "plan",
    "report",
    "run",
    "study",
]


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> LoadedConfig:
    """Reads and checks a YAML file; ``overrides`` are ``key=value`` as for ``--set``.

    Raises ConfigError (all mistakes, one line each).
    """
    from harness.config import load_config as load

    loaded = load(path, overrides)
    # Expectations name tasks and metrics, which only the catalogue of tasks knows.
    if loaded.config.expect:
        from harness.evaluation.names import check_names

        check_names(loaded)
    return loaded


def plan(config: LoadedConfig | str | Path) -> Plan:
    """What a run would do: cells, items, tokens, memory, detectable gaps.

    Reads no weights and asks no network. Raises ConfigError.
    """
    from harness.evaluation import make_plan

    return make_plan(_loaded(config))


def run(
    config: LoadedConfig | str | Path, *, out: str | Path | None = None, fresh: bool = False
) -> RunOutcome:
    """Runs what is missing of a config; results go to ``out`` or ``results/<name>``.

    What a model or a task fails at is a status in the results, no exception. Raises ConfigError,
    RunFolderError.
    """
    from harness.evaluation import run_config

    return run_config(_loaded(config), out=_path(out), fresh=fresh)


def bench(
    config: LoadedConfig | str | Path,
    *,
    out: str | Path | None = None,
    fresh: bool = False,
    say: Callable[[str], None] | None = None,
) -> BenchOutcome:
    """Measures the speed of the shapes under ``speed:`` of a config.

    ``say`` gets one line per step. Raises ConfigError, RunFolderError.
    """
    from harness.benchmark.runner import bench_config

    return bench_config(_loaded(config), out=_path(out), fresh=fresh, say=say)


def load_results(*runs: str | Path) -> pandas.DataFrame:
    """One row per (cell, metric, filter) of one or more run folders or results.json files.

    Raises RunFolderError, ConfigError.
    """
    from harness.results.query import load_results as load

    return load([Path(run) for run in runs])


def compare(*runs: str | Path) -> Comparison:
    """Models of one or more runs on the items that they share.

    ``scopes`` of the result are its tasks, groups and averages, each with scores, paired
    differences and rank intervals. Raises RunFolderError, ConfigError.
    """
    from harness.analysis.comparison import compare as compared
    from harness.results.query import read_run

    return compared([read_run(str(run)) for run in runs])


def study(*claims: str | Path, runs: Sequence[str | Path] = ()) -> list[ClaimAnswer]:
    """What the data say to articles' claims: ids (``C8``) or YAML files; all packaged ones if none
    is named.

    ``runs`` are looked at beside the published figures. Raises ConfigError, RunFolderError.
    """
    from harness.results.query import read_run
    from harness.studies import claims as packaged
    from harness.studies.answer import answer
    from harness.studies.data import Data

    data = Data(runs=tuple(read_run(str(run)) for run in runs))
    chosen = [packaged.find_claim(str(claim)) for claim in claims] or packaged.claims().values()
    return [answer(claim, data) for claim in chosen]


def report(
    *shown: str | Path | Comparison | BenchOutcome, format: str = "markdown", language: str = "en"
) -> str:
    """The tables of runs (folders or results.json files), of a `compare` or of a `bench`, as text.

    ``format``: terminal, markdown, latex, csv, json, html or an installed one; ``language``: en or
    zh. Raises ConfigError for an unknown format, or where things of different kinds are given.
    """
    from harness.reporting.anything import document_of
    from harness.reporting.rendering import render

    return render(document_of(shown, language), format, language=language)


def _loaded(config: LoadedConfig | str | Path) -> LoadedConfig:
    return load_config(config) if isinstance(config, str | Path) else config


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
