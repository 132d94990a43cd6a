"""Options of the commands that a CI asks: JUnit's XML and GitHub's annotations."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    from harness.reporting.testcases import Testcase

Junit = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        metavar="FILE",
        help="Also write the outcomes as JUnit XML, which CI systems show.",
        show_default=False,
    ),
]
Annotations = Annotated[
    bool | None,
    typer.Option(
        "--annotations/--no-annotations",
        help="GitHub annotations of what failed, on standard error.  [default: where GITHUB_ACTIONS is set]",
        show_default=False,
    ),
]


def on_runner() -> bool:
    """Whether a GitHub runner reads what is printed."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


class InertStream:
    """A stream on which no line is a command to GitHub's runner, whoever wrote what is printed.

    ``plain`` is the stream itself, for the commands that are meant.
    """

    def __init__(self, plain: TextIO) -> None:
        self.plain = plain

    def write(self, text: str) -> int:
        """Writes the text with the sting taken out of what looks like a command."""
        from harness.reporting.annotations import inert

        self.plain.write(inert(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


def guard_streams() -> None:
    """On a GitHub runner, keeps answers of models, texts of files and replies of servers from being
    read as workflow commands. What is written into a file stays as it is.
    """
    if not on_runner():
        return
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            into_file = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
        except (OSError, ValueError, AttributeError):
            into_file = False
        if not into_file:
            setattr(sys, name, InertStream(stream))


def check_junit(file: Path | None) -> None:
    """Raises ConfigError for a file that cannot be, before hours of work instead of after."""
    from harness.errors import ConfigError

    if file is not None and file.is_dir():
        raise ConfigError(f"--junit {file}: this is a folder; expected a file, e.g. {file / 'junit.xml'}")


def publish(
    cases: Sequence[Testcase], name: str, junit: Path | None, annotate: bool | None, *, quiet: bool = False
) -> None:
    """Writes the XML and prints the annotations that were asked for.

    Where nobody said so, a GitHub runner gets annotations, unless ``quiet``: another command has
    printed the same ones. Raises RunFolderError where the file cannot be written.
    """
    if junit is not None:
        from harness.reporting.junit import junit as junit_xml
        from harness.results.files import write_text

        write_text(junit, junit_xml(cases, name))
    from harness.reporting.annotations import workflow_commands

    # On standard error, which the runner reads as well: standard output may go into the summary.
    if annotate or (annotate is None and on_runner() and not quiet):
        _print_commands(workflow_commands(cases, f"harness {name}"))


def annotate_mistakes(message: str) -> None:
    """On a GitHub runner, one annotation per mistake of a config, at its line."""
    if not on_runner():
        return
    from harness.reporting.annotations import workflow_commands
    from harness.reporting.testcases import Testcase

    cases = []
    for line in message.splitlines():
        match = re.match(r"(?P<source>[^\s:][^:]*:\d+:\d+): (?P<text>.*)", line)
        if match is not None:
            cases.append(Testcase("config", "mistake", "error", match["text"], source=match["source"]))
    _print_commands(workflow_commands(cases, "harness"))


def _print_commands(text: str) -> None:
    """On the stream itself: what goes through the guard is no command any more."""
    print(text, end="", file=getattr(sys.stderr, "plain", sys.stderr), flush=True)
