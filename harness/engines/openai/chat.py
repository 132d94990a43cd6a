"""Chats as messages: lm-eval hands prompts on as one text, so the messages travel in it as JSON (as
in lm-eval's own API models).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.engines.protocol import Message


class Messages:
    """Renders a chat as JSON text; the endpoint's own template makes the prompt of it."""

    def __call__(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> str:
        """``{"messages": […]}``.

        Without ``add_generation_prompt`` the last message is the assistant's and is to be
        continued.
        """
        return json.dumps(
            {"messages": [{"role": one["role"], "content": one["content"]} for one in messages]},
            ensure_ascii=False,
        )


def messages_of(prompt: str) -> list[dict[str, Any]]:
    """The messages in a prompt that `Messages` rendered.

    Any other text is one message of the user's.
    """
    if prompt.startswith('{"messages": ['):
        try:
            messages = json.loads(prompt)["messages"]
        except ValueError:
            return [{"role": "user", "content": prompt}]
        return list(messages)
    return [{"role": "user", "content": prompt}]
