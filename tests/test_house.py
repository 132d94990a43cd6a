"""What holds the house together: the floors, no circle of imports, files and functions of a size to
read, one name for one class.

The floors themselves are contracts of import-linter, in pyproject.toml; `make lint` runs them.
"""

from __future__ import annotations

import ast
import re
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[1]
HARNESS = sorted((ROOT / "harness").rglob("*.py"))
CODE = [*HARNESS, *sorted((ROOT / "scripts").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
LONGEST_FILE, MEDIAN_FILE = 320, 150
LONGEST_FUNCTION = 60


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """All imports of the package, those inside functions included, those for types alone left out."""
    return grimp.build_graph("harness", exclude_type_checking_imports=True, cache_dir=None)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _circle(graph: grimp.ImportGraph, start: str) -> list[str] | None:
    """The shortest way from a module over its imports back to itself."""
    ways = [
        [start, *way]
        for name in graph.find_modules_directly_imported_by(start)
        if (way := graph.find_shortest_chain(name, start))
    ]
    return min(ways, key=len) if ways else None


def test_no_module_imports_itself_over_others(graph: grimp.ImportGraph) -> None:
    circles = {
        frozenset(circle): " -> ".join(circle)
        for module in sorted(graph.modules)
        if (circle := _circle(graph, module))
    }
    assert not circles, "\n".join(sorted(circles.values()))


def test_the_graph_is_of_this_checkout(graph: grimp.ImportGraph) -> None:
    """An installed package of another folder would be judged in its place."""
    import harness

    assert Path(harness.__file__).parent == ROOT / "harness"
    assert {"harness." + path.stem for path in (ROOT / "harness").glob("[a-z]*.py")} <= graph.modules


def _floors() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(contract["layers"] for contract in contracts["contracts"] if contract["id"] == "floors")
    return [{name.strip("() ") for name in re.split(r"[|:]", layer)} for layer in layers]


def test_the_page_on_architecture_has_the_floors_that_are_checked() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \| (.*) \|$", page, flags=re.MULTILINE)
    assert [set(re.findall(r"`(\w+)(?:\.py)?`", row)) for row in rows] == _floors()


def test_every_room_has_a_line_on_the_page() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page[: page.index("| floor |")]
    missing = [
        name
        for floor in _floors()
        for name in floor
        if (ROOT / "harness" / name).is_dir() and f"`{name}/`" not in table
    ]
    assert not missing


@pytest.mark.parametrize("room", ["harness", "scripts", "tests"])
def test_files_are_of_a_size_to_read(room: str) -> None:
    sizes = {
        _name(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in CODE
        if path.is_relative_to(ROOT / room)
    }
    # Tests of one subject may be longer: they are lists of cases, read one at a time.
    limit = LONGEST_FILE if room != "tests" else 2 * LONGEST_FILE
    assert not {name: size for name, size in sizes.items() if size > limit}
    assert statistics.median(sizes.values()) <= MEDIAN_FILE


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, the docstring apart. A command's options stand in its signature."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or node.lineno) - body[0].lineno + 1 if body else 0


def test_functions_are_of_a_size_to_read() -> None:
    long = {
        f"{_name(path)}:{node.lineno} {node.name}": _length(node)
        for path in CODE
        for node in _functions(path)
        if _length(node) > LONGEST_FUNCTION
    }
    assert not long


def test_a_public_class_name_stands_for_one_class() -> None:
    homes: dict[str, list[str]] = {}
    for path in HARNESS:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(_name(path))
    assert not {name: files for name, files in homes.items() if len(files) > 1}
