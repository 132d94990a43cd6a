"""The command ``harness``.

Commands import what they need when they are called, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from harness.cli import (
    adoption,
    arena,
    bench,
    cache,
    compare,
    configs,
    doctor,
    importing,
    init,
    models,
    parity,
    plan,
    published,
    report,
    rescore,
    results,
    run,
    schema,
    study,
    tasks,
    testing,
    tokenizers,
)
from harness.cli.examples import add_examples
from harness.cli.groups import UNCUT, CommandGroup
from harness.cli.output import columns_of, notify, on_screen
from harness.errors import HarnessError
from harness.version import __version__
from harness.wording import first_line

HELP = 52
"""From so many columns on click fits its help itself."""
PANELS = {
    "Start": ("init", "configs", "models", "tasks", "doctor"),
    "Run": ("plan", "run", "bench", "parity"),
    "Look": ("report", "compare", "results", "tokenizers"),
    "What others published": ("study", "arena", "published", "adoption"),
    "Files": ("import", "rescore", "schema", "cache"),
}
"""The commands in the order of a first hour; one that is in no panel comes last."""


class GuardedGroup(CommandGroup):
    """Turns every exception into a line and an exit code: nobody should have to read a
    traceback.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        add_examples(self, "harness")

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the commands panel by panel."""
        rows = {
            name: self.commands[name].get_short_help_str(UNCUT)
            for name in self.list_commands(ctx)
            if not self.commands[name].hidden
        }
        panelled = {name for names in PANELS.values() for name in names}
        panels = PANELS | {"Commands": tuple(name for name in rows if name not in panelled)}

        # One width for all panels, so that the summaries stand in one column.
        wide = max(map(len, rows), default=0)
        for title, names in panels.items():
            if lines := [(name.ljust(wide), rows[name]) for name in names if name in rows]:
                with formatter.section(title):
                    formatter.write_dl(lines)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command.

        Raises SystemExit with the error's exit code; usage errors go on to typer, which shows them
        (exit code 2).
        """
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except KeyboardInterrupt:
            notify("interrupted")
            raise SystemExit(130) from None
        except BrokenPipeError:
            # The reader went away (`harness report … | head`): say nothing, and let the flush at
            # exit go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        except HarnessError as error:
            _debug()
            notify(str(error))
            testing.annotate_mistakes(str(error))
            raise SystemExit(error.exit_code) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            # typer's own usage errors, whichever click they come from
            if hasattr(error, "format_message"):
                shown = on_screen(f"Error: {error.format_message()}", sys.stderr).removeprefix("Error: ")
                error.format_message = lambda: shown
                raise
            _debug()
            text = (
                f"unexpected error: {first_line(error, named=True)}; "
                "please report it (HARNESS_DEBUG=1 shows the traceback)"
            )
            notify(text)
            raise SystemExit(1) from None


def _debug() -> None:
    """Prints the traceback of the exception in hand where HARNESS_DEBUG asks for it."""
    if os.environ.get("HARNESS_DEBUG", "") not in ("", "0"):
        import traceback

        traceback.print_exc()


app = typer.Typer(
    name="harness",
    cls=GuardedGroup,
    help="Measures open-weight language models: accuracy and speed from the same run, in Chinese and "
    "English.",
    epilog="Exit codes: 0 all done, 1 some cells failed, 2 wrong config or usage, 3 an expectation, gate "
    "or parity failed, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help answers twice as fast
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Summaries that fit beside the names at 80 columns; the commands' own help says more.
app.command("init", short_help="Write a config: four questions.")(init.init)
app.command("configs")(configs.configs)
app.command("run", short_help="Run models on tasks, and show the table.")(run.run)
app.command("plan")(plan.plan)
app.command("bench", short_help="Measure the speed of fixed shapes, with error bars.")(bench.bench)
app.add_typer(tasks.app, name="tasks")
app.command("models")(models.models)
app.add_typer(published.app, name="published", short_help="Published ratings and scores; import more.")
app.command("tokenizers")(tokenizers.tokenizers)
app.command("doctor")(doctor.doctor)
app.command("report", short_help="Show runs as a table, a page or pictures.")(report.report)
app.command("compare")(compare.compare)
app.command("arena")(arena.arena)
app.add_typer(adoption.app, name="adoption", short_help="Likes and downloads of models by country and maker.")
app.command("study")(study.study)
app.command("results")(results.results)
app.command("rescore")(rescore.rescore)
app.command("import")(importing.import_)
app.command("parity", short_help="Whether two engines or dtypes give the same answers.")(parity.parity)
app.add_typer(schema.app, name="schema")
app.add_typer(cache.app, name="cache", short_help="What lies in the caches; delete it.")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Measures open-weight language models: accuracy and speed from the same run, in Chinese and
    English.
    """


def main() -> None:
    """The console entry point."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show Chinese or ± gets question marks, not a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    testing.guard_streams()

    # click writes help for 50 columns at least, which a smaller terminal breaks inside words.
    columns = columns_of(sys.stdout) or HELP
    app(prog_name="harness", terminal_width=max(columns - 2, 20) if columns < HELP else None)


if __name__ == "__main__":
    main()
