"""Every command's help ends with lines that can be typed."""

from __future__ import annotations

import pytest
import typer
from support.command_line import complaint, joined
from typer.testing import CliRunner

from harness.cli import main as cli
from harness.cli.examples import EXAMPLES, walk

COMMANDS = dict(walk(typer.main.get_command(cli.app), "harness"))
MOST = 80 - 4
"""Characters of a line: examples are printed as they stand, behind four spaces."""


def test_every_command_has_examples_and_no_other() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("path", EXAMPLES)
def test_examples_are_of_their_command_and_parse(path: str) -> None:
    lines = joined(EXAMPLES[path])
    assert lines
    for line in lines:
        assert path == "harness" or f"{line} ".startswith(f"{path} ")
        assert complaint(line) is None, line
    assert max(map(len, EXAMPLES[path])) <= MOST


def test_help_prints_them_as_they_stand() -> None:
    text = CliRunner().invoke(cli.app, ["plan", "--help"], terminal_width=80).stdout
    assert "\n  Examples:\n" in text
    assert all(f"\n    {line}\n" in f"{text}\n" for line in EXAMPLES["harness plan"])


def test_a_wrong_line_is_seen() -> None:
    assert str(complaint("harness report smoke --no-such-option")).startswith(
        "No such option: --no-such-option"
    )
    assert "No such command" in str(complaint("harness reprot smoke"))
    assert "Missing argument" in str(complaint("harness report"))


def test_every_command_stands_in_one_panel() -> None:
    names = [name for names in cli.PANELS.values() for name in names]
    assert sorted(names) == sorted(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]


def test_summaries_fit_a_terminal_of_eighty_columns() -> None:
    text = CliRunner().invoke(cli.app, ["--help"], terminal_width=78).stdout
    commands = text.partition("Start:")[2].partition("Examples:")[0]
    assert "..." not in commands
    assert max(map(len, commands.splitlines())) <= 80
