"""The forms of output: what each writes of one document, that nothing in a cell becomes markup, and
that a file's ending or an old flag means the same as a name.
"""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.runs import ROOT
from typer.testing import CliRunner

from harness.cli.main import app
from harness.errors import ConfigError
from harness.reporting.comparison import signed
from harness.reporting.document import Column, Document, Points, Screen, Table, TableCell, keys, numbers
from harness.reporting.rendering import render
from harness.reporting.texts import Phrase
from harness.reporting.writers import built_in, find_writer, form_of, names
from harness.texts import catalogue

SMOKE = ROOT / "results" / "recorded" / "smoke"
EVIL = "a|b_c & 5 % <b>x</b> \\input{y} \x1b[2J\u202e#$~^{}"


def document(text: str = "plain") -> Document:
    """Two tables, one of them with a section and a sum; notes and lists."""
    columns = [*keys("model"), *numbers("score", "n")]
    rows = [
        [TableCell(text), TableCell("0.500 ±0.040", 0.5), TableCell("1,058", 1058)],
        [TableCell("sum"), TableCell("–"), TableCell("")],
    ]
    first = Table.of(Phrase("Ratings"), columns, rows, [text], breaks=frozenset({1}), strong=frozenset({1}))
    second = Table.of("", [Column(text, key=True)], [["  inner"]], caption=text)
    lists = (Points("", (text,), frozenset({0})), Points(Phrase("Not done:"), (text,)))
    return Document(text, (first, second), (text,), lists)


def invoke(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


class Reader(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html_is_a_page_in_which_a_cell_is_text() -> None:
    page = render(document(EVIL), "html", language="zh")
    reader = Reader()
    reader.feed(page)
    assert set(reader.tags) <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "figure", "table", "caption"),
        *("thead", "tbody", "tr", "th", "td", "p", "ul", "li", "strong"),
    }
    assert "⟦U+202E⟧" in page
    assert "\x1b" not in page
    assert {"模型", "得分", "0.500 ±0.040", "未完成："} <= set(reader.texts)
    assert page.startswith('<!doctype html>\n<html lang="zh">')
    assert reader.tags.count("tbody") == 3  # the section of the sum is one of its own


def test_csv_and_json_hold_the_raw_figures() -> None:
    rows = list(csv.reader(io.StringIO(render(document(), "csv"))))
    assert rows == [
        ["model", "score", "n"],
        ["plain", "0.5", "1058"],
        ["sum", "–", ""],
        [],
        ["plain"],
        ["inner"],
    ]
    data = json.loads(render(document(), "json"))
    assert data["tables"][0]["rows"][0] == {"model": "plain", "score": 0.5, "n": 1058}
    assert data["lists"][1] == {"title": "Not done:", "items": ["plain"]}


def test_json_has_no_infinity() -> None:
    endless = Document("", (), data=lambda: {"a": [float("inf"), float("nan"), 1.5]})
    assert json.loads(render(endless, "json")) == {"a": [None, None, 1.5]}


@pytest.mark.parametrize("form", built_in())
def test_no_form_lets_control_characters_through(form: str) -> None:
    text = render(document(EVIL), form)
    assert form in ("csv", "json") or "\x1b" not in text
    assert text.endswith("\n")
    assert find_writer(form).write(Document("", ()), Screen()) is not None


def test_a_row_under_other_headings_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells under 2 headings"):
        Table.of("t", numbers("a", "b"), [["1"]])


def test_columns_without_a_figure_are_left_out() -> None:
    table = Table.of("", [*keys("a"), *numbers("b", "c")], [["", "–", "1"], ["", "", "–"]])
    assert table.without_empty().headings == ("a", "c")


def test_names_and_endings_of_forms() -> None:
    assert built_in() == ["csv", "html", "json", "latex", "markdown", "terminal"]
    assert names()[: len(built_in())] == built_in()
    endings = {"a.csv": "csv", "a.HTM": "html", "a.json": "json", "a.tex": "latex", "a.md": "markdown"}
    for file, form in (endings | {"a.txt": "terminal", "a": "terminal", "a.what": "terminal"}).items():
        assert form_of(Path(file)) == form
    assert find_writer("rich") is find_writer("terminal")
    with pytest.raises(ConfigError, match="--format pdf: a table is written as csv"):
        find_writer("pdf")


