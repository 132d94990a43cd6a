"""Generation settings of a task, in lm-eval's words and in ours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from harness.items import Sampling
from harness.tasks.api import PromptStyle

_MAX_TOKENS = 256
"""What lm-eval's HFLM generates where a task says nothing."""


@dataclass(frozen=True)
class GenerationBudget:
    """Generation settings of a task under a style."""

    max_tokens: int
    stop: tuple[str, ...]
    sampling: Sampling


def budget(kwargs: dict[str, Any], style: PromptStyle) -> GenerationBudget:
    """lm-eval's generation settings as ours, following its ``normalize_gen_kwargs``.

    Aliases count by its priority, and generation is greedy unless the task samples.
    """
    aliases = (
        kwargs.get(name) for name in ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
    )
    tokens = style.max_new_tokens or next((int(value) for value in aliases if value is not None), _MAX_TOKENS)

    until = kwargs.get("until") or []
    stop = tuple(text for text in ([until] if isinstance(until, str) else until) if text)

    # do_sample decides where it is set; else a temperature above 0 does.
    temperature = float(kwargs.get("temperature") or 0.0)
    sampled = kwargs.get("do_sample")
    if sampled is None:
        sampled = temperature > 0
    elif sampled and "temperature" not in kwargs:
        temperature = 1.0  # transformers' own default, which lm-eval leaves in place

    repetition = kwargs.get("repetition_penalty")
    penalty = float(repetition) if repetition else None

    if not sampled or temperature == 0:
        return GenerationBudget(tokens, stop, Sampling(repetition_penalty=penalty))
    top_p, top_k = float(kwargs.get("top_p") or 1.0), int(kwargs.get("top_k") or 0)
    return GenerationBudget(tokens, stop, Sampling(temperature, top_p, max(top_k, 0), penalty))


_UNDERSTOOD = frozenset(
    (
        *("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens", "until", "do_sample"),
        *("temperature", "top_p", "top_k", "repetition_penalty"),
    )
)
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "num_beams": (1,),
    "num_beam_groups": (1,),
    "num_return_sequences": (1,),
    "n": (1,),
    "min_p": (0,),
    "typical_p": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "no_repeat_ngram_size": (0,),
    "length_penalty": (0, 1),
}
"""Settings of other engines' that change nothing at these values."""
_NO_MATTER = frozenset(
    {
        "early_stopping",
        "use_cache",
        "pad_token_id",
        "return_dict_in_generate",
        "output_scores",
        "skip_special_tokens",
    }
)


def ignored_settings(kwargs: dict[str, Any]) -> list[str]:
    """Generation settings of a task that no engine here follows, as ``name: value``.

    Answers are generated without them.
    """
    return [
        f"{name}: {value}"
        for name, value in kwargs.items()
        if name not in _UNDERSTOOD | _NO_MATTER and value is not None and value not in _NEUTRAL.get(name, ())
    ]


def item_seed(seed: int, doc_id: int, repeat: int) -> int:
    """A seed of its own for each answer, the same in every run: 31 bits."""
    digest = hashlib.sha256(f"{seed}:{doc_id}:{repeat}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
