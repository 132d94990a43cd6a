"""What README and docs print to be typed: shell lines, YAML and Python, each with where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.command_line import joined

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "results/README.md", "docs/*.md")
FENCE = re.compile(
    r"^(?P<indent>[ \t]*)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.S | re.M
)
SPAN = re.compile(r"(?<!`)`(harness [^`\n]+)`(?!`)")
PLACEHOLDER = re.compile(r"[…\[\]|<>]")
"""Marks of a synopsis, which nobody could type."""


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    where: str
    """``docs/api.md:3``"""
    language: str
    text: str


def blocks(*languages: str) -> list[Block]:
    """All fenced blocks of these languages, page by page."""
    return [
        Block(f"{page}:{text.count(chr(10), 0, match.start()) + 1}", match["language"], match["text"])
        for page, text in pages()
        for match in FENCE.finditer(text)
        if match["language"] in languages
    ]


def pages() -> Iterator[tuple[str, str]]:
    """Every page that is read by users, with its text."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def shell_lines() -> dict[str, str]:
    """Every line of a shell block, and where it stands first; comments are left out."""
    lines: dict[str, str] = {}
    for block in blocks("sh", "bash", "shell", "console"):
        script = "<<" in block.text
        texts = [block.text.strip()] if script else joined(block.text.splitlines())
        for text in texts:
            lines.setdefault(text if script else _bare(text), block.where)
    return lines


def _bare(line: str) -> str:
    """A line without its comment, which stands behind two spaces."""
    return re.split(r"\s{2,}#\s|\s#\s", line.removeprefix("$ "), maxsplit=1)[0].strip()


def inline_lines() -> dict[str, str]:
    """Command lines in running text, those that are no synopsis, and where they stand first."""
    lines: dict[str, str] = {}
    for page, text in pages():
        prose = FENCE.sub("", text)
        for match in SPAN.finditer(prose):
            if not PLACEHOLDER.search(match[1]):
                lines.setdefault(match[1], page)
    return lines


def config_comment_lines() -> dict[str, str]:
    """Command lines in the comments that packed configs begin with."""
    lines: dict[str, str] = {}
    for path in sorted((ROOT / "configs").rglob("*.yaml")):
        for text in path.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"#\s+(harness .+)", text):
                lines.setdefault(_bare(match[1]), path.relative_to(ROOT).as_posix())
    return lines
