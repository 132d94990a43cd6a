"""``harness tasks``: what can be asked, and ``harness tasks show NAME``: one rendered prompt and
how it is marked.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from harness.cli.options import Mirror, Overrides, mirror_folder
from harness.cli.output import show_list
from harness.wording import list_first

if TYPE_CHECKING:
    from harness.config.schema import TaskEntry
    from harness.tasks import CatalogueEntry, Task

MOST = 200
"""Names listed without ``--all``."""


class ListByDefault(TyperGroup):
    """``harness tasks --language zh`` means ``harness tasks list --language zh``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts ``list`` before arguments that name no command."""
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["list", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(cls=ListByDefault, help="List suites and tasks, or show a prompt.")


class Language(StrEnum):
    """Languages of the averages."""

    zh = "zh"
    en = "en"


@app.command("list")
def listing(
    pattern: Annotated[
        str | None,
        typer.Argument(
            metavar="PATTERN", help="Part of a name, or a glob such as 'ceval-valid_*'.", show_default=False
        ),
    ] = None,
    language: Annotated[
        Language | None,
        typer.Option("--language", "-l", help="Only tasks known to be in it.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every name, not families.")] = False,
) -> None:
    """List what a config may name (the default).

    Suites, the harness's own tasks, and lm-eval's by family; with PATTERN the names that match.
    """
    from harness.cli.listing import families, matching, own_rows, suite_rows
    from harness.tasks import Catalogue

    entries = Catalogue().names(language.value if language else None)
    if pattern is not None or every:
        _names(matching(entries, pattern), every)
        return
    show_list("Suites (suite: NAME)", ["suite", "tasks", "what"], suite_rows(), right=(1,))
    show_list("The harness's own (task: NAME)", ["task", "lang", "what"], own_rows(entries))
    headers = ["family", "tasks", "lang", "names to ask for", "what"]
    show_list("lm-eval's, by family", headers, families(entries, both=language is None), right=(1,))
    typer.echo(
        "harness tasks PATTERN lists names; harness tasks show NAME shows one prompt; --all lists every name."
    )


def _names(found: list[CatalogueEntry], every: bool) -> None:
    if not found:
        from harness.errors import ConfigError

        raise ConfigError(
            "no task, group or tag matches; `harness tasks` lists families, `harness tasks --all` every name"
        )
    shown = found if every else found[:MOST]
    rows = [
        [entry.name, entry.kind, entry.language or "", entry.description if len(shown) <= MOST else ""]
        for entry in shown
    ]
    show_list("", ["name", "kind", "lang", "what"], rows)
    if len(shown) < len(found):
        typer.echo(f"and {len(found) - len(shown)} more: --all lists them")


@app.command("show")
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Task, group or suite, or the path of a task YAML.", show_default=False
        ),
    ],
    fewshot: Annotated[
        int | None, typer.Option("--fewshot", min=0, help="Examples before the question.", show_default=False)
    ] = None,
    overrides: Overrides = None,
    mirror: Mirror = None,
) -> None:
    """Show one prompt, and how the answer is marked."""
    from harness.tasks import DataSources, expand, load, suites

    if name in suites():
        entry: dict[str, Any] = {"suite": name}
    else:
        entry = {"task": name}
    specs = expand([_entry(entry, fewshot, overrides)], limit=None, base_dir=Path.cwd()).tasks
    if len(specs) > 1:
        typer.echo(f"{name} is {len(specs)} tasks: {list_first([spec.name for spec in specs], 12, ', …')}\n")
    folder = mirror_folder(mirror)
    _show(load(specs[0], DataSources(mirror=folder)))


def _entry(entry: dict[str, Any], fewshot: int | None, overrides: list[str] | None) -> TaskEntry:
    """The task entry with ``--fewshot`` and ``--set``. Raises ConfigError."""
    from harness.cli.listing import task_entry

    return task_entry(entry, [*(overrides or ()), *([f"fewshot={fewshot}"] if fewshot is not None else [])])


def _show(task: Task) -> None:
    from harness.tasks import PromptStyle, render_example

    prompt, marking = render_example(task, PromptStyle())
    data = task.provenance
    where = f"{data.path}{f' ({data.name})' if data.name else ''} from {data.origin}"
    facts = [
        task.language or "language unknown",
        task.kind,
        f"{task.fewshot}-shot",
        f"{task.available:,} documents",
        where,
    ]
    typer.secho(task.name, bold=True)
    typer.echo(" · ".join(facts))
    typer.secho("\n--- prompt ---", dim=True)
    typer.echo(prompt)
    typer.secho("--- end ---\n", dim=True)
    typer.echo(marking)
