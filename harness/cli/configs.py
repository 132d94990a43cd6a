"""``harness configs``: the configs that come along."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import completion
from harness.cli.output import Show, shows


@shows()
def configs(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Print this one's YAML, to be changed.",
            autocompletion=completion.configs,
            show_default=False,
        ),
    ] = None,
    *,
    show: Show,
) -> None:
    """List the configs that come along, or print one."""
    from harness.config import packed
    from harness.config.problems import suggest
    from harness.errors import ConfigError
    from harness.reporting.packed import configs_document

    if name is None:
        show(configs_document(packed.packed()), wide=True)
        return
    file = packed.packed().get(name)
    if file is None:
        near = suggest(name, packed.packed()) or f"; there are {', '.join(packed.packed())}"
        raise ConfigError(f"no packed config is called {name!r}{near}")
    typer.echo(file.read_text(encoding="utf-8"), nl=False)
