"""What ``--fail-if-worse`` names: a run of the harness, results of lm-eval, or a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError, HarnessError, RunFolderError

if TYPE_CHECKING:
    from harness.results.query import Run


def read_baseline(name: str, runs: list[Run], work: Path) -> list[Run] | None:
    """The baseline's runs; None where ``name`` is a model of ``runs`` themselves.

    lm-eval's results are imported below ``work``. Raises ConfigError where it is none of them.
    """
    from harness.results.query import find_results, read_run

    path = Path(name).expanduser()
    try:
        find_results(name)
        return [read_run(name)]
    except RunFolderError as error:
        if not path.exists():
            raise
        refusal: HarnessError = error
    except ConfigError as error:
        refusal = error
    if path.exists():
        return _lm_eval(path, work, refusal)

    models = sorted({model.model for run in runs for model in run.results.models})
    if name in models:
        return None
    raise ConfigError(
        f"--fail-if-worse {name}: no run, no results of lm-eval, and no model of these runs is called so "
        f"(there are {', '.join(models)})"
    )


def _lm_eval(path: Path, work: Path, refusal: HarnessError) -> list[Run]:
    from harness.exchange.imported import import_all
    from harness.results.query import read_run

    try:
        return [read_run(done.folder) for done in import_all(path, out=work / "baseline")]
    except ConfigError as error:
        raise ConfigError(
            f"--fail-if-worse {path}: neither a run of the harness ({refusal}) nor of lm-eval ({error})"
        ) from None
