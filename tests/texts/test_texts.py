"""The catalogue of texts: every text in every language with the same blanks, every text that the
code asks for, and none that nobody does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from support.runs import ROOT

from harness.errors import ConfigError
from harness.sanity import checks, kinds
from harness.texts import LANGUAGES, Words, catalogue, every_language, say, topics
from harness.texts.files import read_texts

PACKAGE = ROOT / "harness"
SPEAKERS = {
    "adoption": {"say": "adoption"},
    "analysis": {"note": "notes"},
    "reporting": {"words": "report", "w": "report"},
    "studies": {"say": "studies", "both": "adoption", "_word": "adoption"},
}
"""By room, the functions that are called with a text's name alone, and the topic that it is of."""
TEMPLATES = {
    "report/page.html.j2": {"w": "report"},
    "studies/page.html.j2": {"say": "studies"},
}
DATA_FILES = {"adoption": ("figures.csv", "sources.yaml")}
"""Files in the folder of the same name whose English texts are names of the topic's texts."""
DYNAMIC = {
    "report": r"js_.*",
    "sanity": r"(?!line_).*",
    "studies": r"(setting|source): .*|(part|maker|licence|country|side)_.*|(sizes|names)_(one|other)",
}
"""Names that are made of data: a kind of finding, a setting or source as its file says it, a maker,
a country, what is counted; and what the script of the page says, which has a test of its own.
"""


@cache
def sources() -> dict[Path, ast.Module]:
    """Every module of the package."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def patterns(node: ast.expr) -> Iterator[str]:
    """The names that an expression may be, as regular expressions; none for a variable."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.escape(node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = [
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values
        ]
        yield "".join(parts)
    elif isinstance(node, ast.IfExp):
        yield from patterns(node.body)
        yield from patterns(node.orelse)


def calls() -> Iterator[tuple[str, str, str]]:
    """(where, topic, pattern of names) of every call that says a text."""
    for path, tree in sources().items():
        room = path.relative_to(PACKAGE).parts[0]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            for pattern in patterns(node.args[0]):
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                topic, dot, rest = pattern.partition(r"\.")
                if dot and name in ("say", "every_language") and topic in topics():
                    yield where, topic, rest
                elif isinstance(node.func, ast.Name) and name in SPEAKERS.get(room, {}):
                    yield where, SPEAKERS[room][name], pattern


def template_calls() -> Iterator[tuple[str, str, str]]:
    """The same of the pages' templates."""
    for name, speakers in TEMPLATES.items():
        text = (PACKAGE / "data" / name).read_text(encoding="utf-8")
        for speaker, topic in speakers.items():
            for found in re.finditer(rf"\b{speaker}\(['\"](.+?)['\"]( ~ )?", text):
                yield name, topic, re.escape(found[1]) + (".+" if found[2] else "")


def test_every_text_that_the_code_says_is_there() -> None:
    absent = [
        (where, f"{topic}.{pattern}")
        for where, topic, pattern in [*calls(), *template_calls()]
        if not any(re.fullmatch(pattern, name) for name in catalogue(topic))
    ]
    assert absent == []


@pytest.mark.parametrize("topic", sorted({*topics()} - {"messages"}))
def test_every_text_is_said_somewhere(topic: str) -> None:
    """A name counts where it is a string of the code, too: a variable may hold it.

    Messages are found by their wording: tests/reporting/test_chinese.py.
    """
    strings = {
        node.value
        for tree in sources().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # A name that begins with data, ".+_.+", would vouch for nearly every text.
    spoken = [
        pattern
        for _, where, pattern in [*calls(), *template_calls()]
        if where == topic and not pattern.startswith(".+")
    ]
    spoken += [DYNAMIC[topic]] if topic in DYNAMIC else []
    rest = "".join(
        (PACKAGE / "data" / topic / file).read_text(encoding="utf-8") for file in DATA_FILES.get(topic, ())
    )
    idle = [
        name
        for name in catalogue(topic)
        if name not in strings
        and not any(re.fullmatch(pattern, name) for pattern in spoken)
        and name.removeprefix("short: ") not in (rest or strings)
    ]
    assert idle == []


def test_the_pages_script_says_its_texts() -> None:
    script = (PACKAGE / "data" / "report" / "viewer.js").read_text(encoding="utf-8")
    for name in Words("en").under("js_"):
        assert re.search(rf"\bwords\.{name}\b|[\"']{name}[\"']", script), name


@pytest.mark.parametrize("topic", topics())
def test_every_text_is_whole_in_every_language_with_the_same_blanks(topic: str) -> None:
    for name, pair in catalogue(topic).items():
        assert set(pair) == set(LANGUAGES), name
        blanks = [{blank for _, blank, _, _ in Formatter().parse(text) if blank} for text in pair.values()]
        assert blanks[0] == blanks[1], name
        assert all(text.strip() for text in pair.values()), name


def test_every_finding_has_its_sentence_and_every_sentence_its_finding() -> None:
    names = {*kinds(), *(f"check_{name}" for name in checks())}
    assert {name for name in catalogue("sanity") if not name.startswith("line_")} == names


def test_a_text_is_said_by_topic_and_name() -> None:
    assert say("report.mean_of", "zh", n=3) == "3 项平均"
    assert Words("en")("mean_of", n=3) == "mean of 3"
    assert Words("en", "notes")("off") == "off"
    assert every_language("report.title", name={"en": "a", "zh": "b"}) == {
        "en": "Report: a",
        "zh": "评测报告：b",
    }
    assert Words("en").listed(["a", "b", "c"], 2) == "a, b and 1 more"
    for key, language in (("report.no such text", "en"), ("report.title", "fr")):
        with pytest.raises(KeyError):
            say(key, language)
    with pytest.raises(KeyError):
        say("report.title", "en", nothing="x")


def test_a_key_stands_once_and_in_every_language(tmp_path: Path) -> None:
    one, two = tmp_path / "a.yaml", tmp_path / "b.yaml"
    one.write_text("x: {en: a, zh: a}\ny: {en: b, zh: b}\n", encoding="utf-8")
    two.write_text("# more\nx: {en: c, zh: c}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"b\.yaml:2: the key 'x' stands in a\.yaml:1 already"):
        read_texts([one, two], LANGUAGES)
    two.write_text("z: {en: c, zh: c}\nz: {en: d, zh: d}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"b\.yaml:2: the key 'z' stands in b\.yaml:1"):
        read_texts([one, two], LANGUAGES)
    two.write_text("z: {en: c, zh: c, en: d}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"b\.yaml:1: 'z' has a language twice"):
        read_texts([one, two], LANGUAGES)
    two.write_text("z: {en: c}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"b\.yaml:1: .z. is written in en; give it in en and zh"):
        read_texts([one, two], LANGUAGES)
    two.write_text("z: {en: c, zh: c}\n", encoding="utf-8")
    assert set(read_texts([one, two], LANGUAGES)) == {"x", "y", "z"}
