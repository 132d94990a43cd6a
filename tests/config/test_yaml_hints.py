"""Punctuation of a Chinese keyboard, curly quotes and missing spaces: said with their column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config.yaml_hints import SIGNS, text_hints
from harness.wording import listed_names

COLON = "a full-width colon '：'; YAML needs ': ' (colon and space)"


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("name：a\nmodels: [tiny-qwen]\n", "c.yaml:2:7: not valid YAML", f"(line 1, column 5: {COLON})"),
        (
            "name: a\nmodels：[tiny-qwen]\ntasks: [t]\n",
            "c.yaml:3:1: not valid YAML",
            f"(line 2, column 7: {COLON})",
        ),
        ("name: a\nmodels:\n  - preset：tiny-qwen\n", "c.yaml:3:5: unknown preset", f"(column 11: {COLON})"),
        (
            "name: a\nmodels: [tiny-qwen，tiny-llama]\n",
            "c.yaml:2:10: unknown preset",
            "(column 19: a full-width comma '，'; YAML needs ', ')",
        ),
        (
            "name: a\nmodels: [“tiny-qwen”]\n",
            "c.yaml:2:10: unknown preset",
            "(column 10: a curly quote '“'; YAML needs '\"')",
        ),
        (
            "name: a\nmodels:\n　- tiny-qwen\n",
            "c.yaml:4:1: not valid YAML",
            "(line 3, column 1: a full-width space '\\u3000'; YAML needs plain spaces)",
        ),
        (
            "name: a\nmodels: 【tiny-qwen】\n",
            "c.yaml:2:9: models: expected a list",
            "(column 9: a full-width bracket '【'; YAML needs '[')",
        ),
        (
            "name:a\nmodels: [tiny-qwen]\n",
            "c.yaml:2:7: not valid YAML",
            "(line 1, column 6: a space is missing behind the colon: write 'name: a')",
        ),
        (
            "name: a\nmodels: [{preset: tiny-qwen, dtype:float32}]\n",
            "c.yaml:2:30: unknown key 'dtype:float32'",
            "(column 36: a space is missing behind the colon: write 'dtype: float32')",
        ),
    ],
)
def test_a_mistake_says_what_its_line_has(
    write: Callable[..., Path],
    mistakes: Callable[..., list[str]],
    text: str,
    line: str,
    hint: str,
) -> None:
    lines = mistakes(write(text))
    assert any(one.startswith(line) and one.endswith(hint) for one in lines), lines


def test_a_full_width_sign_in_set_is_said(
    write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    config = write("name: a\nmodels: [tiny-qwen]\n")
    (line,) = mistakes(config, "limit＝5")
    assert line.endswith("(a full-width equals sign '＝'; YAML needs '=')")


def test_text_is_no_punctuation() -> None:
    """Quotes, comments, addresses and Chinese sentences hold such signs rightly."""
    for text in (
        'system_prompt: "你好：请回答，谢谢"',
        "name: a  # 说明：一，二",
        "base_url: http://localhost:8000/v1",
        "system_prompt: 请选择：只答字母",
        "id: C:/models/x",
    ):
        assert list(text_hints(text, ["name", "id", "base_url", "system_prompt"])) == [], text


def test_every_sign_is_looked_for() -> None:
    for sign in SIGNS:
        assert [column for column, _ in text_hints(f"a{sign}b", [])] == [2]


def test_lists_of_the_command_line_take_chinese_commas() -> None:
    assert listed_names("svg，png、 html,json") == ["svg", "png", "html", "json"]
