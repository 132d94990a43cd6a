"""Every command that lists, in a real pseudo-terminal of several widths: figures are those that a
pipe gets, and no line is too long.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    ["published", "list"],
    ["published", "list", "--models", "--country", "CN"],
    ["models"],
    ["tasks"],
    ["tasks", "zh_*"],
    ["tasks", "ceval-valid-gen"],
    ["tokenizers", "bundled/tiny-qwen", "bundled/tiny-llama"],
    ["plan", str(ROOT / "configs" / "own-task.yaml")],
    ["plan", str(ROOT / "configs" / "own-task.yaml"), "--chips"],
    ["study", "--list"],
    ["arena", "votes.csv"],
]
DRIVER = """
import json, sys
from typer.testing import CliRunner
from harness.cli.main import app
for command in json.loads(sys.argv[1]):
    print("\\x1e" + " ".join(command), flush=True)
    try:
        app(command, standalone_mode=False)
    except SystemExit:
        pass
    sys.stdout.flush()
"""
TOLD = (".", ":", "names", "--all lists them")
"""How lines of prose below a list end, which a terminal wraps by itself."""


def environment(folder: Path) -> dict[str, str]:
    kept = {
        key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "HARNESS_MIRROR")
    }
    return kept | {"NO_COLOR": "1", "PYTHONPATH": str(ROOT), "TERM": "xterm", "HF_HUB_OFFLINE": "1"}


def votes(folder: Path) -> None:
    rows = ["model_a,model_b,wins_a,wins_b,ties"]
    names = ["deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "gpt-4-0125-preview", "中文模型-对话版"]
    rows += [
        f"{one},{two},{1234 + 7 * k},{1000 + k},{k}"
        for k, (one, two) in enumerate([(a, b) for a in names for b in names if a < b])
    ]
    (folder / "votes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def piped(folder: Path) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(COMMANDS)],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        check=True,
    )
    return answers(done.stdout.decode())


def in_terminal(folder: Path, width: int) -> dict[str, str]:
    """What the commands write into a pseudo-terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, json.dumps(COMMANDS)],
        cwd=folder,
        env=environment(folder),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    found = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        found += part
    os.close(ours)
    assert process.wait() == 0
    return answers(found.decode().replace("\r\n", "\n"))


def answers(text: str) -> dict[str, str]:
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in text.split("\x1e")[1:]}


def figures(text: str) -> set[str]:
    """Every number, with its separators, exponent and unit."""
    return set(re.findall(r"(?<![\w.-])[~+−]?\d[\d,./]*(?:e[+-]?\d+)?(?: (?:[KMG]iB|pts))?(?![\w-])", text))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("widths")
    votes(folder)
    found = piped(folder)
    assert len(found) == len(COMMANDS)
    assert all(text.strip() for text in found.values())
    return folder, found


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_figure_is_lost_at_any_width(whole: tuple[Path, dict[str, str]], width: int) -> None:
    folder, expected = whole
    found = in_terminal(folder, width)
    assert found.keys() == expected.keys()
    for command, text in expected.items():
        shown = found[command]
        squeezed = "".join(shown.split())
        assert not {
            one for one in figures(text) if one not in shown and "".join(one.split()) not in squeezed
        }, (command, width)
        for line in shown.splitlines():
            assert cell_len(line) <= width or line.endswith(TOLD) or " " not in line.strip(), (
                command,
                width,
                line,
            )


def test_a_narrow_list_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule in short, without a second process: at 60 columns each figure of `harness published
    list` stands whole.
    """
    from typer.testing import CliRunner

    from harness.cli.main import app

    def at(width: str) -> str:
        monkeypatch.setenv("COLUMNS", width)
        return CliRunner().invoke(app, ["published", "list"]).stdout

    wide, narrow = at("400"), at("60")
    assert figures(wide) <= figures(narrow) | {one for one in figures(wide) if one in narrow}
    assert max(map(cell_len, narrow.splitlines())) <= 60