def test_a_broken_package_is_one_line_and_takes_no_ending_from_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exiting_writer.py").write_text("raise SystemExit('no\\nlicence')\n")
    (tmp_path / "raising_writer.py").write_text("raise RuntimeError('no\\nlicence')\n")
    (tmp_path / "sound_writer.py").write_text("SUFFIXES = ('.sound',)\ndef write(document, screen): ...\n")
    packages = {
        "one": ["exits = exiting_writer", "raises = raising_writer", "twice = sound_writer"],
        "two": ["twice = sound_writer", "sound = sound_writer", "wrong = json"],
    }
    for name, points in packages.items():
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join(["[harness.formats]", *points, ""]))
    monkeypatch.syspath_prepend(tmp_path)
    for name, words in {
        "exits": "--format exits: exiting_writer cannot be loaded: SystemExit: no",
        "raises": "--format raises: raising_writer cannot be loaded: RuntimeError: no",
        "wrong": "--format wrong: json has no write(document, screen)",
        "twice": "--format twice is offered by one and two; uninstall one of them",
    }.items():
        with pytest.raises(ConfigError) as caught:
            find_writer(name)
        assert str(caught.value) == words
    assert form_of(Path("table.sound")) == "sound"
    assert form_of(Path("table.other")) == "terminal"


@pytest.mark.parametrize("form", ["csv", "json", "markdown", "latex"])
@pytest.mark.parametrize(
    "command", [["compare", SMOKE], ["report", SMOKE], ["results", SMOKE.parent], ["models"]]
)
def test_an_old_flag_a_name_and_a_file_say_the_same(command: list[Any], form: str, tmp_path: Path) -> None:
    named = invoke(*command, "-f", form)
    assert named.exit_code == 0, named.output
    assert invoke(*command, f"--{form}").stdout == named.stdout
    ending = {"markdown": "md", "latex": "tex"}.get(form, form)
    written = invoke(*command, "-o", tmp_path / f"x.{ending}")
    assert (written.exit_code, written.stdout) == (0, "")
    assert (tmp_path / f"x.{ending}").read_text(encoding="utf-8") == named.stdout


def test_two_forms_are_refused_before_any_work(tmp_path: Path) -> None:
    both = invoke("report", "no-such-run", "-f", "csv", "--json")
    assert both.exit_code == 2
    assert both.stderr == "choose one of --format csv and --json\n"
    assert invoke("run", "no-such.yaml", "-f", "pdf").stderr.startswith("--format pdf:")


def test_language_is_that_of_headings_and_captions() -> None:
    for option in ("--language", "--lang"):
        text = invoke("report", SMOKE, "-f", "latex", option, "zh").stdout
        assert r"\caption{smoke：得分 $\pm$ 95\% 区间的一半" in text
        assert "任务 & 指标 & 题数" in text
        assert "中文平均" in text
    # --language has always chosen rows here.
    assert (
        "| 运行 |"
        in invoke("results", SMOKE.parent, "--lang", "zh", "--language", "en", "-f", "markdown").stdout
    )
    assert "| 套件 |" in invoke("tasks", "--lang", "zh", "--language", "zh", "-f", "markdown").stdout


def test_only_our_own_texts_are_translated() -> None:
    table = Table.of("rank", [Column("rank"), *numbers("rank")], [["rank", "1"]])
    shown = Document(Phrase("{name}: {n} models", name="rank", n=2), (table,)).in_language("zh")
    assert shown.title == "rank：2 个模型"
    assert shown.tables[0].headings == ("rank", "名次")
    assert shown.tables[0].texts == [("rank", "1")]
    assert {name: pair["en"] for name, pair in catalogue("tables").items() if name != pair["en"]} == {}


@pytest.mark.parametrize(
    "command", ["report", "compare", "arena", "bench", "results", "plan", "models", "parity"]
)
def test_help_names_the_same_options_everywhere(command: str) -> None:
    text = invoke(command, "--help").stdout
    assert re.search(r"--format +-f|-f, --format|--format, -f|-f +--format", text)
    assert "--json" not in text.replace("-f json", "")
    assert ("--lang " if command == "results" else "--language") in text


def test_a_turned_zero_has_no_minus() -> None:
    assert signed(-0.0) == "+0.000"
    assert signed(-1e-12) == "+0.000"
    assert signed(-0.0004) == "−0.000"
