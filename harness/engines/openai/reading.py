"""A choice of an answer as text: contents in parts, thoughts in fields of their own, reasons for an
end in every server's words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.engines.stopping import cut
from harness.items import Completion, Finish, ThinkTags, Tokens
from harness.thought_markers import KNOWN
from harness.thoughts import thought_words

THOUGHTS = ("reasoning", "reasoning_content", "thinking")
"""Where servers put a thought that they cut out: vLLM since 0.12 and OpenRouter the first,
DeepSeek, SGLang and llama.cpp the second.
"""
_ENDED = frozenset({"stop", "eos", "eos_token", "end_turn", "complete", "finished", "normal", "end"})
_STOPPED = frozenset({"stop_sequence"})
_CUT_OFF = frozenset(
    {"length", "max_tokens", "model_length", "max_output_tokens", "max_length", "token_limit"}
    | {"context_length_exceeded"}
)
_FILTERED = frozenset(
    {
        "content_filter",
        "content_filtered",
        "safety",
        "sensitive",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
    }
    | {
        "guardrail_intervened",
        "refusal",
        "moderation",
        "content_moderation",
        "risk_control",
        "error_toxic",
        "language",
    }
)
_CALLS = frozenset({"tool_calls", "function_call", "tool_use"})
_SILENT_PARTS = frozenset({"reference", "citation", "redacted_thinking", "reasoning.encrypted"})
"""Parts of a content that hold no text of the answer."""


@dataclass(frozen=True)
class ChoiceText:
    """What a choice holds: the text with its thought between its tags, and why it ended.

    ``ending``: the server's word for the end. ``thought``: whether there was one; ``refused``:
    whether the text stood in a field for refusals.
    """

    text: str
    finish: Finish
    ending: str
    thought: bool = False
    refused: bool = False


def choice_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one choice that was asked for.

    Raises ValueError where there is none, or where it is unclear which one is meant.
    """
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ValueError("an answer without choices")

    if len(choices) > 1:
        raise ValueError(
            f"an answer with {len(choices)} choices, where one was asked for (engine_args.extra_body: n?)"
        )
    if choices[0].get("index") not in (0, None):
        raise ValueError(
            f"an answer whose only choice has the index {choices[0]['index']!r}: another request's?"
        )
    return choices[0]


def choice_text(
    choice: Mapping[str, Any], item: Completion, stops: Sequence[str], output: int, budget: int
) -> ChoiceText:
    """The text and end of a choice; ``output`` of ``budget`` tokens were written.

    Raises ValueError where it has no text.
    """
    word = choice.get("finish_reason")
    ending = word.strip().lower() if isinstance(word, str) else ""
    message = choice.get("message")
    if isinstance(message, dict):
        content, thought, refused = _message(message, ending)
    else:
        content, thought, refused = _plain(choice.get("text")), "", False

    text, stopped = cut(_whole(content, thought, item.think, ending), stops, item.think)
    finish = _finish(ending, choice, stopped, 0 < budget <= output)
    return ChoiceText(text, finish, ending, bool(thought.strip()) or _thinks(content, item.think), refused)


def _finish(ending: str, choice: Mapping[str, Any], stopped: bool, used_up: bool) -> Finish:
    """Why an answer ended, in our words.

    Without ``stop_reason`` a stop text that the server cut away looks like an end of its own. An
    end that no server's word explains is unknown, unless the budget is used up.
    """
    if ending in _FILTERED:
        return "filter"
    if stopped or ending in _STOPPED:
        return "stop"
    if ending in _CUT_OFF:
        return "length"

    if ending in _ENDED:
        return "stop" if isinstance(choice.get("stop_reason"), str) else "eos"
    return "length" if used_up else "unknown"


def _thinks(content: str, think: ThinkTags | None) -> bool:
    """Whether a text holds a thought that is not blank; without tags of its own a model is known by
    the usual ones.
    """
    tags = think or KNOWN[0]
    # A closing marker alone tells that the server's template had opened the thought.
    opened = tags.opened or (tags.close in content and tags.open not in content)
    return bool(thought_words(content, replace(tags, opened=opened)))


def _plain(text: Any) -> str:
    if not isinstance(text, str):
        raise ValueError("an answer without text")
    return text


