"""``harness tasks``: what can be asked, and ``harness tasks show NAME``: one prompt as a model"
" gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import completion
from harness.cli.groups import CommandGroup
from harness.cli.options import Mirror, Overrides, mirror_folder
from harness.cli.output import Language, ShortLanguage, Show, notify, shows, tell
from harness.wording import list_first

if TYPE_CHECKING:
    from harness.evaluation.preview import Preview

MOST = 200
"""Names listed without ``--all``."""


class ListByDefault(CommandGroup):
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
            help="Task, group or suite; a question file; a task YAML; or a config, of which its"
            " own files are shown.",
            autocompletion=completion.tasks,
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Show the prompt as this model gets it: a preset, a hub id, a folder, or a name"
            " in the config.",
            show_default=False,
        ),
    ] = None,
    fewshot: Annotated[
        int | None, typer.Option("--fewshot", min=0, help="Examples before the question.", show_default=False)
    ] = None,
    item: Annotated[int, typer.Option("--item", min=1, help="Which document, from 1.")] = 1,
    overrides: Overrides = None,
    mirror: Mirror = None,
) -> None:
    """Show one prompt, the options as they are scored, and how the answer is marked.

    Examples: harness tasks show questions.csv --model Qwen/Qwen2.5-7B-Instruct;
    harness tasks show configs/own-task.yaml; harness tasks show ceval-valid_law --fewshot 5
    """
    from harness.cli.showing import shown_tasks
    from harness.evaluation.preview import first_of_each_form, preview
    from harness.tasks import DataSources

    shown = shown_tasks(name, model, fewshot, overrides or (), mirror_folder(mirror))
    for note in dict.fromkeys(note for spec in shown.specs for note in spec.notes):
        notify(f"note: {note}")
    if len(shown.specs) > 1:
        names = list_first([spec.name for spec in shown.specs], 12, ", …")
        tell(f"{name} is {len(shown.specs)} tasks: {names}\n")

    chosen = first_of_each_form(shown.specs) if shown.own else shown.specs[:1]
    for spec in chosen:
        _print(preview(spec, DataSources(mirror=shown.mirror), shown.config, shown.model, item - 1))


def _print(task: Preview) -> None:
    typer.secho(task.name, bold=True)
    tell(" · ".join(task.facts))
    if task.model:
        tell(task.model)
    typer.secho("\n--- prompt ---", dim=True)
    typer.echo(task.prompt)
    typer.secho("--- end ---\n", dim=True)
    tell(f"{task.marking}\n")
