"""`compare --fail-if-worse`, ``--junit`` and annotations as a CI calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from support.runs import harness, write_config, write_task
from typer.testing import CliRunner

from harness.cli.main import app

GREETING = "::error::pwned ##[set-env name=a]b"


def invoke(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of a mock under one name: the first knows all answers, the second none."""
    import harness as package
    from harness.config import load_config

    folder = tmp_path_factory.mktemp("runs")
    task = {"file": str(write_task(folder, "texts", 30, "text"))}
    for name, answer in (("good", "是"), ("bad", "否")):
        model = {"id": "mock/m", "engine": "mock", "name": "m", "engine_args": {"answer": answer}}
        config = write_config(folder, [task], [model])
        package.run(load_config(config), out=folder / name)
    return folder


def test_exit_codes_and_what_is_said(runs: Path) -> None:
    worse = invoke("compare", runs / "bad", "--fail-if-worse", runs / "good")
    assert worse.exit_code == 3, worse.output
    assert "m on texts: worse by 100 points" in worse.stdout
    assert "could not have seen" in worse.stdout
    same = invoke("compare", runs / "good", "--fail-if-worse", runs / "good" / "results.json")
    assert same.exit_code == 0, same.output
    assert "Not worse than test: all 1 hold" in same.stdout
    assert invoke("compare", runs / "good", "--fail-if-worse", runs / "bad").exit_code == 0
    assert invoke("compare", runs / "bad", "--fail-if-worse", runs / "good", "--by", 100).exit_code == 0


def test_the_gate_in_xml_json_and_chinese(runs: Path, tmp_path: Path) -> None:
    command = ("compare", runs / "bad", "--fail-if-worse", runs / "good")
    file = tmp_path / "sub" / "gate.xml"
    done = invoke(*command, "--junit", file, "--annotations", "-f", "json")
    assert done.exit_code == 3
    data = json.loads(done.stdout)
    assert (data["held"], data["rows"][0]["verdict"], data["rows"][0]["drop"]) == (False, "worse", 1.0)
    root = ElementTree.parse(file).getroot()
    assert (root.get("tests"), root.get("failures")) == ("1", "1")
    assert "::error title=harness compare with test%3A m on texts::m on texts: worse" in done.stderr
    assert "变差" in invoke(*command, "--language", "zh").stdout


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--by", "2"], "--by belongs to the gate"),
        (["--strict"], "--strict belongs to the gate"),
        (["--junit", "x.xml"], "--junit belongs to the gate"),
        (["--fail-if-worse", "nothing"], "no run, no results of lm-eval, and no model of these runs"),
        (["--fail-if-worse", "good", "--index", "smoke"], "leave out --index"),
        (["--fail-if-worse", "good", "--task", "x*"], "no task or group that 'x*' matches"),
        (["--fail-if-worse", "good", "--junit", "."], "this is a folder"),
        (["--fail-if-worse", "texts.jsonl"], "neither a run of the harness"),
    ],
)
def test_wrong_use(runs: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], text: str) -> None:
    monkeypatch.chdir(runs)
    done = invoke("compare", "bad", *options)
    assert done.exit_code == 2, done.output
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_results_of_lm_eval_are_a_baseline(runs: Path, tmp_path: Path) -> None:
    """Without samples nothing is paired: --strict compares the scores alone."""
    data = {
        "results": {"texts": {"alias": "texts", "exact_match,none": 1.0}},
        "configs": {"texts": {"output_type": "generate_until"}},
        "n-samples": {"texts": {"original": 30, "effective": 30}},
        "model_name": "org/m",
        "config": {},
    }
    file = tmp_path / "results_2025-07-01T00-00-00.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    done = invoke("compare", runs / "bad", "--fail-if-worse", file)
    assert done.exit_code == 3
    assert "not comparable" in done.stdout


@pytest.mark.slow
def test_a_kept_run_shows_its_outcomes_again_and_no_answer_is_a_command(tmp_path: Path) -> None:
    """On a runner: the exit code of a repeated run, one annotation, and what a model says stays text."""
    task = {"file": str(write_task(tmp_path, "texts", 3, "text"))}
    model = {"id": "mock/m", "engine": "mock", "name": "m", "engine_args": {"answer": GREETING}}
    expect = [{"task": "texts", "model": "m", "min": 0.9}, {"figure": "truncated", "max": 0.5}]
    config = write_config(tmp_path, [task], [model], expect=expect)
    for _ in range(2):
        done = harness("run", config, "--junit", "j.xml", cwd=tmp_path, GITHUB_ACTIONS="true")
        assert done.returncode == 3, done.stderr
        commands = [
            line for line in (done.stdout + done.stderr).splitlines() if line.lstrip().startswith("::")
        ]
        assert len(commands) == 1
        assert commands[0].startswith("::error file=config.yaml,line=")
        assert "Expectations: 1 of 2 hold" in done.stdout
        root = ElementTree.parse(tmp_path / "j.xml").getroot()
        assert [root.get(name) for name in ("tests", "failures", "errors")] == ["3", "1", "0"]

    folder = tmp_path / "results" / "test"
    shown = invoke("report", folder, "-f", "markdown", "--junit", tmp_path / "again.xml")
    assert shown.exit_code == 0
    assert "failed: m on texts: exact_match is 0; expected ≥ 0.9" in shown.stdout
    assert (tmp_path / "again.xml").read_bytes() == (tmp_path / "j.xml").read_bytes()
    data = json.loads(invoke("report", folder, "-f", "json").stdout)
    assert [row["held"] for row in data["expectations"]] == [False, True]
    page = tmp_path / "page.html"
    assert invoke("report", folder, "--html", page, "--language", "zh").exit_code == 0
    assert "预期条件：2 项中 1 项达成" in page.read_text(encoding="utf-8")


def test_streams_on_a_runner_say_no_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import io
    import sys

    from harness.cli.testing import InertStream, guard_streams

    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    plain = io.StringIO()
    monkeypatch.setattr(sys, "stderr", plain)
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        guard_streams()
        # What is written into a file is for a program, and stays as it is.
        assert sys.stdout is file
        assert isinstance(sys.stderr, InertStream)
        print(GREETING, file=sys.stderr)
        monkeypatch.undo()
    assert not plain.getvalue().startswith("::")
    assert "##[" not in plain.getvalue()
