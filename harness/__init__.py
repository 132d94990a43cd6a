"""harness: measures open-weight language models, accuracy and speed from the same run.

From Python::

    import harness

    config = harness.load_config("configs/smoke.yaml", ["limit=20"])
    print(harness.plan(config).cells)
    outcome = harness.run(config, out="results/mine")
    frame = harness.load_results("results/mine")   # a pandas data frame, one row a (cell, metric, filter)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.version import __version__

if TYPE_CHECKING:
    import pandas

    from harness.config import LoadedConfig
    from harness.evaluation import Plan, RunOutcome

__all__ = ["__version__", "load_config", "load_results", "plan", "run"]


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> LoadedConfig:
    """Reads and checks a YAML file; ``overrides`` are ``key=value`` as for ``--set``.

    Raises ConfigError (all mistakes, a line each).
    """
    from harness.config import load_config as load

    return load(path, overrides)


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

    Raises ConfigError, RunFolderError.
    """
    from harness.evaluation import run_config

    return run_config(_loaded(config), out=Path(out) if out is not None else None, fresh=fresh)


def load_results(*runs: str | Path) -> pandas.DataFrame:
    """One row a (cell, metric, filter) of one or more run folders or results.json files.

    Raises RunFolderError, ConfigError.
    """
    from harness.results.query import load_results as load

    return load([Path(run) for run in runs])


def _loaded(config: LoadedConfig | str | Path) -> LoadedConfig:
    return load_config(config) if isinstance(config, str | Path) else config
