"""``harness tasks``: what can be asked, and ``harness tasks show NAME``: one rendered prompt and
how it is marked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from harness.cli import completion
from harness.cli.options import Mirror, Overrides, mirror_folder
from harness.cli.output import Language, ShortLanguage, Show, shows
from harness.wording import list_first

if TYPE_CHECKING:
    from harness.config.schema import TaskEntry
    from harness.tasks import Task

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


@app.command("list")
@shows(language=ShortLanguage)
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
    *,
    show: Show,
) -> None:
    """List what a config may name (the default).

    Suites, the harness's own tasks, and lm-eval's by family; with PATTERN the names that match.
    """
    from harness.cli.listing import families_document, matching, names_document
    from harness.tasks import Catalogue

    # Names come from a scan of files: lm-eval's own manager takes 13 s for its 14,000 YAMLs.
    entries = Catalogue().names(language.value if language else None)
    if pattern is None and not every:
        show(families_document(entries, both=language is None), wide=True)
        return
    chosen = matching(entries, pattern)
    if not chosen:
        from harness.errors import ConfigError

        raise ConfigError(
            "no task, group or tag matches; `harness tasks` lists families, `harness tasks --all` every name"
        )
    show(names_document(chosen, MOST if not every else None), wide=True)


@app.command("show")
def show_task(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Task, group or suite, or the path of a task YAML.",
            autocompletion=completion.tasks,
            show_default=False,
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
