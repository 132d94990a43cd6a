"""How groups of commands list their commands."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

UNCUT = 1000
"""Characters of a command's first sentence in the list of commands."""


class CommandGroup(TyperGroup):
    """Lists every command with its whole first sentence, which click would cut to one line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the section of the commands."""
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        rows = [
            (name, command.get_short_help_str(limit=UNCUT))
            for name, command in commands.items()
            if command is not None and not command.hidden
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
