"""How readable the code is, in figures that can be held against other projects: paragraphs,
comments, names, lengths.

    python scripts/measure_code.py [FOLDER] [--json FILE]

A paragraph is a blank line inside a function's body; a comment is a line of its own or at a line's
end, docstrings apart; a class name counts once per file that defines it.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

VERBS = frozenset({"found", "known", "made", "said", "told", "asked", "kept", "given", "taken"})
"""Past participles that name a variable by what happened to it instead of what it is."""


@dataclass
class Measures:
    """Sums over the files of a folder."""

    files: list[int] = field(default_factory=list)
    long_lines: int = 0
    lines: int = 0
    paragraphs: list[bool] = field(default_factory=list)
    comments: list[bool] = field(default_factory=list)
    why: list[bool] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    verbs: Counter[str] = field(default_factory=Counter)
    classes: dict[str, set[str]] = field(default_factory=dict)

    def add(self, path: Path, name: str) -> None:
        """Counts one file."""
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        self.files.append(len(lines))
        self.lines += len(lines)
        self.long_lines += sum(len(line) > 100 for line in lines)
        commented = _comment_lines(text)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                self.classes.setdefault(node.name, set()).add(name)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(node, lines, commented)

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str], commented: set[int]
    ) -> None:
        """Counts one function by its body, the docstring apart."""
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        size = (node.end_lineno or node.lineno) - node.lineno + 1
        self.functions.append(size)
        names = {target.id for part in ast.walk(node) for target in _targets(part)}
        self.verbs.update(names & VERBS)
        if not body or size < 12:
            return

        first, last = body[0].lineno, node.end_lineno or node.lineno
        has_comment = any(first <= line <= last for line in commented)
        self.paragraphs.append(any(not line.strip() for line in lines[first - 1 : last]))
        self.comments.append(has_comment)
        if size >= 20:
            self.why.append(has_comment)

    def table(self) -> dict[str, float]:
        """The figures: shares from 0 to 1, lengths in lines."""
        twice = sum(len(places) > 1 for places in self.classes.values())
        return {
            "functions of 12+ lines with a paragraph": _share(self.paragraphs),
            "functions of 12+ lines with a comment": _share(self.comments),
            "functions of 20+ lines with a comment": _share(self.why),
            "public class names in more than one file": twice / max(1, len(self.classes)),
            "lines over 100 characters": self.long_lines / max(1, self.lines),
            "functions with a variable named by a verb": sum(self.verbs.values())
            / max(1, len(self.functions)),
            "median file": statistics.median(self.files),
            "longest file": max(self.files),
            "median function": statistics.median(self.functions),
            "longest function": max(self.functions),
        }


def _targets(node: ast.AST) -> Iterator[ast.Name]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node


def _comment_lines(text: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        token.start[0]
        for token in tokens
        if token.type == tokenize.COMMENT and not token.string.startswith("# noqa")
    }


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def main() -> int:
    """Prints the figures of a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[1] / "harness"
    )
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    measures = Measures()
    for path in sorted(args.folder.rglob("*.py")):
        measures.add(path, path.relative_to(args.folder).as_posix())
    for name, value in measures.table().items():
        print(
            f"{name:45} {value:8.1%}" if value < 1 and isinstance(value, float) else f"{name:45} {value:8g}"
        )
    repeated = {name: sorted(places) for name, places in sorted(measures.classes.items()) if len(places) > 1}
    for name, places in repeated.items():
        print(f"  {name}: {', '.join(places)}")
    if args.json:
        args.json.write_text(
            json.dumps({"table": measures.table(), "repeated": repeated}, indent=1) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
