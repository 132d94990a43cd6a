"""``harness cache``: what lies in the caches, and deleting what can be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import Show, notify, shows, tell

if TYPE_CHECKING:
    from harness.hub.storage import Stored

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What is kept on this machine beside results, and deleting it.",
)


def _kinds(incomplete: str) -> list[str]:
    from harness.hub.storage import OWN

    return [kind for kind in OWN if kind.startswith(incomplete)]


@app.command("show")
@shows()
def show_(*, show: Show) -> None:
    """Show what lies where: kinds, sizes, ages.

    Results are no cache: they lie where runs put them (results/). HARNESS_CACHE names another
    folder for our own kinds.
    """
    from harness.hub.storage import stores
    from harness.reporting.packed import cache_document

    show(cache_document(stores()), wide=True)


@app.command("clean")
def clean(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KIND]...",
            help="What to delete: names, hashes, rest.  [default: all of these]",
            autocompletion=_kinds,
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete what can be made again.

    Only what harness itself keeps; results, models and data sets stay as they are.
    """
    from harness.hub import storage
    from harness.wording import size_text

    chosen = [store for store in _chosen(kinds or []) if store.files]
    if not chosen:
        notify("nothing to delete")
        return

    for store in chosen:
        size = size_text(store.size)
        question = f"delete {store.kind} ({store.files:,} files, {size}) in {store.path}?"
        if yes or typer.confirm(question, err=True):
            try:
                storage.clean(store)
            except OSError as error:
                _fail(store, error)
            tell(f"{store.kind}: {size} deleted")


def _chosen(kinds: list[str]) -> list[Stored]:
    """Our own stores of these kinds, of all where none is named. Raises ConfigError."""
    from harness.errors import ConfigError
    from harness.hub.storage import OWN, REST, stores

    if unknown := [kind for kind in kinds if kind not in (*OWN, REST)]:
        raise ConfigError(
            f"{unknown[0]}: harness deletes {', '.join((*OWN, REST))}; `hf cache` deletes models and data "
            "sets of the hub"
        )
    return [store for store in stores() if store.own and (not kinds or store.kind in kinds)]


def _fail(store: Stored, error: OSError) -> None:
    from harness.errors import HarnessError

    raise HarnessError(f"{store.kind} in {store.path} cannot be deleted: {error.strerror}") from error
