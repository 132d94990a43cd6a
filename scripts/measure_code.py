"""How readable the code is, in figures that can be held against other projects.

    python scripts/measure_code.py [FOLDER] [--json [FILE]]

Prints paragraphs, comments, names and lengths beside the target and what well-kept projects of the
field have, then each public class name that stands in several files. ``--json`` writes the same to
FILE (results/recorded/measure-code.json).

A paragraph is a blank line inside a function's body. A comment is a line of its own or at a line's
end; docstrings and ``noqa`` are none. Lengths of functions are from ``def`` to the end.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT / "results" / "recorded" / "measure-code.json"
VERBS = frozenset(
    {"found", "known", "made", "said", "told", "asked", "kept", "given", "taken", "seen", "read"}
    | {"heard", "brought", "got", "meant", "held", "thrown", "spoken"}
)
"""Past participles that name a variable by what happened to it instead of what it is. Those that the
field uses as adjectives (``merged``, ``shared``, ``measured``) are none.
"""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Goal:
    """What a figure was before the work on it, should be, and is in well-kept projects."""

    before: str
    peers: str
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether the figure has reached its target."""
        enough = self.at_least is None or value >= self.at_least
        return enough and (self.at_most is None or value <= self.at_most)


GOALS = {
    "functions of 12+ lines with a paragraph": Goal("0 %", "33–93 %", at_least=0.5),
    "functions of 12+ lines with a comment": Goal("14 %", "22–83 %"),
    "functions of 20+ lines with a comment": Goal("", "", at_least=0.4),
    "public class names in more than one file": Goal("24 %", "0–5 %", at_most=0.03),
    "lines over 100 characters": Goal("14 %", "0–5 %", at_most=0.03),
    "functions with a variable named by a verb": Goal("9 %", "–", at_most=0.01),
    "functions with a place for an index": Goal("", "–", at_most=0.0),
    "median file": Goal("", "", at_most=150),
    "longest file": Goal("", "", at_most=320),
    "median function": Goal("7", ""),
    "longest function": Goal("", ""),
    "circles of imports": Goal("", "", at_most=0),
}
"""The figures in the order of the table: shares from 0 to 1, lengths in lines, circles as a count."""


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
    verbs: dict[str, set[str]] = field(default_factory=dict)
    """The verbs by function, as ``file:line name``."""
    places: list[str] = field(default_factory=list)
    classes: dict[str, set[str]] = field(default_factory=dict)
    circles: int = 0

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
            elif isinstance(node, Function):
                self._names(node, f"{name}:{node.lineno} {node.name}")
                self._layout(node, lines, commented)

    def _names(self, node: Function, where: str) -> None:
        variables = {name for part in ast.walk(node) for name in _targets(part)}
        if verbs := variables & VERBS:
            self.verbs[where] = verbs
        if any(_is_index_called_place(part) for part in ast.walk(node)):
            self.places.append(where)

    def _layout(self, node: Function, lines: list[str], commented: set[int]) -> None:
        size = (node.end_lineno or node.lineno) - node.lineno + 1
        self.functions.append(size)
        # A docstring has blank lines of its own, which divide no code.
        documented = ast.get_docstring(node) is not None
        body = node.body[1:] if documented else node.body
        if not body or size < 12:
            return

        first, last = body[0].lineno, node.end_lineno or node.lineno
        start = (node.body[0].end_lineno or first) if documented else first
        has_comment = any(start <= line <= last for line in commented)
        self.paragraphs.append(any(not line.strip() for line in lines[first - 1 : last]))
        self.comments.append(has_comment)
        if size >= 20:
            self.why.append(has_comment)

    @property
    def repeated(self) -> dict[str, list[str]]:
        """The public class names that stand in several files, and those files."""
        return {name: sorted(files) for name, files in sorted(self.classes.items()) if len(files) > 1}

    def table(self) -> dict[str, float]:
        """The figures, by the names of `GOALS`."""
        functions = max(1, len(self.functions))
        figures = (
            _share(self.paragraphs),
            _share(self.comments),
            _share(self.why),
            len(self.repeated) / max(1, len(self.classes)),
            self.long_lines / max(1, self.lines),
            len(self.verbs) / functions,
            len(self.places) / functions,
            statistics.median(self.files),
            max(self.files),
            statistics.median(self.functions),
            max(self.functions),
            self.circles,
        )
        return dict(zip(GOALS, figures, strict=True))


