"""Items as request bodies, and answers back: chat completions and plain completions, with what
servers add to OpenAI's format.

Everything that decides an answer is sent, neutral values too (see `sampling`). ``ignore_eos``,
``chat_template_kwargs``, ``continue_final_message``, ``return_token_ids`` and ``stop_reason`` are
vLLM's words, which SGLang and llama.cpp share in part; they are sent only where an item needs them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.folding import fold_system
from harness.engines.openai.chat import messages_of
from harness.engines.openai.lessons import Lesson
from harness.engines.openai.reading import ChoiceText, choice_of, choice_text, count
from harness.engines.openai.sampling import TOP_K_OFF, sampling_fields
from harness.engines.openai.settings import Settings
from harness.items import Completion, Generation

WIRE = 2
"""Version of what is sent for an item; a part of a cell's identity.

2: neutral sampling values are sent, too.
"""


@dataclass(frozen=True)
class Prompt:
    """What is sent for an item: its text, or its token ids after truncation.

    ``budget`` tokens may be generated.
    """

    text: str
    ids: tuple[int, ...] | None
    budget: int
    truncated: int = 0


@dataclass(frozen=True)
class Dialect:
    """How one model's requests are written.

    ``owner``: the software, as the endpoint tells it (``owned_by``). The rest is learned from
    refusals: ``budget_name``, since newer hosted models ask for ``max_completion_tokens``;
    ``top_k_off``, the value that means no top_k; ``refused``, fields left out; ``folded``, whether
    system messages go into the first user message. ``special_tags``: whether the model's think tags
    are special tokens, which servers leave out of a text unless asked not to. ``streams``: whether
    generated answers are asked for as streams; ``usage_option``: whether a stream is asked to end
    with its token counts.
    """

    spec: ModelSpec
    settings: Settings
    chat: bool
    budget_name: str = "max_tokens"
    owner: str | None = None
    top_k_off: int = TOP_K_OFF
    refused: frozenset[str] = frozenset()
    folded: bool = False
    special_tags: bool = False
    streams: bool = True
    usage_option: bool = True

    @property
    def path(self) -> str:
        """The resource below base_url."""
        return "/chat/completions" if self.chat else "/completions"

    def taught(self, lesson: Lesson) -> Dialect:
        """The dialect after a refusal."""
        return dataclasses.replace(
            self,
            budget_name=lesson.budget_name or self.budget_name,
            top_k_off=self.top_k_off if lesson.top_k_off is None else lesson.top_k_off,
            refused=self.refused | lesson.refused,
            folded=self.folded or lesson.folded,
            streams=self.streams and not lesson.whole,
            usage_option=self.usage_option and not lesson.no_usage_option,
        )

    def body(self, item: Completion, prompt: Prompt) -> dict[str, Any]:
        """The request for one item."""
        body: dict[str, Any] = {"model": self.spec.id, self.budget_name: prompt.budget}
        body |= (
            self._chat(item)
            if self.chat
            else {"prompt": list(prompt.ids) if prompt.ids is not None else prompt.text}
        )

        body |= sampling_fields(item, self.owner, self.top_k_off)
        # A stop text inside a thought is none: while a model may think, the answer is only cut
        # here.
        stops = [stop for stop in item.stop if stop][: self.settings.max_stops] if item.think is None else []
        if stops:
            body["stop"] = stops

        if item.think is not None and self.special_tags:
            body["skip_special_tokens"] = False
        if item.ignore_eos:
            body["ignore_eos"] = True
        if item.prompt_ids is not None:
            body["return_token_ids"] = True
        if self.streams and self.settings.stream:
            body["stream"] = True
            body |= {"stream_options": {"include_usage": True}} if self.usage_option else {}
        return self.finish(body)

    def finish(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the config adds and leaves out, and what the endpoint refuses."""
        fields = {key: value for key, value in body.items() if key not in self.refused}
        return {
            key: value
            for key, value in (fields | self.settings.extra_body).items()
            if key not in self.settings.omit
        }

    def _chat(self, item: Completion) -> dict[str, Any]:
        messages = messages_of(item.prompt)
        if self.folded:
            messages = fold_system(messages)
        body: dict[str, Any] = {"messages": messages}
        if messages[-1]["role"] == "assistant":
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        if self.spec.thinking is not None:
            body["chat_template_kwargs"] = {"enable_thinking": self.spec.thinking}
        return body


def read_choice(
    answer: Mapping[str, Any], item: Completion, prompt: Prompt, stops: Sequence[str]
) -> tuple[Generation, ChoiceText]:
    """The generation, and what else its choice tells.

    Raises ValueError where the answer has another shape.
    """
    choice = choice_of(answer)
    tokens, _ = count(answer)

    content = choice_text(choice, item, stops, tokens.output, prompt.budget)
    ids = choice.get("token_ids")
    output_ids = tuple(ids) if isinstance(ids, list) and item.prompt_ids is not None else None
    generation = Generation(
        item.key, content.text, content.finish, tokens, prompt.truncated, seconds=0.0, output_ids=output_ids
    )
    return generation, content
