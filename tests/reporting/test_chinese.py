"""In Chinese no note of our own stays English; what a run says of itself is data and does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.runs import ROOT
from typer.testing import CliRunner

from harness.cli.main import app

SMOKE = str(ROOT / "results" / "recorded" / "smoke")
VOTES = "model_a,model_b,winner\na,b,model_a\na,b,model_b\nb,a,tie\n"
ENGLISH = re.compile(r"\b(the|of|are|is|asked|with|answers)\b")


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--language", "zh"], env={"COLUMNS": "4000"})
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", SMOKE),
        ("plan", str(ROOT / "configs" / "smoke.yaml")),
        ("models", "--family", "qwen2.5"),
        ("published", "list"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_english_stays(arguments: tuple[str, ...]) -> None:
    assert [line for line in shown(*arguments).splitlines() if ENGLISH.search(line)] == []


def test_reasons_of_a_run_are_data_and_their_heads_are_not() -> None:
    lines = [line for line in shown("report", SMOKE, "--costs").splitlines() if ENGLISH.search(line)]
    assert all(re.match("(MFU|焦耳|费用)：", line) for line in lines)


def test_the_arena(tmp_path: Path) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text(VOTES, encoding="utf-8")
    text = shown("arena", str(votes), "--bootstrap", "5")
    assert not ENGLISH.search(text)
    assert "对 3 场对战拟合 Bradley–Terry 模型；" in text


def test_which_form_was_asked_in_both_languages() -> None:
    english = CliRunner().invoke(app, ["report", SMOKE], env={"COLUMNS": "4000"}).stdout
    assert "perplexity of whole texts: zh_passages, en_passages." in english
    assert "整篇文本的困惑度：zh_passages, en_passages。" in shown("report", SMOKE)