def measure(folder: Path) -> Measures:
    """The sums over the Python files of a folder, and its circles of imports if it is a package."""
    measures = Measures()
    for path in sorted(folder.rglob("*.py")):
        measures.add(path, path.relative_to(folder).as_posix())
    if (folder / "__init__.py").is_file():
        measures.circles = len(import_circles(folder))
    return measures


def import_circles(package: Path) -> list[list[str]]:
    """Groups of modules that import each other at run time, also inside functions.

    Imports for types alone do not count. A group is a strongly connected component of the graph
    (Tarjan, 1972).
    """
    import grimp

    sys.path.insert(0, str(package.parent))
    try:
        graph = grimp.build_graph(package.name, exclude_type_checking_imports=True, cache_dir=None)
    finally:
        sys.path.pop(0)

    # Two modules are in one circle exactly if each is above the other.
    above = {name: graph.find_upstream_modules(name) for name in graph.modules}
    circles = {frozenset({name, *(one for one in above[name] if name in above[one])}) for name in above}
    return sorted(sorted(circle) for circle in circles if len(circle) > 1)


def _targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def _is_index_called_place(node: ast.AST) -> bool:
    """Whether a loop over numbers calls its number a place."""
    if not isinstance(node, ast.For | ast.comprehension):
        return False
    target = node.target.elts[0] if isinstance(node.target, ast.Tuple) and node.target.elts else node.target
    source = node.iter.func if isinstance(node.iter, ast.Call) else None
    counts = isinstance(source, ast.Name) and source.id in ("enumerate", "range")
    return counts and isinstance(target, ast.Name) and target.id == "place"


def _comment_lines(text: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        token.start[0]
        for token in tokens
        if token.type == tokenize.COMMENT and not token.string.startswith(("# noqa", "# type:"))
    }


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _rows(figures: dict[str, float]) -> Iterator[str]:
    yield f"{'':45} {'before':>7} {'now':>7} {'target':>8} {'peers':>8}"
    for name, value in figures.items():
        goal = GOALS[name]
        percent = not name.startswith(("median", "longest", "circles"))
        now = f"{100 * value:.1f} %" if percent else f"{value:g}"
        bound = goal.at_least if goal.at_least is not None else goal.at_most
        target = ""
        if bound is not None:
            sign = "≥" if goal.at_least is not None else "≤"
            target = f"{sign} {100 * bound:g} %" if percent else f"{sign} {bound:g}"
        missed = "" if goal.holds(value) else "  missed"
        yield f"{name:45} {goal.before:>7} {now:>7} {target:>8} {goal.peers:>8}{missed}".rstrip()


def main() -> int:
    """Prints the figures of a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "harness")
    parser.add_argument("--json", type=Path, nargs="?", const=RECORDED)
    parser.add_argument("--verbs", action="store_true", help="list the functions with such a variable")
    options = parser.parse_args()

    measures = measure(options.folder.resolve())
    figures = measures.table()
    print("\n".join(_rows(figures)))
    for name, files in measures.repeated.items():
        print(f"  {name}: {', '.join(files)}")
    if options.verbs:
        for where, verbs in measures.verbs.items():
            print(f"  {where}: {', '.join(sorted(verbs))}")

    if options.json:
        goals = {
            name: {"value": figures[name], **{key: value for key, value in vars(goal).items() if value}}
            for name, goal in GOALS.items()
        }
        document = {"folder": options.folder.name, "table": goals, "repeated": measures.repeated}
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        options.json.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
