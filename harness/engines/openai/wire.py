"""Items as request bodies, and answers back: chat completions and plain completions, with what servers add to OpenAI's format.

``top_k``, ``repetition_penalty``, ``ignore_eos``, ``chat_template_kwargs``, ``continue_final_message``, ``return_token_ids`` and
``stop_reason`` are vLLM's words, which SGLang and llama.cpp share in part; they are sent only where an item needs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.openai.chat import messages_of
from harness.engines.openai.settings import Settings
from harness.engines.stopping import cut
from harness.items import Completion, Finish, Generation, ThinkTags, Tokens

REASONING = ("reasoning", "reasoning_content")
"""Where servers put a thought that they cut out: vLLM since 0.12 and OpenRouter the first, DeepSeek, SGLang and llama.cpp the second."""


@dataclass(frozen=True)
class Prompt:
    """What is sent for an item: its text, or its token ids after truncation; ``budget`` tokens may be generated."""

    text: str
    ids: tuple[int, ...] | None
    budget: int
    truncated: int = 0


@dataclass(frozen=True)
class Dialect:
    """How one model's requests are written. ``budget_name``: newer hosted models ask for ``max_completion_tokens``."""

    spec: ModelSpec
    settings: Settings
    chat: bool
    budget_name: str = "max_tokens"

    @property
    def path(self) -> str:
        """The resource below base_url."""
        return "/chat/completions" if self.chat else "/completions"

    def body(self, item: Completion, prompt: Prompt) -> dict[str, Any]:
        """The request for one item."""
        body: dict[str, Any] = {"model": self.spec.id, self.budget_name: prompt.budget}
        body |= self._chat(item) if self.chat else {"prompt": list(prompt.ids) if prompt.ids is not None else prompt.text}
        body |= _sampling(item)
        # A stop text inside a thought is none: while a model may think, the answer is only cut here.
        stops = [stop for stop in item.stop if stop][: self.settings.max_stops] if item.think is None else []
        if stops:
            body["stop"] = stops
        if item.ignore_eos:
            body["ignore_eos"] = True
        if item.prompt_ids is not None:
            body["return_token_ids"] = True
        return self.finish(body)

    def finish(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the config adds and leaves out."""
        return {key: value for key, value in (body | self.settings.extra_body).items() if key not in self.settings.omit}

    def _chat(self, item: Completion) -> dict[str, Any]:
        messages = messages_of(item.prompt)
        body: dict[str, Any] = {"messages": messages}
        if messages[-1]["role"] == "assistant":
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        if self.spec.thinking is not None:
            body["chat_template_kwargs"] = {"enable_thinking": self.spec.thinking}
        return body


def _sampling(item: Completion) -> dict[str, Any]:
    """Sampling settings as far as they are not the wire format's defaults; the seed only where something is drawn."""
    sampling = item.sampling
    body: dict[str, Any] = {"temperature": sampling.temperature}
    if sampling.temperature > 0:
        body["seed"] = sampling.seed
        if sampling.top_p < 1:
            body["top_p"] = sampling.top_p
        if sampling.top_k > 0:
            body["top_k"] = sampling.top_k
    if sampling.repetition_penalty != 1.0:
        body["repetition_penalty"] = sampling.repetition_penalty
    return body


def choice_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one choice that was asked for. Raises ValueError where there is none."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("an answer without choices")
    return choices[0]


def read_generation(answer: Mapping[str, Any], item: Completion, prompt: Prompt, stops: Sequence[str]) -> Generation:
    """A generation from a chat's or a completion's answer. Raises ValueError where the answer has another shape."""
    choice = choice_of(answer)
    finish = choice.get("finish_reason")
    message = choice.get("message")
    text = _whole(message, item.think, finish) if isinstance(message, dict) else choice.get("text")
    if not isinstance(text, str):
        raise ValueError("an answer without text")
    text, stopped = cut(text, stops, item.think)
    ids = choice.get("token_ids")
    kept = tuple(ids) if isinstance(ids, list) and item.prompt_ids is not None else None
    return Generation(item.key, text, _finish(finish, choice, stopped), count(answer), prompt.truncated, seconds=0.0, output_ids=kept)


def _finish(said: Any, choice: Mapping[str, Any], stopped: bool) -> Finish:
    """Our three words. Without ``stop_reason`` a stop text that the server cut away looks like an end of its own."""
    if stopped or isinstance(choice.get("stop_reason"), str):
        return "stop"
    return "length" if said == "length" else "eos"


def _whole(message: Mapping[str, Any], think: ThinkTags | None, finish: Any) -> str:
    """The text as the model wrote it: a thought that the server cut out is put back between its tags, for the reader looks for them.

    Where the config names no tags the thought is left away: nothing would know it as one.
    """
    content = message.get("content") or ""
    if not isinstance(content, str):
        raise ValueError("an answer whose content is no text")
    thought = next((message[name] for name in REASONING if isinstance(message.get(name), str) and message[name]), "")
    if think is not None and not thought and think.close in content and think.open not in content:
        return think.open + content  # the server's template had begun the thought, and nothing cut it out
    if not thought or think is None:
        return content
    ended = bool(content) or finish != "length"
    return f"{think.open}{thought}{think.close if ended else ''}{content}"


def count(answer: Mapping[str, Any]) -> Tokens:
    """Tokens from ``usage``; what the server read from its cache is shared. Zeros where it tells nothing."""
    usage = answer.get("usage") or {}
    prompt, output = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    cached = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
    return Tokens(prompt, max(0, prompt - cached) + max(0, output - 1), cached, output)
