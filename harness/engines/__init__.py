"""Engines: who answers.

One protocol, one folder an engine; nothing heavy is imported before an engine is opened.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.choice import EngineChoice, automatic
from harness.engines.files import ModelFiles, model_identity, resolve_model
from harness.engines.protocol import Engine, EngineInfo, Message
from harness.errors import ModelError

__all__ = [
    "Engine",
    "EngineInfo",
    "Message",
    "ModelFiles",
    "chat_renderer",
    "engine_identity",
    "engine_name",
    "find_model",
    "open_engine",
    "resolve_model",
    "template_folder",
]

ChatRenderer = Callable[[list[Message], bool], str]
"""(messages, add_generation_prompt) -> the prompt."""


def engine_name(spec: ModelSpec, device: str = "auto", files: ModelFiles | None = None) -> str:
    """The engine that answers for this spec. Raises ModelError for one that this version does not
    have.

    ``auto`` is transformers until ``files`` are given: only then can it be said what vLLM makes of
    the model.
    """
    return _choose(spec, device, files).name


def _choose(spec: ModelSpec, device: str, files: ModelFiles | None) -> EngineChoice:
    if spec.engine == "auto" and files is not None:
        return automatic(spec, device, files.path)
    if spec.engine in ("auto", "transformers"):
        return EngineChoice("transformers", "named")
    if spec.engine in ("mock", "openai", "vllm"):
        return EngineChoice(spec.engine, "named")
    raise ModelError(
        f"{spec.label}: engine {spec.engine} is not in this version yet; use engine: transformers"
    )


def find_model(spec: ModelSpec, mirror: Path | None = None) -> ModelFiles:
    """The model's files, or, of an engine that has none (a mock, an endpoint), only what identifies
    it.

    Raises ModelError.
    """
    name = engine_name(spec)
    if name == "mock":
        return ModelFiles(Path(), None, "bundled", {}, model_identity(spec, spec.id, {}))
    if name == "openai":
        from harness.engines.openai.identity import served_model

        return served_model(spec, mirror)
    return resolve_model(spec, mirror)


def chat_renderer(spec: ModelSpec, files: ModelFiles, date: datetime.date | None = None) -> ChatRenderer:
    """What turns messages into a prompt: the tokenizer's chat template, or messages as they are for
    an endpoint that has its own.

    ``date`` is what a template is told that asks for today's; None is the clock's.

    Raises ModelError where the tokenizer has no chat template.
    """
    if engine_name(spec) == "openai":
        from harness.engines.openai.chat import Messages
        from harness.engines.openai.settings import Settings

        if Settings.of(spec).api_for(spec) == "chat":
            return Messages()
        if spec.tokenizer is None:
            raise ModelError(
                f"{spec.label}: plain completions of a chat need its template; name its tokenizer:, or say api: chat"
            )
    from harness.engines.tokenizer import ChatTemplate, load_tokenizer

    return ChatTemplate(load_tokenizer(spec, files), spec.thinking, date)


def template_folder(spec: ModelSpec, files: ModelFiles) -> Path | None:
    """Where the chat template that will be rendered here lies; None where a server renders its own,
    or the engine has none.
    """
    name = engine_name(spec)
    if name == "mock":
        return None
    if name == "openai":
        from harness.engines.openai.settings import Settings

        return (
            None if spec.tokenizer is None or Settings.of(spec).api_for(spec) == "chat" else files.tokenizer
        )
    return files.tokenizer


def open_engine(
    spec: ModelSpec, files: ModelFiles | None = None, device: str = "auto", mirror: Path | None = None
) -> Engine:
    """Loads the model and returns its engine. ``files`` default to `resolve_model`; a mock needs
    none.

    ``device``: auto, cpu, cuda or cuda:N. Raises ModelError (not found, corrupted, unknown engine)
    and OutOfMemoryError.
    """
    if engine_name(spec) == "mock":
        from harness.engines.mock import MockEngine

        return MockEngine(spec)
    if engine_name(spec) == "openai":
        from harness.engines.openai.engine import OpenAIEngine

        return OpenAIEngine(spec, files or find_model(spec, mirror))
    files = files or resolve_model(spec, mirror)
    choice = _choose(spec, device, files)
    if choice.name == "vllm":
        from harness.engines.vllm.engine import VllmEngine

        return VllmEngine(spec, files, device, choice.reason)
    from harness.engines.transformers.engine import TransformersEngine

    return TransformersEngine(spec, files, device, choice.reason)


def engine_identity(spec: ModelSpec, device: str = "auto", files: ModelFiles | None = None) -> dict[str, Any]:
    """What goes into the identity, known before the model is loaded: engine, versions, device
    kind, number format, attention.

    With ``files`` a dtype of auto on CUDA is told by the checkpoint, and an engine of auto by what
    vLLM can run; without, they stay open.
    """
    name = engine_name(spec, device, files)
    if name == "mock":
        from harness.engines.mock import mock_identity

        return mock_identity(spec)
    if name == "vllm":
        from harness.engines.vllm.identity import vllm_identity

        return vllm_identity(spec, device, files)
    if name == "openai":
        from harness.engines.openai.identity import endpoint_identity

        return endpoint_identity(spec)
    from harness.engines.transformers.identity import transformers_identity

    return transformers_identity(spec, device, files)
