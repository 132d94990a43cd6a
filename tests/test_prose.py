"""The prose of the code: names in docstrings and comments exist, its layout is that of well-kept
projects, and its English is today's.
"""

from __future__ import annotations

import ast
import builtins
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from measure_code import GOALS, measure  # noqa: E402

HARNESS = sorted((ROOT / "harness").rglob("*.py"))
CODE = [*HARNESS, *sorted((ROOT / "scripts").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]

ARCHAIC = (
    r"takes? leave of",
    r"never came so far",
    r"(?:is|are|be|was) gone on with",
    r"as (?:it|they) comes?\b",
    r"in vain",
    r"\bhitherto\b|\bthereof\b|\bwhereof\b|\bthereby\b|\bwherein\b|\btherein\b",
    r"\b(?:one|two|three) (?:row|line|file|cell|process|worker|bar|model|table) an? [a-z]",
    r"\b(?:row|line)s? an? (?:cell|model|item|task|answer|record|request|run|pair|preset|event)\b",
    r"\b(?:once|twice) an? (?:cell|model|item|task|answer|request|run|session|template|process|folder)\b",
)
"""Phrases that nobody writes today, and the distributive "a" where "per" is meant."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Docstrings, and strings that stand alone below an attribute."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text


@cache
def _prose(path: Path) -> list[tuple[int, str]]:
    """(line, text) of all docstrings and comments of a file."""
    text = path.read_text(encoding="utf-8")
    return [*_docstrings(ast.parse(text)), *_comments(text)]


def test_no_archaic_phrase_in_docstrings_and_comments() -> None:
    pattern = re.compile("|".join(ARCHAIC), re.IGNORECASE)
    finds = [
        f"{_name(path)}:{line}: {match[0]!r}"
        for path in CODE
        if path != Path(__file__)
        for line, text in _prose(path)
        for match in pattern.finditer(" ".join(text.split()))
    ]
    assert not finds, f"{len(finds)} phrases:\n" + "\n".join(finds)


@pytest.mark.parametrize("name", [name for name, goal in GOALS.items() if goal.at_least or goal.at_most])
def test_the_layout_of_the_code_reaches_its_goal(name: str) -> None:
    """Measured as by scripts/measure_code.py; circles of imports are in test_house.py."""
    value = _figures()[name]
    assert GOALS[name].holds(value), f"{name}: {value:.3f}, see scripts/measure_code.py"


@cache
def _figures() -> dict[str, float]:
    return measure(ROOT / "harness").table()


# Names in docstrings --------------------------------------------------------------------------

REFERENCE = re.compile(r"(?<!`)`(`?)([^`\n]+)`\1(?!`)")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
OURS = re.compile(r"(?:harness|tests|scripts)\.[\w.]+")
FILE = re.compile(r"(?:harness|tests|scripts|docs|configs|results/recorded)/[\w./-]+\.\w+")


def _references(text: str) -> Iterator[str]:
    """What stands between backticks, a call's brackets left out."""
    for match in REFERENCE.finditer(text):
        yield match[2].removesuffix("()").strip()


@cache
def _words() -> frozenset[str]:
    """Every name that the code of the project uses, and every word of its strings: names of fields,
    keys of files, options, values.
    """
    words = {*dir(builtins), "harness", "tests", "scripts"}
    for path in CODE:
        if path == Path(__file__):
            continue  # its own lists of names would make them exist
        words |= {*path.relative_to(ROOT).parts, path.stem}
        tree = ast.parse(path.read_text(encoding="utf-8"))
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                words |= set(re.findall(r"\w+", node.value))
            else:
                words |= set(_identifiers(node))
    return frozenset(words)


def _identifiers(node: ast.AST) -> Iterator[str]:
    """The names that one node of a syntax tree holds."""
    for key in ("id", "attr", "arg", "name", "asname", "module"):
        value = getattr(node, key, None)
        if isinstance(value, str):
            yield from value.split(".")
    if isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names


def _module_members(dotted: str) -> bool:
    """Whether a dotted name of ours leads to a module, or to something that a module defines."""
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:size])
        file = base.with_suffix(".py") if base.with_suffix(".py").is_file() else base / "__init__.py"
        if base.is_dir() and not file.is_file() and size == len(parts):
            return True
        if not file.is_file():
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        members = {name for node in ast.walk(tree) for name in _defined(node)}
        return all(part in members for part in parts[size:])
    return False


def _defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.ImportFrom | ast.Import):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr


def _is_there(reference: str) -> bool:
    """Whether a reference that looks like a name or file of ours leads somewhere."""
    if FILE.fullmatch(reference):
        return any(ROOT.glob(reference.lstrip("/")))
    if OURS.fullmatch(reference):
        return reference.endswith(".py") or _module_members(reference)
    if reference.isidentifier() or DOTTED.fullmatch(reference):
        return all(part in _words() for part in reference.split("."))
    return True


FOREIGN = frozenset(
    {
        "evaluator.py",
        "get_output",
        "get_rolling_token_windows",
        "huggingface_hub.HfApi.list_models",
        "make_disjoint_window",
        "na_values",
        "normalize_gen_kwargs",
        "postprocess_generated_text",
        "raw_logprobs",
        "resolve_max_length",
    }
)
"""Names of other people's code and files, which no code of ours mentions."""


def test_names_in_docstrings_and_comments_exist() -> None:
    """Between backticks: a dotted name below ``harness``, ``tests`` or ``scripts``, a file of the
    project, or an identifier that some code of the project uses.
    """
    missing = [
        f"{_name(path)}:{line}: {reference}"
        for path in CODE
        for line, text in _prose(path)
        for reference in _references(text)
        if reference not in FOREIGN and not _is_there(reference)
    ]
    assert not missing, f"{len(missing)} names lead nowhere:\n" + "\n".join(missing)


@pytest.mark.parametrize(
    ("reference", "there"),
    [
        ("harness.errors.HarnessError", True),
        ("harness.errors.NoSuchError", False),
        ("harness.no_such_module", False),
        ("HarnessError", True),
        ("NoSuchNameAnywhere", False),
        ("docs/architecture.md", True),
        ("docs/no-such-page.md", False),
        ("a + b", True),
    ],
)
def test_a_name_that_leads_nowhere_is_seen(reference: str, there: bool) -> None:
    assert _is_there(reference) == there
