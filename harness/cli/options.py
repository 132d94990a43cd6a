"""Arguments and options that several commands share, and what they mean as overrides of the
config.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completion
from harness.cli.output import notify

if TYPE_CHECKING:
    from harness.config import LoadedConfig

ConfigFile = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG",
        help="YAML file that names models and tasks, or a packed config's name.",
        autocompletion=completion.configs,
        show_default=False,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="Take the first N documents of each task.", show_default=False),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change the config, e.g. --set models.0.dtype=float32. May be repeated.",
        show_default=False,
    ),
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        "--mirror",
        help="Folder with datasets/ORG/NAME and models/ORG/NAME.  [env: HARNESS_MIRROR]",
        show_default=False,
    ),
]


def mirror_folder(folder: Path | None) -> Path | None:
    """The mirror of ``--mirror``, else of HARNESS_MIRROR, else none."""
    named = os.environ.get("HARNESS_MIRROR")
    return folder or (Path(named) if named else None)


class DeviceOption(StrEnum):
    """Where a run may compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def load(
    config: str | Path,
    overrides: Sequence[str] | None,
    limit: int | None = None,
    device: DeviceOption | None = None,
) -> LoadedConfig:
    """The checked config with the command line on top.

    Raises ConfigError.
    """
    from harness.config import load_config

    loaded = load_config(config, [*(overrides or ()), *shortened(limit, device)])
    announce(loaded)
    return loaded


def shortened(limit: int | None, device: DeviceOption | None) -> list[str]:
    """``--limit`` and ``--device`` as the ``--set`` that they are short for."""
    extra = [f"limit={limit}"] if limit is not None else []
    return extra + ([f"device={device.value}"] if device is not None else [])


def announce(loaded: LoadedConfig) -> None:
    """Says on standard error which file was chosen, and which names were tidied."""
    for note in loaded.notes:
        notify(note)


def same_command() -> str:
    """The command line that was typed, to be typed again.

    Without ``--fresh``: moving the old run aside once more would throw away what was just kept.
    """
    return shlex.join(["harness", *(word for word in sys.argv[1:] if word != "--fresh")])
