"""Architectures that differ in the head, the cache or the mask, against the plain model.

The plain model gets one text at a time.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.items import Choice, Completion

from .conftest import STORIES

SMALL = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "initializer_range": 0.2,
}
MOE = {"num_local_experts": 4, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 48}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {},
    "qwen3": {},
    "mistral": {"sliding_window": 16},
    "gemma2": {"sliding_window": 16, "final_logit_softcapping": 5.0, "query_pre_attn_scalar": 16},
    "gemma3_text": {"sliding_window": 16, "query_pre_attn_scalar": 16},
    "cohere": {"logit_scale": 0.5},
    "granite": {"logits_scaling": 3.0},
    "glm": {"partial_rotary_factor": 0.5},
    "mixtral": MOE,
    "qwen3_moe": MOE | {"norm_topk_prob": True},
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 256},
    "gpt_neox": {},
    "mamba": {"state_size": 8, "expand": 2},
    "falcon_h1": {
        "mamba_d_ssm": 64,
        "mamba_n_heads": 4,
        "mamba_d_head": 16,
        "mamba_d_state": 16,
        "mamba_n_groups": 1,
        "mamba_chunk_size": 16,
    },
}
PAIRS = [
    ("Once upon a time, there was", " a little girl named Lily."),
    ("Lily", " ran"),
    ("The dog saw a big red ball in the park. " * 3 + "He", " ran to it and was very happy."),
    ("One day", " x"),
]


def _folder(kind: str, mirror: Path, tmp_path: Path) -> Path:
    folder = tmp_path / kind
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": kind} | SMALL | ARCHITECTURES[kind]))
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(mirror / "models" / STORIES / name, folder / name)
    return folder


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_scores_and_texts_equal_the_plain_models(kind: str, mirror: Path, tmp_path: Path) -> None:
    engine: Any = open_engine(
        ModelSpec(id=str(_folder(kind, mirror, tmp_path)), weights="random", dtype="float32", seed=3),
        device="cpu",
    )
    model = engine._model
    answers = {
        answer.key: answer
        for answer in engine.score([Choice(str(n), (pair,)) for n, pair in enumerate(PAIRS)])
    }

    with torch.inference_mode():
        for n, (context, continuation) in enumerate(engine.encoder.pairs(PAIRS)):
            logits = model(torch.tensor([context + continuation])).logits[0].float().log_softmax(-1)
            expected = sum(
                float(logits[len(context) - 1 + index, token]) for index, token in enumerate(continuation)
            )
            assert answers[str(n)].logprobs[0] == pytest.approx(expected, abs=1e-4 * len(continuation))

        # Answers of various lengths, so that rows leave while others go on.
        items = [
            Completion(str(n), context, (), 24 - 5 * n, ignore_eos=True)
            for n, (context, _) in enumerate(PAIRS)
        ]
        texts = {answer.key: answer.text for answer in engine.generate(items)}
        for item in items:
            ids = engine.encoder.encode([item.prompt])[item.prompt]
            for _ in range(item.max_tokens):
                ids = [*ids, int(model(torch.tensor([ids])).logits[0, -1].argmax())]
            assert texts[item.key] == engine.encoder.decode(ids[-item.max_tokens :]), item
    engine.close()
