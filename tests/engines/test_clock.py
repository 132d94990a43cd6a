"""Chat templates that tell the model today's date are told a pinned one, so that a prompt is the
same on every day.
"""

from __future__ import annotations

import datetime

import pytest
from support.parity import MIRROR

from harness.config.schema import ModelSpec
from harness.engines.tokenizer import ChatTemplate, read_tokenizer

QUESTION = [{"role": "user", "content": "你好"}]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "Today Date: 31 Jan 2026"),
        ("meta-llama/Llama-3.2-1B-Instruct", "Today Date: 31 Jan 2026"),
        ("openai/gpt-oss-20b", "Current date: 2026-01-31"),
    ],
)
def test_a_dated_template_is_told_the_pinned_day(name: str, told: str) -> None:
    folder = MIRROR / "models" / name
    if not folder.is_dir():
        pytest.skip(f"no mirror of real tokenizers at {MIRROR}: set HARNESS_MIRROR")
    encoder = read_tokenizer(ModelSpec(id=name), folder)
    if not encoder.raw.chat_template:
        pytest.skip(f"the mirror's {name} has no chat template")

    pinned = ChatTemplate(encoder, date=datetime.date(2026, 1, 31))
    assert pinned(QUESTION).count(told) == 1
    assert pinned(QUESTION) != ChatTemplate(encoder, date=datetime.date(2026, 2, 1))(QUESTION)


def test_a_template_without_a_clock_is_what_it_was() -> None:
    folder = MIRROR / "models" / "Qwen/Qwen2.5-0.5B-Instruct"
    if not folder.is_dir():
        pytest.skip(f"no mirror of real tokenizers at {MIRROR}: set HARNESS_MIRROR")
    encoder = read_tokenizer(ModelSpec(id="Qwen/Qwen2.5-0.5B-Instruct"), folder)
    assert ChatTemplate(encoder, date=datetime.date(2026, 1, 31))(QUESTION) == ChatTemplate(encoder)(QUESTION)
