"""Line-by-line encoding gives the ids of whole texts, for every tokenizer of the mirror that allows
it, and is off for the others.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from harness.engines.pieces import PieceEncoder

CUT = [
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen3-8B",
    "meta-llama/Llama-3.1-8B-Instruct",
    "deepseek-ai/DeepSeek-R1",
    "deepseek-ai/deepseek-llm-7b-base",
    "openai/gpt-oss-20b",
    "moonshotai/Kimi-K2-Instruct",
    "openai-community/gpt2",
]
WHOLE = [
    "meta-llama/Llama-2-7b-hf",
    "mistralai/Mistral-7B-Instruct-v0.3",
    "baichuan-inc/Baichuan-7B",
    "karpathy/stories260K",
]
BREAKS = ("\n", "\n\n", "\n\n\n", " \n", "\r\n", " ", "\t", "\u3000", "\u200d", "\x1c")
SIGNS = (".", "'s", "\u0301", "e\u0301", "é", "🙂", "<|im_end|>", "</s>", "<|end_of_text|>", "“", "_", "。")
PARTS = (*BREAKS, *SIGNS, "a", "Q ", "中", "1", "23", "1234567", "한", "Answer:", "A. ", "答案：")


def _load(name: str, mirror: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(mirror / "models" / name)


@pytest.mark.parametrize("name", CUT)
def test_lines_encode_as_whole_texts_do(name: str, mirror: Path) -> None:
    raw = _load(name, mirror)
    pieces = PieceEncoder(raw)
    assert pieces.usable
    draw = random.Random(11)
    texts = list(dict.fromkeys("".join(draw.choices(PARTS, k=draw.randint(0, 30))) for _ in range(1500)))
    for special in (True, False):
        found = pieces.encode(texts, special)
        whole = raw(texts, add_special_tokens=special)["input_ids"]
        assert [found[text] for text in texts] == whole


@pytest.mark.parametrize("name", CUT)
def test_real_prompts_encode_as_whole_texts_do(name: str, mirror: Path) -> None:
    raw = _load(name, mirror)
    shots = "以下是中国关于历史的单项选择题，请选出其中的正确答案。\n\n"
    shots += "1+1等于几？\nA. 1\nB. 2\nC. 3\nD. 4\n答案： B\n\n"
    texts = [f"{shots}{n}加一等于几？\nA. 1\nB. 2\n答案：{end}" for n in range(9) for end in ("", " A", " B")]
    texts += [
        f"Question: What's {n}?\nAnswer: it's {n}\n\nQuestion: Why?\nAnswer:{end}"
        for n in range(9)
        for end in ("", " so", "\nno")
    ]
    found = PieceEncoder(raw).encode(texts, special=True)
    assert [found[text] for text in texts] == raw(texts)["input_ids"]


@pytest.mark.parametrize("name", WHOLE)
def test_tokenizers_of_another_kind_are_left_alone(name: str, mirror: Path) -> None:
    assert not PieceEncoder(_load(name, mirror)).usable


def test_gpt2_is_not_cut_after_empty_lines(mirror: Path) -> None:
    pieces = PieceEncoder(_load("openai-community/gpt2", mirror))
    assert pieces.cut("a\nb\n\nc\n d\n\n") == ["a\n", "b\n\nc\n d\n\n"]
    assert PieceEncoder(_load(CUT[0], mirror)).cut("a\nb\n\nc\n d\n\n") == ["a\n", "b\n\n", "c\n d\n\n"]
