"""Chinese output is Chinese: no run of English words is left in what a command shows, and every
sentence of the catalogue of messages is one that the code still says.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
from support.runs import ROOT
from typer.testing import CliRunner

from harness.cli.main import app
from harness.doctor.findings import Check
from harness.reporting.doctor import doctor_document
from harness.reporting.document import Document, Table, keys
from harness.reporting.plan import duration_range, money_range
from harness.reporting.published import _cell, snapshots_document
from harness.reporting.rendering import render
from harness.reporting.texts import Message, Phrase, translated
from harness.texts import catalogue
from harness.texts.messages import reworded

SMOKE = ROOT / "results" / "recorded" / "smoke"
ENGLISH = re.compile(r"(?<![\w/.-])[A-Za-z][a-z]+(?: (?:[A-Za-z][a-z]+|a)){2,}(?![\w/.-])")
"""Three or more English words in a row."""
NAMES = (
    "Open LLM Leaderboard",
    "Free Dolly",
    "The Leaderboard Illusion",
    "harness tasks show NAME",
    "harness adoption snapshot",
)
"""Names of things, and what one types."""
COMMANDS = {
    "report": ("report", str(SMOKE), "--all"),
    "costs": ("report", str(SMOKE), "--costs"),
    "compare": ("compare", str(SMOKE), "--all"),
    "study": ("study", "C1", "C7", "C16", "-f", "markdown"),
    "study --list": ("study", "--list"),
    "published": ("published", "list"),
    "models": ("models",),
    "missing": ("models", "--missing"),
    "results": ("results", str(SMOKE.parent)),
    "plan": ("plan", str(ROOT / "configs" / "smoke.yaml")),
    "tasks": ("tasks", "ceval-valid_law"),
    "adoption": ("adoption", "report"),
}
OWN_LANGUAGE = {"results", "tasks"}
"""Commands whose ``--language`` chooses rows."""


def left(text: str) -> list[str]:
    """Runs of English words that are no names."""
    for name in NAMES:
        text = text.replace(name, " – ")
    return ENGLISH.findall(text)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_run_of_english_words_is_left(name: str) -> None:
    arguments = COMMANDS[name]
    option = "--lang" if arguments[0] in OWN_LANGUAGE else "--language"
    result = CliRunner().invoke(app, [*arguments, option, "zh"], env={"COLUMNS": "400"})
    assert result.exit_code == 0, result.output
    assert re.search("[\u4e00-\u9fff]", result.stdout)
    assert left(result.stdout) == []


def test_suites_and_own_tasks_are_described_in_chinese() -> None:
    text = CliRunner().invoke(app, ["tasks", "--lang", "zh"], env={"COLUMNS": "400"}).stdout
    # lm-eval's own descriptions below are theirs.
    assert left(text.partition("lm-eval 的任务")[0]) == []


def test_the_doctor_speaks_chinese() -> None:
    checks = [
        Check("disk for results", "ok", "67 GiB free at /a b/c"),
        Check("vLLM", "warn", "0.30, built for cuda, cannot be used: ImportError: x", "free some space"),
        Check("mirror", "bad", "/x is no folder", "correct HARNESS_MIRROR, mirror: or --mirror"),
    ]
    text = render(doctor_document(checks), language="zh")
    assert "/a b/c 可用空间 67 GiB" in text
    assert "0.30，cuda 版，无法使用：ImportError: x" in text
    assert left(text) == []


def test_reasons_of_a_record_are_said_inside_each_other() -> None:
    reason = "a, b: all 3 tasks: failed: 2 of 4 items were not answered; the first reason: out of memory"
    said = reworded(reason.replace("2 of 4 items", "2 of 4 items"), "zh")
    assert said == "a, b：全部 3 项任务：失败：4 道题中有 2 道没有得到回答；首个原因：内存不足"
    assert reworded(reason, "en") == reason


def test_what_no_template_says_stays_as_it_is() -> None:
    for text in ("ValueError: a b: c", "qwen on fire", "", "{n} failed {", "2 failed and more"):
        assert reworded(text, "zh") == text
    table = Table.of("", keys("model"), [["out of memory"], [Message("out of memory")]])
    assert [row[0] for row in Document("", (table,)).in_language("zh").tables[0].texts] == [
        "out of memory",  # a model of that name is data
        "内存不足",
    ]


def test_a_message_inside_a_phrase_is_said_too() -> None:
    text = Phrase("{what}: {reason}", what="x", reason=Message("the clock did not move"))
    assert translated(text, "zh") == "x：时钟没有走动"


@cache
def written() -> str:
    """All string literals of the code and its data, blanks as ``{}``."""
    code = (line for file in (ROOT / "harness").rglob("*.py") for line in literals(file))
    files = (file for file in (ROOT / "harness" / "data").rglob("*.y*ml") if "texts" not in file.parts)
    return "\n".join([*code, *(" ".join(file.read_text().split()) for file in files)])


def literals(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_code_still_says_what_the_catalogue_translates() -> None:
    lost = []
    for template in catalogue("messages"):
        parts = (part.strip(" :;,.()") for part in re.split(r"\{\w+\}", template))
        # Sentences are put together from parts, at times in several lines.
        lost += [part for part in parts if len(part) > 3 and not is_written(part)]
    assert lost == []


def is_written(part: str) -> bool:
    words = part.split(" ")
    middle = max(1, len(words) // 2)
    halves = (" ".join(words[:middle]), " ".join(words[middle:]))
    return part in written() or any(half in written() for half in halves)


def test_lists_for_an_analyst_are_said_whole() -> None:
    """Days, facts not known, times, origins and advice with commands in backticks."""
    board = dict.fromkeys(
        ("board", "snapshots", "models", "methods", "intervals", "categories", "source"), "x"
    )
    with mock.patch(
        "harness.published.overview.snapshot_data", return_value=[board | {"first": 1, "last": 2}]
    ):
        headings = render(snapshots_document([]), "markdown", language="zh").splitlines()[0]
    assert "| 最早 | 最晚 |" in headings

    unknown = _cell("unknown", "maker, licence, release date unread")
    assert translated(unknown.text, "zh") == "厂商，许可，发布日期（未读原文）"
    assert unknown.text == unknown.value
    assert translated(duration_range(11, 23), "zh") == "11 s 至 23 s"
    assert translated(money_range(0.1, 0.2, "CNY"), "zh") == "¥0.10 至 ¥0.20"
    assert translated(Message("folder"), "zh") == "文件夹"
    for advice in (
        "`pip install 'open-weight-harness[modelscope]'`, then HARNESS_HUB=modelscope",
        "gated models (Llama, Gemma) need one: `hf auth login`, or HF_TOKEN",
        "tested with >=2: `pip install 'torch>=2'`",
        "only for engine: vllm: `pip install 'open-weight-harness[vllm]'`",
    ):
        assert re.search("[一-龥]", translated(Message(advice), "zh")), advice
