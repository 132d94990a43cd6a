"""A chat template as its file says it, rendered without a tokenizer, so that a plan can look at it
before anything is loaded.

Jinja is set up as in transformers (``utils/chat_template_utils.py``); a test holds the prompts to
those of the tokenizer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.engines.protocol import Message

SWITCHES: dict[str, dict[bool, Any]] = {
    "enable_thinking": {True: True, False: False},
    "thinking": {True: True, False: False},
    "thinking_budget": {False: 0},
}
"""Names under which templates ask whether to think, and what to tell them: Qwen3, GLM-4.5, Hunyuan,
EXAONE 4 and SmolLM3 the first, DeepSeek-V3.1 and Granite the second, Seed-OSS the third (0 tokens
of thought).
"""
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


def switches_of(source: str) -> tuple[str, ...]:
    """The switches that a template's text reads."""
    return tuple(name for name in SWITCHES if re.search(rf"(?<![\w.'\"]){name}(?![\w'\"])", source))


def thinking_options(source: str, thinking: bool | None) -> dict[str, Any]:
    """What is handed to a template so that its model thinks or does not.

    Nothing where the config says nothing.
    """
    if thinking is None:
        return {}
    settings = {name: SWITCHES[name][thinking] for name in switches_of(source) if thinking in SWITCHES[name]}
    return {"enable_thinking": thinking} | settings


@dataclass(frozen=True)
class TemplateFile:
    """A template's text and the tokenizer's special tokens, which templates write."""

    source: str
    tokens: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    """Tokens that the tokenizer's files add to the vocabulary."""

    @classmethod
    def read(cls, folder: Path) -> TemplateFile | None:
        """From a tokenizer's folder; None where it holds no template that can be read."""
        config = _json(folder / "tokenizer_config.json")
        source = _source(folder, config)
        if source is None:
            return None

        named = _json(folder / "special_tokens_map.json") | config
        tokens = {
            key: _text(value) for key, value in named.items() if key.endswith("_token") and _text(value)
        }
        decoder = config.get("added_tokens_decoder")
        added = [_text(value) for value in decoder.values()] if isinstance(decoder, dict) else []
        return cls(source, tokens, tuple(added))

    def render(
        self, messages: Sequence[Message], *, add_generation_prompt: bool = True, **options: Any
    ) -> str:
        """The prompt.

        Raises jinja2's TemplateError where the template refuses, and whatever else its program
        raises.
        """
        # transformers defines both names in every template, as None where nothing is given.
        variables = {"tools": None, "documents": None, **self.tokens, **options}
        return str(
            self._compiled.render(
                messages=list(messages), add_generation_prompt=add_generation_prompt, **variables
            )
        )

    @cached_property
    def _compiled(self) -> Any:
        import jinja2.ext
        from jinja2.exceptions import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        def raise_exception(message: str) -> None:
            raise TemplateError(message)

        def tojson(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
            return json.dumps(value, ensure_ascii=ensure_ascii, **options)

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
        )
        environment.filters["tojson"] = tojson
        environment.globals["raise_exception"] = raise_exception
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        return environment.from_string(_GENERATION.sub("", self.source))


def _source(folder: Path, config: Mapping[str, Any]) -> str | None:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8", errors="replace")
    template = _json(folder / "chat_template.json").get("chat_template") or config.get("chat_template")
    if isinstance(template, list):
        named = {entry.get("name"): entry.get("template") for entry in template if isinstance(entry, dict)}
        template = named.get("default")
    return template if isinstance(template, str) and template else None


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _text(value: Any) -> str:
    """A token as its file writes it: a text, or a mapping with its content."""
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""
