"""What is asked of whom: a config's file or name, or models and tasks on the command line."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import completion
from harness.cli.options import DeviceOption, Limit, Overrides, announce, shortened
from harness.cli.output import add_options

if TYPE_CHECKING:
    from harness.config import LoadedConfig

WORDS = {"models": "--model", "tasks": "--task"}
"""How messages name what came without a file."""
ConfigName = Annotated[
    str | None,
    typer.Argument(
        metavar="CONFIG",
        help="YAML file, or the name of a packed config (`harness configs`).",
        autocompletion=completion.configs,
        show_default=False,
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="In place of CONFIG: preset, hub id or folder. Several: repeated, or with commas.",
        autocompletion=completion.models,
        show_default=False,
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        "-t",
        metavar="NAME",
        help="In place of CONFIG: task, suite, or a file of your own questions. Several alike.",
        autocompletion=completion.tasks,
        show_default=False,
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        help="What a run without CONFIG is called.  [default: after models and tasks]",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="The models are an endpoint's, e.g. http://localhost:8000/v1.",
        show_default=False,
    ),
]
KeyVariable = Annotated[
    str | None,
    typer.Option(
        "--api-key-env",
        metavar="VARIABLE",
        help="Environment variable with the endpoint's key.  [default: OPENAI_API_KEY]",
        show_default=False,
    ),
]
Device = Annotated[
    DeviceOption | None, typer.Option("--device", help="auto takes CUDA where present.", show_default=False)
]
OPTIONS: dict[str, Any] = {
    "config": ConfigName,
    "models": Models,
    "tasks": Tasks,
    "limit": Limit,
    "overrides": Overrides,
    "device": Device,
    "base_url": BaseUrl,
    "api_key_env": KeyVariable,
    "name": Name,
}


@dataclass(frozen=True)
class ConfigOptions:
    """The values of `OPTIONS`, as they were typed."""

    config: str | None = None
    models: list[str] | None = None
    tasks: list[str] | None = None
    limit: int | None = None
    overrides: list[str] | None = None
    device: DeviceOption | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    name: str | None = None

    def load(self, more: Sequence[str] = ()) -> LoadedConfig:
        """The checked config, with what was typed on top, and with ``more`` (``key=value``).

        Notes go to standard error. Raises ConfigError.
        """
        from harness.config import load_config
        from harness.config.adhoc import adhoc_config, entries_of

        self._check()
        overrides = [*(self.overrides or ()), *more, *shortened(self.limit, self.device)]
        if self.config is not None:
            loaded = load_config(self.config, overrides)
        else:
            config = adhoc_config(
                entries_of(self.models),
                entries_of(self.tasks),
                name=self.name,
                base_url=self.base_url,
                api_key_env=self.api_key_env,
            )
            loaded = load_config(config, overrides, WORDS)
        announce(loaded)
        return loaded

    def _check(self) -> None:
        """Raises ConfigError where neither a config nor models and tasks are named, or both."""
        from harness.errors import ConfigError

        without_file = {
            "--model": self.models,
            "--task": self.tasks,
            "--base-url": self.base_url,
            "--api-key-env": self.api_key_env,
            "--name": self.name,
        }
        typed = [option for option, value in without_file.items() if value]
        if self.config is not None and typed:
            raise ConfigError(
                f"{self.config} and {typed[0]}: name a config, or models and tasks; "
                "--set KEY=VALUE changes a config"
            )
        if self.config is None and not typed:
            raise ConfigError(
                "say what to run: a config (`harness configs` lists the packed ones, `harness init` "
                "writes one of your own), or --model NAME --task NAME"
            )
        if self.config is None and not self.tasks:
            raise ConfigError(
                "no task is named: say --task NAME, a suite or task (`harness tasks` lists them) or a "
                "file of your own questions"
            )


def selects() -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of `ConfigOptions` and hands them on as ``selection``."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(**named: Any) -> None:
            values = {field.name: named.pop(field.name, None) for field in fields(ConfigOptions)}
            function(selection=ConfigOptions(**values), **named)

        add_options(command, function, OPTIONS, handed="selection", first=True)
        return command

    return decorate
