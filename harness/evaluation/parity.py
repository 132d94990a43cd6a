"""Both sides of a parity comparison: a config as it is, and with every model changed alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.evaluation.preconditions import refuse_prompts, require_sides
from harness.names import file_name

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.progress.reporters import Reporter


@dataclass(frozen=True)
class Sides:
    """The two run folders; ``interrupted`` where the person stopped one of the runs."""

    first: Path
    second: Path
    interrupted: bool = False


def changed_config(loaded: LoadedConfig, changes: Sequence[str]) -> LoadedConfig:
    """The config with ``key=value`` set on each of its models.

    Raises ConfigError for a key or value that cannot be, or changes nothing.
    """
    for change in changes:
        key, equals, _ = change.partition("=")
        if not key.strip() or not equals:
            raise ConfigError(
                f"--against {change}: expected KEY=VALUE, a model's setting, e.g. dtype=bfloat16 "
                "or engine=vllm"
            )

    # Overrides are checked like those of --set, so that a wrong key is named with its file and
    # line.
    count = len(loaded.config.models)
    more = [f"models.{index}.{change}" for index in range(count) for change in changes]
    other = loaded.changed(more)
    if other.config.models == loaded.config.models:
        raise ConfigError(
            f"--against {' '.join(changes)}: the config says that already; name another engine, "
            "dtype or setting"
        )
    return other


def run_sides(
    loaded: LoadedConfig, changes: Sequence[str], out: Path | None, reporter: Callable[[], Reporter]
) -> Sides:
    """Runs what is missing of both sides, each with a reporter of its own.

    Their folders lie under ``out`` (``results/parity/<name>``).

    Raises ConfigError, RunFolderError.
    """
    from harness.evaluation import run_config

    # Checked before anything runs: the first side may take hours.
    refuse_prompts(list(changes))
    other = changed_config(loaded, changes)
    require_sides({"as configured": loaded, f"against {' '.join(changes)}": other})

    base = out or Path("results") / "parity" / loaded.config.name
    folders = base / "as-configured", base / file_name("-".join(changes))
    sides = ("as configured", loaded), (" ".join(changes), other)
    for (words, side), folder in zip(sides, folders, strict=True):
        with reporter() as showing:
            showing.message(f"{words}, in {folder}:")
            if run_config(side, out=folder, reporter=showing).exit_code == 130:
                return Sides(*folders, interrupted=True)
    return Sides(*folders)
