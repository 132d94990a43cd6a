"""Every command line that README and docs print runs as it is printed; YAML loads, Python runs.

They run in an empty folder, from a wheel, beside the files that the pages speak of. What needs
another machine is parsed only, each for a reason that stands in `RULES`.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.command_line import SHELL, complaint
from support.installed import install_harness
from support.printed import ROOT, blocks, config_comment_lines, inline_lines, shell_lines

RULES = {
    r"^pip install": "changes the environment; the extras are checked",
    r"^make |^\.venv/": "needs the checkout; targets and paths are checked",
    r"^harness run (qwen|llama)\b": "weights from the hub, and a GPU for them",
    r"base[-_]url": "an endpoint",
    r"^harness parity .*engine=vllm": "vLLM",
    r"^harness parity smoke --against dtype": "two runs of smoke: tests/parity has smaller ones",
    r"^harness compare results/(ci|both) ": "a run and its baseline: tests/cli/test_gate.py",
    r"^harness adoption snapshot": "the hub's answer",
    r"^harness tokenizers qwen": "tokenizers from the hub",
    r"^harness bench": "minutes of measuring: tests/benchmark does it",
    r"--install-completion": "writes the shell's start-up file: tests/cli/test_completion.py",
}
"""Lines that are not run, by what they need; every line may have one reason."""
PYTHON_APART = {"docs/extending.md": "modules of packages: tests/engines and tests/reporting install them"}
"""Pages whose Python needs no run here: those of their blocks that define things."""
LINES = shell_lines()


def reasons(line: str) -> list[str]:
    return [reason for pattern, reason in RULES.items() if re.search(pattern, line)]


RUN = {line: where for line, where in LINES.items() if not reasons(line)}


@pytest.mark.parametrize("pattern", RULES)
def test_every_rule_is_needed(pattern: str) -> None:
    assert any(re.search(pattern, line) for line in LINES)


def test_every_line_is_run_or_has_one_reason() -> None:
    assert [line for line in LINES if len(reasons(line)) > 1] == []
    assert len(RUN) > len(LINES) / 2
    assert all(line.startswith("harness ") and not SHELL & set(shlex.split(line)) for line in RUN)


@pytest.mark.parametrize("source", ["shell", "inline", "configs"])
def test_every_line_parses(source: str) -> None:
    lines = {"shell": LINES, "inline": inline_lines(), "configs": config_comment_lines()}[source]
    assert len(lines) > 10
    wrong = {
        f"{where}: {line}": text
        for line, where in lines.items()
        for part in re.split(r" && | \|\| ", line)
        if part.startswith("harness ")
        and (text := complaint(part)) is not None
        # Running text names commands without what they need: `harness compare`.
        and not (source == "inline" and text.startswith("Missing argument"))
    }
    assert wrong == {}


def test_what_needs_the_checkout_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for line in LINES:
        for target in re.findall(r"\bmake ([a-z-]+)", line):
            assert f"\n{target}:" in makefile, line
        for extras in re.findall(r"\[([a-z,]+)\]", line) if "pip install" in line else []:
            assert all(f"\n{extra} = [" in text for extra in extras.split(",")), line
        for path in re.findall(r"\b(?:tests|scripts)/[\w./-]+", line):
            assert (ROOT / path).exists(), line


def test_workflows_print_lines_that_parse() -> None:
    steps = [
        step["run"]
        for block in blocks("yaml")
        if isinstance(data := yaml.safe_load(block.text), dict) and "jobs" in data
        for job in data["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    assert steps
    for line in "\n".join(steps).splitlines():
        bare = line.removeprefix(".venv/bin/")
        if bare.startswith("harness "):
            assert complaint(bare) is None, line


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_everything_runs_as_printed(tmp_path: Path) -> None:
    site = install_harness(tmp_path / "wheel")
    workplace, home = tmp_path / "empty", tmp_path / "home"
    (home / "mirror").mkdir(parents=True)
    write_files(workplace)

    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SHELL")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(home), "PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1", "COLUMNS": "80"}
    driver, results = Path(__file__).with_name("driver.py"), tmp_path / "results.jsonl"
    done = subprocess.run(
        [sys.executable, str(driver), str(results)],
        input=json.dumps(jobs()),
        env=environment,
        cwd=workplace,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    outcomes = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    assert len(outcomes) == len(jobs())
    failures = [
        "{where}: {text}\n  exit code {code}\n{output}".format(**one) for one in outcomes if one["code"]
    ]
    remedy = "mend the page, give write_files() what it speaks of, or add a rule with the reason"
    assert failures == [], "\n\n".join([remedy, *failures])

    # Everything that is no result lies in the one cache folder, so that HARNESS_CACHE moves it all.
    folders = {path.relative_to(home).parts[:2] for path in home.rglob("*") if path.is_file()}
    assert folders <= {(".cache", "harness")}


def jobs() -> list[dict[str, str]]:
    """What the driver does, in the order of the pages."""
    commands = [
        {"kind": "command", "where": where, "text": line, "words": json.dumps(shlex.split(line))}
        for line, where in RUN.items()
    ]
    configs = [
        {"kind": "yaml", "where": block.where, "text": block.text}
        for block in blocks("yaml")
        if isinstance(data := yaml.safe_load(block.text), dict)
        and {"models", "tasks", "expect"} & set(data)
        and "jobs" not in data
        and not any(isinstance(job, dict) and "script" in job for job in data.values())
    ]
    python = [
        {"kind": "python", "where": block.where, "text": block.text}
        for block in blocks("python")
        if block.where.partition(":")[0] not in PYTHON_APART or "save(" in block.text
    ]
    first = {"kind": "prepare", "where": "the files that pages speak of", "text": ""}
    return [first, *commands, *configs, *python]


def write_files(folder: Path) -> None:
    """The files of their own that a reader of the pages has."""
    for name in ("my-checkpoint", "checkpoints/latest"):
        (folder / name).mkdir(parents=True)
    for name in ("my-questions", "capitals"):
        shutil.copy(ROOT / "configs" / "examples" / "capitals-zh.jsonl", folder / f"{name}.jsonl")
    task = ROOT / "harness" / "data" / "tasks"
    text = (task / "zh_letters.yaml").read_text(encoding="utf-8").replace("zh_letters", "my_letters")
    (folder / "my_task.yaml").write_text(text, encoding="utf-8")
    shutil.copy(task / "utils.py", folder / "utils.py")
    shutil.copy(ROOT / "harness" / "data" / "studies" / "C10.yaml", folder / "my-claim.yaml")
    write_votes(folder)
    write_boards(folder)


def write_votes(folder: Path) -> None:
    """Battles and counts in the layouts of docs/arena.md."""
    import pandas

    draw = random.Random(0)
    names = ("mixtral-8x7b-instruct-v0.1", "qwen", "llama")
    rows = []
    for number in range(600):
        first, second = draw.sample(names, 2)
        row = {"model_a": first, "model_b": second, "winner": draw.choice(("model_a", "model_b", "tie"))}
        row["language"] = ("Chinese", "English")[number % 2]
        style = {f"{what}_{side}": draw.randint(1, 9) for what in STYLE for side in "ab"}
        rows.append(row | style)
    frame = pandas.DataFrame(rows)
    frame.to_parquet(folder / "battles.parquet")
    frame.to_csv(folder / "battles.csv", index=False)
    frame.to_json(folder / "battles.jsonl", orient="records", lines=True)
    counts = [(names[0], names[1], 30, 20, 5), (names[1], names[2], 10, 12, 3), (names[0], names[2], 9, 8, 1)]
    columns = ["model_a", "model_b", "wins_a", "wins_b", "ties"]
    pandas.DataFrame(counts, columns=columns).to_csv(folder / "counts.csv", index=False)


STYLE = ("length", "headers", "bold", "lists")


def write_boards(folder: Path) -> None:
    """A leaderboard of each kind, and a list of models."""
    import pandas

    with (folder / "lmarena_20260301.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("model", "rating", "lower", "upper"), ("new-model", 1400, 1390, 1410)])
    board = [{"fullname": "01-ai/Yi-1.5-34B-Chat", "Average ⬆️": 33.36, "IFEval": 60.67, "MATH Lvl 5": 27.72}]
    pandas.DataFrame(board).to_parquet(folder / "open_llm_leaderboard.parquet")
    listed = "date,source,model,likes,downloads_all\n2026-08-01,hub,Qwen/Qwen3-8B,10,100\n"
    (folder / "makers.csv.gz").write_bytes(gzip.compress(listed.encode()))
