"""Printed command lines, and a parser that says whether `harness` would take one, without running it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import typer

from harness.cli.main import app

AT_ONCE = frozenset({"--install-completion", "--show-completion", "--version", "-V", "--help", "-h"})
"""Options that act while they are parsed: such a line is never given to the parser, for it would run."""
SHELL = frozenset({"|", ">", ">>", "&&", "||", ";", "<", "&"})


def words_of(line: str) -> list[str]:
    """The words of a line up to the first sign that is the shell's; comments are left out."""
    words = shlex.split(line, comments=True)
    end = next((position for position, word in enumerate(words) if word in SHELL), len(words))
    return words[:end]


def joined(lines: Sequence[str]) -> list[str]:
    """Lines with those that end in a backslash joined with what follows."""
    whole: list[str] = []
    open_line = ""
    for line in lines:
        text = f"{open_line}{line.strip()}"
        if text.endswith("\\"):
            open_line = text[:-1]
            continue
        open_line = ""
        if text and not text.startswith("#"):
            whole.append(text)
    return whole


def complaint(line: str) -> str | None:
    """What the command line would say against a line that begins with ``harness``, or None."""
    words = words_of(line)
    assert words[0] == "harness", line
    if acting := AT_ONCE.intersection(words):
        options = {name for option in typer.main.get_command(app).params for name in option.opts}
        return None if acting <= options | {"--help", "-h"} else f"no such option: {acting}"
    try:
        _parse(typer.main.get_command(app), "harness", words[1:], None)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # `harness published` alone shows its help
            return None
        return error.format_message() if hasattr(error, "format_message") else str(error)
    return None


def _parse(command: Any, name: str, words: Sequence[str], parent: Any) -> None:
    context = command.make_context(name, list(words), parent=parent)
    rest = [*getattr(context, "_protected_args", ()), *context.args]
    if rest and hasattr(command, "resolve_command"):
        inner_name, inner, inner_words = command.resolve_command(context, rest)
        _parse(inner, inner_name, inner_words, context)
