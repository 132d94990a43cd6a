"""harness: measures open-weight language models, accuracy and speed from the same run.

From Python (docs/api.md)::

    import harness

    outcome = harness.run(model="tiny-qwen", tasks=["zh_arithmetic"], limit=20, out="results/mine")
    config = harness.load_config("smoke", ["limit=20"])  # or a YAML file, or a dictionary
    print(harness.plan(config).cells)
    frame = harness.load_results("results/mine")  # one row per (cell, metric, filter)
    pairs = harness.compare("results/mine", "results/other")
    print(harness.report(pairs, language="zh"))

Nothing heavy is imported before the function that needs it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.version import __version__

if TYPE_CHECKING:
    import pandas

    from harness.analysis.comparison import Comparison
    from harness.benchmark.runner import BenchOutcome
    from harness.config import LoadedConfig
    from harness.config.adhoc import Entry
    from harness.evaluation import Plan, RunOutcome
    from harness.studies.answer import ClaimAnswer

    Named = Entry | Path | Sequence[Entry | Path] | None

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


def load_config(source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> LoadedConfig:
    """Reads and checks a config; ``overrides`` are ``key=value`` as for ``--set``.

    ``source``: a YAML file, the name of a packed config, a run's folder, or a mapping of what a
    YAML would say. Raises ConfigError (all mistakes, one line each).
    """
    from harness.config import load_config as load

    loaded = load(source, overrides)
    # Expectations name tasks and metrics, which only the catalogue of tasks knows.
    if loaded.config.expect:
        from harness.evaluation.names import check_names

        check_names(loaded)
    return loaded


def plan(
    config: LoadedConfig | str | Path | Mapping[str, Any] | None = None,
    *,
    model: Named = None,
    tasks: Named = None,
    limit: int | None = None,
    **settings: Any,
) -> Plan:
    """What a run would do: cells, items, tokens, memory, detectable gaps; arguments as of `run`.

    Reads no weights and asks no network. Raises ConfigError.
    """
    from harness.evaluation import make_plan

    return make_plan(_config_of(config, model, tasks, limit, settings))


def run(
    config: LoadedConfig | str | Path | Mapping[str, Any] | None = None,
    *,
    model: Named = None,
    tasks: Named = None,
    limit: int | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    **settings: Any,
) -> RunOutcome:
    """Runs what is missing of a config, or of models and tasks; results go to ``out`` or
    ``results/<name>``.

    ``model`` and ``tasks``: what ``--model`` and ``--task`` take, one or a list, or mappings with
    the keys of a config. ``settings``: further keys of a config (``device="cpu"``), ``name``, and
    ``base_url`` and ``api_key_env`` of an endpoint.

    What a model or a task fails at is a status in the results, no exception. Raises ConfigError,
    RunFolderError.
    """
    from harness.evaluation import run_config

    loaded = _config_of(config, model, tasks, limit, settings)
    return run_config(loaded, out=_path(out), fresh=fresh)


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


def _loaded(config: LoadedConfig | str | Path | Mapping[str, Any]) -> LoadedConfig:
    return load_config(config) if isinstance(config, str | Path | Mapping) else config


def _config_of(
    config: LoadedConfig | str | Path | Mapping[str, Any] | None,
    model: Named,
    tasks: Named,
    limit: int | None,
    settings: dict[str, Any],
) -> LoadedConfig:
    """A config that was given, or one of these models and tasks. Raises ConfigError."""
    from harness.config import load_config as load
    from harness.config.adhoc import adhoc_config, entries_of
    from harness.errors import ConfigError

    if config is not None:
        named = {"model": model, "tasks": tasks, **settings}
        if typed := [key for key, value in named.items() if value is not None]:
            raise ConfigError(f"config and {typed[0]}: name a config, or models and tasks")
        loaded = _loaded(config)
        return loaded if limit is None else loaded.changed([f"limit={limit}"])

    if tasks is None:
        raise ConfigError("no task is named: say tasks=[NAME, …], tasks, suites or files of questions")
    entries = entries_of(model), entries_of(tasks)
    return load(adhoc_config(*entries, limit=limit, **settings), (), {"models": "model", "tasks": "task"})


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
