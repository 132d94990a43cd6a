"""``harness schema``: JSON Schema of the YAML and of results.json, so that editors complete and
check them.
"""

from __future__ import annotations

import json
from typing import Any

import typer

from harness.cli.groups import CommandGroup
from harness.cli.output import notify

app = typer.Typer(
    cls=CommandGroup, no_args_is_help=True, help="JSON Schema of a config, of results.json or of speed.json."
)


@app.command("config")
def config() -> None:
    """The schema of a config file (name it in the YAML's first line: `# yaml-language-server:
    $schema=FILE`).
    """
    from harness.config import config_schema
    from harness.engines.registry import broken

    _print(config_schema())
    for line in broken():
        notify(line)


@app.command("results")
def results() -> None:
    """The schema of results.json."""
    from harness.results.schema import Results

    _print(Results.model_json_schema())


@app.command("speed")
def speed() -> None:
    """The schema of speed.json (`harness bench`)."""
    from harness.results.speed import SpeedResults

    _print(SpeedResults.model_json_schema())


def _print(schema: dict[str, Any]) -> None:
    typer.echo(json.dumps(schema, ensure_ascii=False, indent=2))
