"""The number that a free answer to a word problem gives."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from harness.config.schema import TaskEntry
from harness.items import Generation
from harness.tasks import DataSources, PromptStyle, expand, load
from harness.tasks.reading import read_number
from harness.tasks.reading.numerals import chinese, english

ROWS = yaml.safe_load((Path(__file__).parent / "numbers.yaml").read_text(encoding="utf-8"))
PLAIN = PromptStyle()


@pytest.mark.parametrize(("text", "number"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_the_number_given(text: str, number: str | None) -> None:
    reading = read_number(text)
    assert reading.value == number, str(reading)


def test_chinese_numerals_are_read_back() -> None:
    """Every number below 20,000 as a person writes it."""
    digits = "零一二三四五六七八九"

    def section(number: int) -> str:
        text, zero = "", False
        for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            figure = number // unit % 10
            if figure:
                text += ("零" if zero and text else "") + digits[figure] + name
            zero = not figure
        return text

    def written(number: int) -> str:
        if number >= 10000:
            rest = number % 10000
            return (
                section(number // 10000)
                + "万"
                + ("零" if 0 < rest < 1000 else "")
                + (section(rest) if rest else "")
            )
        return section(number)

    assert all(chinese(written(number)) == number for number in range(1, 20_000))
    assert chinese("十五") == 15


def test_english_numerals() -> None:
    said = {
        "seven": 7,
        "twenty one": 21,
        "ninety-nine": 99,
        "three hundred and five": 305,
        "two thousand forty": 2040,
        "a hundred": 100,
    }
    assert {text: english(text) for text in said} == said
    assert english("two three") is None


@pytest.mark.parametrize("name", ["en_word_problems", "zh_word_problems"])
@pytest.mark.parametrize(
    "saying",
    [
        "{n}",
        "答案是 {n}。",
        "The answer is {n}, and not 7.",
        r"\boxed{{{n}}} (of 99)",
        "1 + 1 ……答案：{n}个。\n",
        "{wide}",
    ],
)
def test_a_server_that_is_right_scores_one(name: str, saying: str) -> None:
    task = load(expand([TaskEntry(task=name)], limit=None, base_dir=Path()).tasks[0], DataSources())
    items = list(task.items(PLAIN, 25))
    targets = [
        sample.target
        for sample in task.mark(
            {item.key: Generation(item.key, "", "eos") for item in items}, PLAIN, 25
        ).samples
    ]
    said = {
        item.key: Generation(
            item.key, saying.format(n=right, wide="".join(chr(ord(digit) + 0xFEE0) for digit in right)), "eos"
        )
        for item, right in zip(items, targets, strict=True)
    }
    marks = task.mark(said, PLAIN, 25)
    assert [metric.value for metric in marks.metrics] == [1.0]
    assert all(sample.reading for sample in marks.samples)


@pytest.mark.parametrize(
    "text", ["1" * 20_000, "一" * 20_000, "1 000 " * 4000, "1e5" * 4000, r"\frac{1}" * 3000, "1:" * 9000]
)
def test_a_model_that_repeats_itself_is_read_in_time(text: str) -> None:
    start = time.perf_counter()
    read_number(text)
    assert time.perf_counter() - start < 5
