"""A streamed answer put together: the same data as an answer in one piece, with the times of its
first and last token.

A chunk is no token: servers send several tokens in one, so counts come from ``usage`` alone. The
first token's time is that of the first chunk that holds text, a thought included; chunks with only a
role or an empty text hold none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.engines.openai.reading import THOUGHTS

_TEXTS = ("content", "text", "refusal", *THOUGHTS)
_HOLD_TOKENS = (*_TEXTS, "token_ids", "tool_calls", "function_call", "reasoning_details")
"""Fields of a delta that hold something that the model wrote."""
_LEFT_OUT = frozenset({"logprobs", "delta", "message", "usage"})


class Assembly:
    """Chunks of one answer, in order.

    ``first`` and ``last``: when the first and the last chunk with text came, by the clock that
    `add` is given. ``finished``: whether the server said why the answer ended.
    """

    def __init__(self) -> None:
        self.first: float | None = None
        self.last: float | None = None
        self.usage: dict[str, Any] | None = None
        self._fields: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    @property
    def finished(self) -> bool:
        """Whether every choice has the reason for its end."""
        return bool(self._choices) and all(one.get("finish_reason") for one in self._choices.values())

    def add(self, chunk: Mapping[str, Any], now: float) -> None:
        """Adds a chunk that came at ``now``. Raises ValueError for choices of another shape."""
        self._note_usage(chunk)
        self._fields |= {
            key: chunk[key] for key in ("id", "model", "system_fingerprint") if chunk.get(key) is not None
        }

        choices = chunk.get("choices") or []
        if not isinstance(choices, list):
            raise ValueError("a chunk whose choices are no list")
        for choice in choices:
            if not isinstance(choice, Mapping):
                raise ValueError("a chunk whose choice is no object")
            self._note_usage(choice)
            index = choice.get("index")
            self._merge_choice(index if isinstance(index, int) else 0, choice, now)

    def answer(self) -> dict[str, Any]:
        """The whole answer in the form that is not streamed."""
        answer = {**self._fields, "choices": [self._choices[index] for index in sorted(self._choices)]}
        return answer if self.usage is None else answer | {"usage": self.usage}

    def _note_usage(self, data: Mapping[str, Any]) -> None:
        """Counts stand in the last chunk, in its choice (Moonshot), or below ``x_groq``; where
        every chunk has some, they grow, and the last ones hold.
        """
        groq = data.get("x_groq")
        for usage in (data.get("usage"), groq.get("usage") if isinstance(groq, Mapping) else None):
            if isinstance(usage, Mapping):
                self.usage = dict(usage)

    def _merge_choice(self, index: int, choice: Mapping[str, Any], now: float) -> None:
        target = self._choices.setdefault(index, {"index": index, "finish_reason": None})
        delta = choice.get("delta")

        # Some servers repeat the whole message at the end: it counts only where nothing came before.
        if not isinstance(delta, Mapping) and "message" not in target:
            delta = choice.get("message")
        if isinstance(delta, Mapping):
            _merge(target.setdefault("message", {}), delta)
        own = {key: value for key, value in choice.items() if key not in _LEFT_OUT | {"index"}}
        _merge(target, own)

        if any(part.get(key) for part in (delta or {}, choice) for key in _HOLD_TOKENS):
            self.first = now if self.first is None else self.first
            self.last = now


def _merge(target: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Texts and lists grow, anything else is replaced by what is not null."""
    for key, value in delta.items():
        before = target.get(key)
        if value is None:
            target.setdefault(key, None)
        elif before is None or not (isinstance(value, list) or key in _TEXTS):
            target[key] = value
        elif isinstance(before, str) and isinstance(value, str):
            target[key] = before + value
        else:
            target[key] = [*_parts(before), *_parts(value)]


def _parts(value: Any) -> list[Any]:
    """A content as a list of parts (Mistral sends thoughts as parts, then the answer as texts)."""
    if isinstance(value, list):
        return value
    return [{"type": "text", "text": value}] if isinstance(value, str) else [value]
