"""Hints to install something name what can be installed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = sorted(
    path
    for pattern in ("harness/**/*.py", "docs/*.md", "README*.md", "configs/**/*.yaml")
    for path in ROOT.glob(pattern)
)
OF_PIP = re.compile(r"pip install (?:-e )?'?([\w.-]+)?\[([\w,]+)\]")


def hints() -> list[tuple[str, str, str]]:
    """File, distribution and extra of every hint to install an extra."""
    return [
        (path.relative_to(ROOT).as_posix(), match[1] or "", extra)
        for path in SOURCES
        for match in OF_PIP.finditer(path.read_text(encoding="utf-8"))
        for extra in match[2].split(",")
    ]


@pytest.mark.parametrize("hint", hints(), ids=lambda hint: f"{hint[0]}-{hint[2]}")
def test_extras_are_there_and_named_by_the_distribution(hint: tuple[str, str, str]) -> None:
    _, distribution, extra = hint
    assert extra in PROJECT["optional-dependencies"]
    # A dot stands for a checkout; the distribution's name works there and for a wheel.
    assert distribution in (PROJECT["name"], ".")


def test_optional_packages_are_hinted_at_by_their_extra() -> None:
    optional = {re.split(r"[<>=]", one)[0] for one in PROJECT["optional-dependencies"]["modelscope"]}
    optional |= {"vllm"}
    alone = re.compile(rf"pip install '?({'|'.join(sorted(optional))})\b")
    texts = {path: path.read_text(encoding="utf-8") for path in ROOT.glob("harness/**/*.py")}
    assert [path for path, text in texts.items() if alone.search(text)] == []
