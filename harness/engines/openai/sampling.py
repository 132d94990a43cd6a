"""How the next token is to be chosen, said in full: a server fills whatever a request leaves out
from the checkpoint's own settings.

vLLM and SGLang take what is missing from ``generation_config.json`` (top_p 0.8, top_k 20,
repetition_penalty 1.05 for many a Qwen), newer llama.cpp from the GGUF file. So neutral values are
sent as well. Off is -1 for top_k: vLLM and llama.cpp take 0 too, SGLang does not; an endpoint that
wants 0 is given 0 after its first refusal.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from harness.items import Completion

TOP_K_OFF = -1
NEUTRAL: dict[str, frozenset[float]] = {
    "temperature": frozenset({1.0}),
    "top_p": frozenset({1.0}),
    "top_k": frozenset({0, -1}),
    "min_p": frozenset({0.0}),
    "presence_penalty": frozenset({0.0}),
    "frequency_penalty": frozenset({0.0}),
    "repetition_penalty": frozenset({1.0}),
    "repeat_penalty": frozenset({1.0}),
}
"""The sampling fields of the wire format, vLLM's and llama.cpp's, with the values that change
nothing.
"""
ONLY_DRAWN = frozenset({"top_p", "top_k", "min_p", "seed"})
"""Fields that cannot change a greedy answer."""
CUT_HERE = frozenset({"stop"})
"""Fields that an answer does not depend on: stop texts are cut here in any case."""
OURS = frozenset(NEUTRAL) | {"seed", "stop"}
"""Fields that a refusal may name and that are then left out."""
HEEDING = {"vllm": "vLLM", "sglang": "SGLang", "llamacpp": "llama.cpp", "organization_owner": "LM Studio"}
"""Software by its ``owned_by`` that is known to heed every one of these fields."""
OLLAMA = "library"
"""Ollama's ``owned_by``.

Its OpenAI format knows neither top_k nor a penalty of repetition: those are the Modelfile's, or 40
and 1.1.
"""
_UNHEEDED = ("repetition_penalty", "top_k", "min_p")
_TEMPLATES = frozenset({"vllm", "sglang", "llamacpp"})
"""Software that heeds ``chat_template_kwargs`` and continues an assistant's message."""
_REPEAT = frozenset({"llamacpp", "organization_owner"})


def sampling_fields(item: Completion, owner: str | None, off: int) -> dict[str, Any]:
    """The fields for one item.

    ``owner``: the software, as ``owned_by`` tells it; ``off``: its word for no top_k.
    """
    sampling = item.sampling
    drawn = sampling.temperature > 0
    penalty = 1.0 if sampling.repetition_penalty is None else sampling.repetition_penalty
    fields: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p if drawn else 1.0,
        "top_k": sampling.top_k if drawn and sampling.top_k > 0 else off,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": penalty,
    }

    if owner in _REPEAT:
        fields["repeat_penalty"] = penalty  # llama.cpp's own name for it
    if drawn:
        fields["seed"] = sampling.seed % 2**31
    return fields


def is_neutral(name: str, value: Any) -> bool:
    """Whether a field's value is the one that changes nothing."""
    return isinstance(value, int | float) and value in NEUTRAL.get(name, ())


def matters(name: str, drawn: bool) -> bool:
    """Whether a field left out may change an answer."""
    return name not in CUT_HERE and (drawn or name not in ONLY_DRAWN)


def unheeded(owner: str | None, drawn: bool) -> tuple[str, ...]:
    """The fields that the server is known not to look at, as far as they matter."""
    return tuple(name for name in _UNHEEDED if matters(name, drawn)) if owner == OLLAMA else ()


def unconfirmed(owner: str | None, drawn: bool, form: Collection[str] = ()) -> tuple[str, ...]:
    """The fields that nobody knows whether the server looks at, as far as they matter.

    They are those beyond OpenAI's own format. ``form``: fields for the server's template that were
    sent.
    """
    fields = (
        [] if owner in HEEDING or owner == OLLAMA else [name for name in _UNHEEDED if matters(name, drawn)]
    )
    return (*fields, *(() if owner in _TEMPLATES else form))
