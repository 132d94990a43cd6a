"""harness: measures open-weight language models, accuracy and speed from the same run.

From Python (docs/api.md)::

    import harness

    outcome = harness.run(model="tiny-qwen", tasks=["zh_arithmetic"], limit=20, out="results/mine")
    config = harness.load_config("smoke", ["limit=20"])  # or a YAML file, or a dictionary
    print(harness.plan(config).cells)
    frame = harness.load_results("results/mine")  # one row per (cell, metric, filter)
    items = harness.load_samples("results/mine", task="zh_arithmetic")  # one row per item
    pairs = harness.compare("results/mine", "results/other")
    print(harness.report(pairs, language="zh"))
    harness.plot(pairs, "ranking")  # an Altair chart, which a notebook shows

Nothing heavy is imported before the function that needs it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.version import __version__

if TYPE_CHECKING:
    import pandas
    from altair import TopLevelMixin as Chart

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
    "load_samples",
    "plan",
    "plot",
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
    progress: bool = False,
    **settings: Any,
) -> RunOutcome:
    """Runs what is missing of a config, or of models and tasks; results go to ``out`` or
    ``results/<name>``.

    ``model`` and ``tasks``: what ``--model`` and ``--task`` take, one or a list, or mappings with
    the keys of a config. ``settings``: further keys of a config (``device="cpu"``), ``name``, and
    ``base_url`` and ``api_key_env`` of an endpoint. ``progress``: one line per task or group (bars
    on a terminal); else only what went wrong.

    What a model or a task fails at is a status in the results, no exception. Raises ConfigError,
    RunFolderError.
    """
    from harness.evaluation import run_config
    from harness.progress.display import reporter_for

    loaded = _config_of(config, model, tasks, limit, settings)

    # A notebook paints standard error as a failure.
    stream = sys.stdout if "ipykernel" in sys.modules else sys.stderr
    with reporter_for(quiet=not progress, stream=stream) as reporter:
        return run_config(loaded, out=_path(out), fresh=fresh, reporter=reporter)


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


def load_results(*runs: str | Path, averages: bool = False) -> pandas.DataFrame:
    """One row per (cell, metric, filter) of one or more run folders or results.json files.

    ``primary`` marks each task's headline metric, ``kind`` says what a row is: task, or subject (a
    task of a group). With ``averages`` there are rows of kind group and average, too, with their
    intervals: choose one kind before you average, or you average averages. The columns are those
    of ``harness report -f csv``. Raises RunFolderError, ConfigError.
    """
    from harness.reporting.frames import results_frame

    return results_frame(runs, averages=averages)


def load_samples(
    *runs: str | Path,
    model: str | Sequence[str] | None = None,
    task: str | Sequence[str] | None = None,
    texts: bool = False,
) -> pandas.DataFrame:
    """One row per item of each cell: model, task, key, score, answer, gold, finish, tokens, seconds.

    Scored by the headline metric of its task. ``model`` and ``task``: one name or several;
    ``texts`` adds prompts and whole responses, the better part of a large run. ``key`` names the
    item in other runs, too; ``pick`` is the option chosen by log-probability, from 0. Raises
    ConfigError for a name that no run holds, RunFolderError for runs without samples.
    """
    from harness.reporting.frames import samples_frame

    return samples_frame(runs, models=_several(model), tasks=_several(task), texts=texts)


def compare(*runs: str | Path) -> Comparison:
    """Models of one or more runs on the items that they share.

    ``scopes`` of the result are its tasks, groups and averages, each with scores, paired
    differences and rank intervals; ``pairs()`` and ``ranking()`` are the same as frames. Raises
    RunFolderError, ConfigError.
    """
    from harness.analysis.comparison import compare as compared
    from harness.results.query import read_run

    return compared([read_run(str(run)) for run in runs])


def plot(
    shown: str | Path | Comparison, kind: str | None = None, *, of: str | None = None, language: str = "en"
) -> Chart:
    """One chart of a run, a bench's folder or a `compare`, as `harness report --plots` draws it.

    ``kind``: ranking, tasks, chinese-english, differences, answers, costs; of a bench throughput,
    latency, roofline, memory; the first there are data for if None. ``of``: the task, group or
    average of a ranking or of differences. Raises ConfigError, RunFolderError.
    """
    from harness.reporting.plots.chosen import plot as chosen

    return chosen(shown, kind, of=of, language=language)


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
    *shown: str | Path | Comparison | RunOutcome | BenchOutcome | Plan,
    format: str = "markdown",
    language: str = "en",
) -> str:
    """The tables of runs (folders or results.json files), or of what `compare`, `run`, `bench` or
    `plan` gave, as text.

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


def _several(names: str | Sequence[str] | None) -> Sequence[str] | None:
    return [names] if isinstance(names, str) else names


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
