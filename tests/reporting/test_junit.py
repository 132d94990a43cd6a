"""JUnit's XML, read by a parser, and GitHub's annotations, read as its runner reads them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reporting.annotations import MOST, inert, workflow_commands
from harness.reporting.junit import junit
from harness.reporting.testcases import Testcase, run_testcases
from harness.results.schema import ExpectationRow, ModelRow, Results, Row

NASTY = 'a "<b>" & \x00\x1b[31m\ud800\uffff ]]>\n::error::x%0A'


def run() -> Results:
    rows = [
        Row(
            cell_id="1",
            model="one",
            task="t",
            metric="acc",
            filter="none",
            value=0.5,
            n=9,
            seconds=1.5,
            status="ok",
        ),
        Row(cell_id="1", model="one", task="t", metric="acc_norm", value=0.6, n=9, seconds=1.5, status="ok"),
        Row(cell_id="2", model="one", task="u", status="failed", reason=NASTY),
        Row(cell_id="3", model="one", task="v", status="skipped", reason="interrupted"),
        Row(cell_id="4", model="one", task="w", status="skipped", asked_as="w-gen"),
    ]
    expectations = [
        ExpectationRow(
            model="one", task="t", metric="acc", min=0.4, value=0.5, held=True, source="ci.yaml:9:5"
        ),
        ExpectationRow(
            model="one", task="t", metric="acc", min=0.9, value=0.5, held=False, source="ci.yaml:10:5"
        ),
        ExpectationRow(model="one", task="u", metric="acc", min=0.9, held=False, reason=f"failed: {NASTY}"),
    ]
    model = ModelRow(model="two", id="two", status="failed", reason="no weights")
    facts = {"name": "ci", "harness_version": "", "created": "", "config_hash": ""}
    return Results(**facts, models=[model], rows=rows, expectations=expectations)


def test_outcomes_are_testcases_with_time_place_and_message() -> None:
    root = ElementTree.fromstring(junit(run_testcases([run()]), "ci").encode())
    assert root.tag == "testsuites"
    counts = ("tests", "failures", "errors", "skipped")
    assert [root.get(name) for name in counts] == ["7", "1", "3", "1"]
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["ci: expectations", "ci: models", "ci: one"]
    for suite in suites.values():
        assert int(suite.get("tests", "")) == len(suite)
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name, "")) == len(suite.findall(f"testcase/{tag}"))

    held, broken, unknown = suites["ci: expectations"]
    assert (held.get("name"), held.get("time"), len(held)) == ("one on t: acc min 0.4", "1.500", 0)
    assert (held.get("file"), held.get("line")) == ("ci.yaml", "9")
    assert broken[0].tag == "failure"
    assert broken[0].get("message") == "failed: one on t: acc is 0.5; expected ≥ 0.9"
    assert unknown[0].tag == "error"
    # The task that was asked in its generative form is no gap.
    assert [case.get("name") for case in suites["ci: one"]] == ["t", "u", "v"]


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_the_xml(suite: str, name: str, message: str) -> None:
    case = Testcase(suite, name + NASTY, "error", message + NASTY, source=f"{name}:1:2")
    text = junit([case], suite)
    root = ElementTree.fromstring(text.encode("utf-8"))
    assert len(root.findall("testsuite/testcase/error")) == 1


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """(command, properties, message) of each line that GitHub's runner takes for one, unescaped.

    After actions/runner, ActionCommand.cs: a line's white space in front does not count.
    """
    parsed = []
    for line in re.split("[\r\n]", text):
        match = re.match(r"\s*::([a-z-]+)(?: (.*?))?::(.*)", line)
        if match is not None:
            pairs = [pair.partition("=") for pair in (match[2] or "").split(",") if pair]
            properties = {key.strip(): unescaped(value) for key, _, value in pairs}
            parsed.append((match[1], properties, unescaped(match[3])))
    return parsed


def unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_what_failed_is_annotated_at_its_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    cases = [
        Testcase("s", "held", "passed"),
        Testcase("s", "one, two: 50 %", "failed", "is 0.5\nexpected: 1,0", source="sub/ci.yaml:9:5"),
        Testcase("s", "elsewhere", "error", "gone", source=f"{tmp_path}/x.yaml:3:1"),
        Testcase("s", "of --set", "failed", "no", source="--set expect.0.min=1"),
    ]
    assert commands(workflow_commands(cases, "ci")) == [
        (
            "error",
            {"file": "sub/ci.yaml", "line": "9", "col": "5", "title": "ci: one, two: 50 %"},
            "is 0.5\nexpected: 1,0",
        ),
        ("error", {"file": "x.yaml", "line": "3", "col": "1", "title": "ci: elsewhere"}, "gone"),
        ("error", {"title": "ci: of --set"}, "no"),
    ]


@given(st.text(), st.text())
def test_one_case_is_one_command_whatever_it_says(name: str, message: str) -> None:
    text = workflow_commands([Testcase("s", name, "failed", f"x{message}\r\n::set-env::{name}")], "t")
    ((command, properties, _),) = commands(text)
    assert command == "error"
    assert set(properties) == {"title"}


def test_mistakes_of_a_config_are_annotated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness.cli.testing import annotate_mistakes

    message = "ci.yaml:3:1: unknown key 'limt'\n--set a=b: no\nsub/b.yaml:4:2: a: b"
    annotate_mistakes(message)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    annotate_mistakes(message)
    shown = [
        (properties["file"], properties["line"], text)
        for _, properties, text in commands(capsys.readouterr().err)
    ]
    assert shown == [("ci.yaml", "3", "unknown key 'limt'"), ("sub/b.yaml", "4", "a: b")]


def test_more_than_github_shows_are_named_in_the_last() -> None:
    cases = [Testcase("s", f"case {number}", "failed", "no") for number in range(25)]
    shown = commands(workflow_commands(cases, "ci"))
    assert len(shown) == MOST
    assert "case 24" in shown[-1][2]
    assert "case 8" not in shown[-1][2]


@pytest.mark.parametrize(
    "text", ["::error::x", "  ::set-output name=a::b", "a\n\t::stop-commands::x", "a ##[set-env]b", "::::"]
)
def test_texts_of_others_are_no_commands(text: str) -> None:
    defused = inert(text)
    assert commands(defused) == []
    assert "##[" not in defused
    assert defused.replace("\u200b", "") == text
    assert inert("plain: a::b [x]") == "plain: a::b [x]"