def _message(message: Mapping[str, Any], ending: str) -> tuple[str, str, bool]:
    """(content, thought, whether the content is a refusal's) of a chat's message."""
    content, inner = _parts(message.get("content"))
    thought = next((text for name in THOUGHTS if (text := "".join(_parts(message.get(name))))), "")
    thought = inner or thought or "".join(_parts(message.get("reasoning_details")))

    refusal = message.get("refusal")
    if not content and isinstance(refusal, str) and refusal:
        return refusal, thought, True
    if not content and (message.get("tool_calls") or message.get("function_call") or ending in _CALLS):
        raise ValueError("an answer that calls a tool instead of saying anything")
    if "content" not in message and not thought:
        raise ValueError("an answer without text")
    return content, thought, False


def _parts(content: Any) -> tuple[str, str]:
    """(text, thought) of a content that is a text, a part, a list of parts, or nothing.

    Raises ValueError for a part of another kind.
    """
    if content is None or isinstance(content, str):
        return content or "", ""
    if isinstance(content, list):
        pairs = [_parts(part) for part in content]
        return "".join(text for text, _ in pairs), "".join(thought for _, thought in pairs)
    if not isinstance(content, dict):
        raise ValueError(f"an answer whose content is no text but {type(content).__name__}")

    # Mistral's, OpenAI's and OpenRouter's words for the kinds of a part.
    kind = content.get("type", "text")
    if kind in ("text", "output_text"):
        return _plain(content.get("text")), ""
    if kind in ("thinking", "reasoning", "reasoning.text", "reasoning.summary", "summary_text"):
        inner = next(
            (
                content[name]
                for name in ("thinking", "reasoning", "text", "summary", "content")
                if content.get(name)
            ),
            None,
        )
        return "", "".join(_parts(inner))
    if kind == "refusal":
        return _plain(content.get("refusal")), ""
    if kind in _SILENT_PARTS:
        return "", ""
    raise ValueError(f"an answer whose content holds a part of type {kind!r}, which is no text")


def _whole(content: str, thought: str, think: ThinkTags | None, ending: str) -> str:
    """The text as the model wrote it, a thought that the server cut out put back.

    It stands between its tags again, since the reader looks for them. Where the config names no
    tags the thought is left away: nothing would know it as one.
    """
    if think is not None and not thought and think.close in content and think.open not in content:
        # the server's template had begun the thought, and nothing cut it out
        return think.open + content
    if not thought or think is None:
        return content

    # A thought that ran into the end of the budget stays open, as the model left it.
    ended = bool(content) or ending in _ENDED | _STOPPED
    return f"{think.open}{thought}{think.close if ended else ''}{content}"


def count(answer: Mapping[str, Any]) -> tuple[Tokens, bool]:
    """(tokens from ``usage``, whether they are whole).

    What the server read from its cache is shared, what it does not tell is 0. Thoughts are output:
    where a server leaves them out of ``completion_tokens`` (xAI, Gemini) its total has them.
    """
    usage = answer.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    prompt, output = _number(usage.get("prompt_tokens")), _number(usage.get("completion_tokens"))

    shared = min(_cached(usage), prompt or 0)
    written = (output or 0) + _thoughts_apart(usage, (prompt or 0) + (output or 0))
    tokens = Tokens(prompt or 0, (prompt or 0) - shared + max(0, written - 1), shared, written)
    return tokens, prompt is not None and output is not None


def _cached(usage: Mapping[str, Any]) -> int:
    """Prompt tokens read from the server's cache: OpenAI's, DeepSeek's or Moonshot's field."""
    details = usage.get("prompt_tokens_details")
    cached = _number(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    names = ("prompt_cache_hit_tokens", "cached_tokens")
    return cached or next((number for name in names if (number := _number(usage.get(name)))), 0)


def _thoughts_apart(usage: Mapping[str, Any], counted: int) -> int:
    """Tokens of a thought that the total has and ``completion_tokens`` has not."""
    details, total = usage.get("completion_tokens_details"), _number(usage.get("total_tokens"))
    thought = _number(details.get("reasoning_tokens")) if isinstance(details, Mapping) else None
    apart = 0 if total is None else total - counted
    return apart if apart > 0 and thought in (None, 0, apart) else 0


def _number(value: Any) -> int | None:
    """A count; None for anything that is none: text, a negative number, NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return int(value)
