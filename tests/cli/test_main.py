"""What the command line promises whatever the command: quick help, one-line errors, exit codes,
quiet pipes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import main as cli
from harness.errors import ConfigError, DataError, HarnessError
from harness.version import __version__

HEAVY = (
    "{'torch', 'transformers', 'lm_eval', 'datasets', 'pandas', 'yaml', 'rich', "
    "'harness.config', 'harness.reporting'}"
)


def failing(error: BaseException) -> typer.Typer:
    """An app of two commands of which one raises."""
    app = typer.Typer(cls=cli.GuardedGroup, pretty_exceptions_enable=False)

    @app.command("fail")
    def fail() -> None:
        raise error

    @app.command("other")
    def other() -> None:
        """Makes this an app with commands."""

    return app


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["tasks", "--help"], ["--version"], []])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom harness.cli.main import main\nsys.argv[1:] = " + repr(arguments) + "\n"
        f"try:\n    main()\nexcept SystemExit:\n    print('heavy:', sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_version_and_help_name_every_command() -> None:
    runner = CliRunner()
    assert runner.invoke(cli.app, ["--version"]).stdout == f"harness {__version__}\n"
    text = runner.invoke(cli.app, ["--help"]).stdout
    commands = (
        "run",
        "plan",
        "tasks",
        "models",
        "doctor",
        "report",
        "compare",
        "results",
        "rescore",
        "import",
        "parity",
        "schema",
    )
    for command in commands:
        assert f"\n  {command} " in text


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigError("a.yaml:1:2: no\nb.yaml:3:4: neither"), 2, "a.yaml:1:2: no\nb.yaml:3:4: neither\n"),
        (DataError("no data"), 1, "no data\n"),
        (HarnessError("[bold]as it is[/bold]"), 1, "[bold]as it is[/bold]\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (
            ValueError("a\nb"),
            1,
            "unexpected error: ValueError: a; please report it (HARNESS_DEBUG=1 shows the traceback)\n",
        ),
        (typer.Exit(3), 3, ""),
    ],
)
def test_errors_are_lines_and_exit_codes(
    error: BaseException, code: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARNESS_DEBUG", raising=False)
    done = CliRunner().invoke(failing(error), ["fail"])
    assert done.exit_code == code
    assert done.stderr == text
    assert "Traceback" not in done.output


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DEBUG", "1")
    assert "Traceback" in CliRunner().invoke(failing(ValueError("a")), ["fail"]).stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["rum"], "No such command 'rum'. Did you mean 'run'?"),
        (["run"], "say what to run: a config (`harness configs` lists"),
        (["run", "--model", "tiny-qwen"], "no task is named: say --task NAME"),
        (["plan", "--task", "smoke"], "no model is named: say --model NAME (in Python"),
        (["run", "smoke", "--model", "tiny-qwen"], "smoke and --model: name a config, or models and tasks"),
        (["plan", "-m", "tiny-qwn", "-t", "smoke"], "--model tiny-qwn: unknown preset 'tiny-qwn'; did you"),
        (["plan", "-m", "tiny-qwen", "-t", "zh_core"], "unknown task 'zh_core'; nearest: zh-core"),
        (["run", "smok"], "smok: no such file; did you mean 'smoke'?"),
        (["configs", "smok"], "no packed config is called 'smok'; did you mean 'smoke'?"),
        (["cache", "clean", "models"], "models: harness deletes names, hashes, rest"),
        (["report"], "Missing argument"),
        (["run", "x.yaml", "--limit", "0"], "Invalid value for '--limit'"),
        (["run", "x.yaml", "--device", "tpu"], "Invalid value for '--device'"),
        (
            ["report", "x", "--format", "pdf"],
            "--format pdf: a table is written as csv, html, json, latex, markdown, terminal",
        ),
        (["models", "--max-params", "many"], "expected a number such as 8B or 500M, got 'many'"),
        (["run", "no-such.yaml"], "no-such.yaml"),
        (["plan", "no-such.yaml"], "no-such.yaml"),
        (["report", "no-such-run"], "no-such-run: no such run"),
        (["compare", "no-such-run"], "no-such-run: no such run"),
        (["results", "no-such-folder"], "no-such-folder: no such folder"),
        (["rescore", "no-such-run"], "no-such-run: no such run"),
        (["import", "no-such-file.json"], "no-such-file.json: cannot be read"),
        (["tasks", "no-such-task-at-all"], "no task, group or tag matches"),
        (["tasks", "show", "zh_arithmetik"], "unknown task 'zh_arithmetik'; nearest: zh_arithmetic"),
        (["tasks", "show", "zh_arithmetic", "--set", "fewshots=1"], "--set fewshots: Extra inputs"),
        (["models", "--country", "xx"], "no preset fits; families:"),
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str], text: str) -> None:
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 2
    assert text in done.stderr
    assert "Traceback" not in done.output


def test_a_closed_pipe_is_no_error_message(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m harness.cli.main schema results | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{"
    assert done.stderr == ""


def test_a_terminal_without_chinese_is_survived() -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", "tasks", "show", "zh_arithmetic"],
        env=environment,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"25 + 15" in done.stdout
