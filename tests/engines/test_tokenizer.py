"""Chat templates and encoding against lm-eval's, on the mirror's real tokenizers; no weights."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lm_eval.models.huggingface import HFLM

from harness.config.schema import ModelSpec
from harness.engines.files import ModelFiles
from harness.engines.tokenizer import ChatTemplate, TextEncoder, load_tokenizer
from harness.errors import ModelError

INSTRUCT = [
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen3-0.6B",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
    "meta-llama/Llama-3.2-1B-Instruct",
]
OTHERS = [
    "karpathy/stories260K",
    "openai-community/gpt2",
    "meta-llama/Llama-2-7b-hf",
    "THUDM/chatglm3-6b",
    "mistralai/Mistral-7B-Instruct-v0.3",
]
CHATS = [
    [{"role": "user", "content": "1+1等于几？"}],
    [{"role": "system", "content": "You are terse."}, {"role": "user", "content": "What is 1+1?"}],
    [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ],
    [{"role": "user", "content": "Question"}, {"role": "assistant", "content": "Answer:"}],
]


def _encoder(mirror: Path, name: str, thinking: bool | None = None) -> TextEncoder:
    folder = mirror / "models" / name
    return load_tokenizer(
        ModelSpec(id=name, thinking=thinking), ModelFiles(folder, None, "mirror", {}, "", folder)
    )


def _hflm(encoder: TextEncoder, **options: Any) -> HFLM:
    """lm-eval's class around a tokenizer alone."""
    hflm = HFLM.__new__(HFLM)
    hflm.tokenizer, hflm.chat_template_args, hflm.add_bos_token, hflm.custom_prefix_token_id = (
        encoder.raw,
        options,
        None,
        None,
    )
    hflm.backend = "causal"
    hflm._model = SimpleNamespace(config=None)
    return hflm


@pytest.mark.parametrize("name", INSTRUCT)
def test_chat_templates_equal_lm_evals(name: str, mirror: Path) -> None:
    for thinking in (None, False):
        encoder = _encoder(mirror, name, thinking)
        template = ChatTemplate(encoder, thinking)
        hflm = _hflm(encoder, **({} if thinking is None else {"enable_thinking": thinking}))
        for chat in CHATS:
            prompt = chat[-1]["role"] == "user"
            text = template(chat, prompt)
            assert text == hflm.apply_chat_template(chat, prompt)
            ids = encoder.encode([text])[text]
            assert ids == hflm.tok_encode(text)
            assert encoder.bos_id is None or ids.count(encoder.bos_id) <= 1


def test_thinking_changes_the_prompt(mirror: Path) -> None:
    encoder = _encoder(mirror, "Qwen/Qwen3-0.6B")
    on, off = ChatTemplate(encoder, True), ChatTemplate(encoder, False)
    assert on(CHATS[0]) != off(CHATS[0])


def test_a_template_that_refuses_a_system_message_gets_it_in_the_user_turn(mirror: Path) -> None:
    encoder = _encoder(mirror, "Qwen/Qwen2.5-0.5B-Instruct")
    encoder.raw.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "[{{ m.content }}]{% endfor %}"
    )
    chat = ChatTemplate(encoder)
    assert chat(CHATS[1]) == "[You are terse.\n\nWhat is 1+1?]"
    assert chat.adapted.folded
    assert not chat.adapted.lost
    # lm-eval loses the instruction
    assert _hflm(encoder).apply_chat_template(CHATS[1]) == "[What is 1+1?]"
    encoder.raw.chat_template = "{{ raise_exception('never') }}"
    with pytest.raises(ModelError, match="never"):
        ChatTemplate(encoder)(CHATS[1])


def test_a_tokenizer_without_a_template_says_so(mirror: Path) -> None:
    with pytest.raises(ModelError, match="no chat template"):
        ChatTemplate(_encoder(mirror, "karpathy/stories260K"))


@pytest.mark.parametrize("name", [*INSTRUCT, *OTHERS])
def test_pairs_equal_lm_evals(name: str, mirror: Path) -> None:
    encoder = _encoder(mirror, name)
    bos = encoder.raw.bos_token or encoder.raw.eos_token
    pairs = [
        ("Question: what?\nAnswer:", " Beijing"),
        ("Question: what?  ", "Beijing"),
        ("问题：首都？\n答案：", "北京"),
        ("ends with newline\n\n", "and goes on"),
        (f"{bos}starts with BOS", " yes"),
        ("a", "b"),
    ]
    hflm = _hflm(encoder)
    for pair, found in zip(pairs, encoder.pairs(pairs), strict=True):
        want = hflm._encode_pair(*pair)
        if want[1]:
            assert found == want, pair
        else:  # "a" and "b" are one token, on which lm-eval stops: the seam moves left
            assert found[0] in ([hflm.prefix_token_id], want[0][: len(found[0])])
            assert found[1] == hflm.tok_encode("ab")[-len(found[1]) :]
    (context, continuation), (_, rest) = encoder.pairs([("", " Hello there"), ("", bos + "Hello")])
    assert context == [hflm.prefix_token_id]
    assert continuation == hflm.tok_encode(" Hello there", add_special_tokens=False)
    assert encoder.prefix_id not in rest
