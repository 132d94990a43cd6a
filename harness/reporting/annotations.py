"""Testcases as GitHub's workflow commands, which show them at their lines in a pull request.

A line that begins with ``::`` is a command to the runner, whoever wrote it: what models, servers
and files say must never become one. So every text goes through `data` or `attribute`, which escape
as actions/toolkit does (packages/core/src/command.ts), and `inert` takes the sting out of what is
printed beside them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from harness.reporting.testcases import Testcase
from harness.wording import list_some

MOST = 10
"""Annotations of one kind that GitHub shows for one step; the last one names the rest."""
_BREAKS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""What other programs take for the end of a line."""


def workflow_commands(cases: Sequence[Testcase], title: str) -> str:
    """One command per case that failed or could not be decided; nothing where all is well."""
    bad = [case for case in cases if case.outcome in ("failed", "error")]
    lines = [_command(case, title) for case in bad[: MOST if len(bad) <= MOST else MOST - 1]]
    if len(bad) > MOST:
        rest = [case.name for case in bad[MOST - 1 :]]
        lines.append(f"::error title={attribute(title)}::{data(list_some(rest, 20))}")
    return "".join(f"{line}\n" for line in lines)


def _command(case: Testcase, title: str) -> str:
    properties = {"title": f"{title}: {case.name}"}
    match = re.fullmatch(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+)", case.source or "")
    if match is not None:
        properties = {"file": _relative(match["file"]), "line": match["line"], "col": match["column"]} | (
            properties
        )
    listed = ",".join(f"{name}={attribute(value)}" for name, value in properties.items())
    return f"::error {listed}::{data(case.message or case.name)}"


def _relative(file: str) -> str:
    """A file as the repository knows it, since GitHub finds no other."""
    path = os.path.abspath(file)  # noqa: PTH100 - links stay as they are named
    for root in (os.environ.get("GITHUB_WORKSPACE"), os.getcwd()):  # noqa: PTH109
        if root and path.startswith(root.rstrip("/") + "/"):
            return os.path.relpath(path, root)
    return file


def data(text: str) -> str:
    """A command's text: no line break is left, and no per cent sign that could become one."""
    flat = text.translate(dict.fromkeys(map(ord, _BREAKS), " "))
    return flat.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def attribute(text: str) -> str:
    """The value of a command's property, which ends at a comma or a colon."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def inert(text: str) -> str:
    """A text in which no line is a command: ``::`` at a line's start, or the older ``##[`` anywhere."""
    zero = "\u200b"
    lines = re.sub(r"(?m)^([^\S\n]*):(?=:)", rf"\1:{zero}", text)
    return re.sub(r"##(?=\[)", f"#{zero}#", lines)
