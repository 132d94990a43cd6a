"""What ``engine_args`` may say to the openai engine, and where its key comes from."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator

from harness.config.schema import ModelSpec
from harness.engines.options import EngineOptions
from harness.errors import ModelError

DEFAULT_KEY = "OPENAI_API_KEY"
Api = Literal["chat", "completions"]
_OURS = ("model", "messages", "prompt", "stream", "n", "best_of", "echo", "logprobs", "prompt_logprobs")
"""Fields that decide what is asked and in what form it is answered: not for extra_body."""


class Settings(EngineOptions):
    """How to talk to an endpoint. Seconds, requests, tokens.

    Messages never show a value: it might be a key.
    """

    model_config = ConfigDict(hide_input_in_errors=True)
    not_in_identity: ClassVar[frozenset[str]] = frozenset(
        {
            "concurrency",
            "timeout",
            "stream",
            "retries",
            "backoff",
            "max_wait",
            "requests_per_minute",
            "tokens_per_minute",
        }
    )

    api: Literal["auto", "chat", "completions"] = Field(
        "auto", description="auto: completions where a tokenizer is named or chat_template is off, else chat."
    )
    stream: bool = Field(
        True, description="Ask for generated answers as streams, which tells when their first token came."
    )
    concurrency: int = Field(16, ge=1, le=1024, description="Requests in flight at most.")
    timeout: float = Field(600, gt=0, description="Seconds that a whole answer may take.")
    retries: int = Field(6, ge=0, le=100, description="How often a request is tried again.")
    backoff: float = Field(
        0.5, gt=0, description="Seconds before the first repetition; each later one waits twice as long."
    )
    max_wait: float = Field(
        120,
        gt=0,
        description="Longest wait before a repetition; a longer Retry-After ends the run of this model.",
    )
    requests_per_minute: float | None = Field(None, gt=0, description="Requests a minute at most.")
    tokens_per_minute: float | None = Field(
        None, gt=0, description="Prompt and generated tokens a minute at most."
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="Fields added to each request, e.g. {reasoning_effort: low}."
    )
    omit: tuple[str, ...] = Field(
        (), description="Fields left out of each request because the endpoint refuses them (seed, stop …)."
    )
    max_stops: int = Field(
        4, ge=0, description="Stop texts sent with a request; all of them are cut here in any case."
    )

    @field_validator("extra_body")
    @classmethod
    def _no_form(cls, value: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in _OURS if name in value]
        if names:
            raise ValueError(f"{names[0]} is decided here; take it out")
        return value

    def api_for(self, spec: ModelSpec) -> Api:
        """Messages to ``/chat/completions``, or text that was rendered here to ``/completions``."""
        if self.api != "auto":
            return self.api
        return "completions" if spec.tokenizer or not spec.chat_template else "chat"


def read_key(spec: ModelSpec) -> str | None:
    """The key, from the environment variable that ``api_key_env`` names.

    None where the default one is not set: local servers need none. Raises ModelError where a
    variable was named and is not set.
    """
    key = os.environ.get(spec.api_key_env or DEFAULT_KEY, "").strip()

    if not key and spec.api_key_env:
        raise ModelError(
            f"{spec.label}: api_key_env names {spec.api_key_env}, which is not set; export it, "
            "or take api_key_env out"
        )
    return key or None
