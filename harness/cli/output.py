"""How commands show what they have: one set of options for all, and one place that writes."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    from harness.reporting.document import Document

WIDTH = 100
"""Columns where standard output is no terminal."""
NARROW = 80
"""Columns of a terminal that does not say how many it has."""
PIPE = 1000
"""Columns of a list in a pipe."""


class Language(StrEnum):
    """What tables, pages and pictures are written in."""

    en = "en"
    zh = "zh"


Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="NAME",
        help="terminal, markdown, latex, csv, json, html or an installed one.  [default: by --out, else "
        "terminal]",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="Write to this file; its ending says the format.",
        show_default=False,
    ),
]
TextLanguage = Annotated[
    Language | None,
    typer.Option("--language", help="Of headings and captions: zh or en.", show_default=False),
]
OldLanguage = Annotated[Language | None, typer.Option("--lang", hidden=True)]
ShortLanguage = Annotated[
    Language | None, typer.Option("--lang", help="Of headings and captions: zh or en.", show_default=False)
]
OLD_FLAGS = ("json", "csv", "markdown", "latex")
"""Formats that have a flag of their own since before there was one option for all."""


@dataclass(frozen=True)
class Show:
    """What was asked of the output; `__call__` shows a document so."""

    named: str | None = None
    """The name after ``--format``, not yet looked at."""
    out: Path | None = None
    language: str = "en"
    language_asked: bool = False
    flags: tuple[str, ...] = ()
    """Old flags that were given, such as ``--json``."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Show:
        """From the options' values by the names of their parameters; None where not given."""
        lang = values["lang"] or values.get("old_lang")
        flags = tuple(name for name in OLD_FLAGS if values[f"as_{name}"])
        language = (lang or Language.en).value
        return cls(values["form"], values.get("out"), language, lang is not None, flags)

    @functools.cached_property
    def form(self) -> str:
        """The name of the writer: as named, else as the file's ending says, else terminal.

        Raises ConfigError where two different ones are named.
        """
        from harness.reporting.writers import FIRST, OLD_NAMES, form_of

        choices = [f"--format {self.named}"] if self.named is not None else []
        choices += [f"--{name}" for name in self.flags]
        if len(choices) > 1:
            from harness.errors import ConfigError

            raise ConfigError(f"choose one of {' and '.join(choices)}")
        name = self.named or (self.flags[0] if self.flags else None)
        if name is None:
            return form_of(self.out) if self.out is not None else FIRST
        return OLD_NAMES.get(name, name)

    def check(self) -> None:
        """Raises ConfigError for a form that nobody has, or where two are named."""
        from harness.reporting.writers import find_writer

        find_writer(self.form)

    def __call__(self, document: Document, *, wide: bool = False) -> None:
        """Prints or writes a document; ``wide``: a list, of which a pipe gets every row on one line,
        so that grep finds it.
        """
        write_or_print(self.text(document, wide=wide), self.out)

    def text(self, document: Document, *, wide: bool = False) -> str:
        """The document in the form that was asked for. Raises ConfigError for an unknown one."""
        from harness.reporting.rendering import render

        columns = list_width() if wide else width()
        looked_at = colour() and self.out is None
        return render(document, self.form, width=columns, colour=looked_at, language=self.language)


def shows(
    *, out: bool = True, language: Any = TextLanguage
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of `Show` and hands it what they said as ``show``.

    ``out``: whether ``--out`` names a file for what is shown (of some commands it names a run's
    folder). ``language``: the type of its option, another where ``--language`` chooses rows.
    """
    options = {"form": Form, **({"out": Out} if out else {}), "lang": language}
    options |= {"old_lang": OldLanguage} if language is TextLanguage else {}
    options |= {f"as_{name}": Annotated[bool, typer.Option(f"--{name}", hidden=True)] for name in OLD_FLAGS}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(*arguments: Any, **named: Any) -> None:
            show = Show.of({name: named.pop(name, None) for name in options})
            # A form that nobody has is refused now, not after hours of work. With --plots it names
            # pictures.
            if named.get("plots") is None:
                show.check()
            function(*arguments, show=show, **named)

        add_options(command, function, options, handed="show")
        return command

    return decorate


def add_options(
    command: Any, function: Callable[..., None], options: dict[str, Any], *, handed: str, first: bool = False
) -> None:
    """Gives ``command`` the parameters of ``function`` and the options, from which typer reads what
    may be typed.

    ``handed``: the parameter that the options become. ``first``: they come before the function's.
    """
    signature = inspect.signature(function, eval_str=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [one.replace(kind=keyword) for name, one in signature.parameters.items() if name != handed]
    added = [
        inspect.Parameter(name, keyword, default=False if name.startswith("as_") else None, annotation=kind)
        for name, kind in options.items()
    ]
    parameters = [*added, *own] if first else [*own, *added]
    command.__signature__ = signature.replace(parameters=parameters)
    command.__annotations__ = {one.name: one.annotation for one in parameters}


def width() -> int:
    """Columns to fill."""
    return columns_of(sys.stdout) or WIDTH


def list_width() -> int:
    """Columns for lists: in a pipe every entry stays on one line, so that grep finds it."""
    return columns_of(sys.stdout) or PIPE


def columns_of(stream: TextIO) -> int | None:
    """Columns of what a stream is shown on: COLUMNS where it is a number, else the terminal's; None
    for a pipe or a file.
    """
    setting = os.environ.get("COLUMNS", "")
    if setting.isdigit() and int(setting):
        return int(setting)
    if not stream.isatty():
        return None
    try:
        # A terminal that does not know its size says 0.
        return os.get_terminal_size(stream.fileno()).columns or NARROW
    except (OSError, ValueError):
        return NARROW


def notify(text: str) -> None:
    """A message on standard error, folded where a terminal shows it."""
    typer.echo(on_screen(text, sys.stderr), err=True)


def tell(text: str) -> None:
    """A sentence on standard output, folded where a terminal shows it."""
    typer.echo(on_screen(text, sys.stdout))


def on_screen(text: str, stream: TextIO) -> str:
    """A message as a stream shows it: a terminal gets lines that fit, a log whole ones."""
    columns = columns_of(stream) if stream.isatty() else None
    if columns is None:
        return text
    from harness.reporting.folding import HANG, clean, folded

    return "\n".join(folded(clean(line), columns, HANG) for line in text.split("\n"))


def colour() -> bool:
    """Whether someone looks at standard output and wants colour (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write_or_print(text: str, out: Path | None) -> None:
    """Prints text, or writes it to a file, whole or not at all.

    Raises RunFolderError where that cannot be written.
    """
    if out is None:
        typer.echo(text, nl=False, color=True)
        return
    from harness.results.files import write_text

    write_text(out, text)
    notify(f"written to {out}")
