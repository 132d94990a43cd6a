"""Engines: who answers.

One protocol, one folder per engine; `harness.engines.registry` knows all of them. Nothing heavy is
imported before an engine is opened.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.backend import Backend, ChatRenderer
from harness.engines.choice import choose
from harness.engines.files import ModelFiles, resolve_model
from harness.engines.options import EngineOptions
from harness.engines.protocol import Engine, EngineInfo, Message
from harness.engines.registry import backend_of

__all__ = [
    "Backend",
    "ChatRenderer",
    "Engine",
    "EngineInfo",
    "EngineOptions",
    "Message",
    "ModelFiles",
    "backend_of",
    "chat_renderer",
    "engine_identity",
    "engine_name",
    "find_model",
    "open_engine",
    "resolve_model",
    "template_folder",
]


def engine_name(spec: ModelSpec, device: str = "auto", files: ModelFiles | None = None) -> str:
    """The engine that answers for this spec. Raises ModelError for one that is not there.

    ``auto`` is transformers until ``files`` are given: only then can it be said what vLLM makes of
    the model.
    """
    return choose(spec, device, files.path if files else None).name


def find_model(spec: ModelSpec, mirror: Path | None = None) -> ModelFiles:
    """The model's files, or only what identifies it where the engine has none here.

    Raises ModelError.
    """
    return backend_of(spec).find_files(spec, mirror)


def chat_renderer(spec: ModelSpec, files: ModelFiles, date: datetime.date | None = None) -> ChatRenderer:
    """What turns messages into a prompt.

    The tokenizer's chat template, or, for an endpoint that has its own, the messages as they are.
    ``date`` is what a template is told that asks for today's; None is the clock's.

    Raises ModelError where the tokenizer has no chat template.
    """
    return backend_of(spec).chat_renderer(spec, files, date)


def template_folder(spec: ModelSpec, files: ModelFiles) -> Path | None:
    """Where the chat template that will be rendered here lies.

    None where a server renders its own, or the engine has none.
    """
    return backend_of(spec).template_folder(spec, files)


def open_engine(
    spec: ModelSpec, files: ModelFiles | None = None, device: str = "auto", mirror: Path | None = None
) -> Engine:
    """Loads the model and returns its engine. ``files`` default to `find_model`'s.

    ``device``: auto, cpu, cuda or cuda:N. Raises ModelError (not found, corrupted, unknown engine)
    and OutOfMemoryError.
    """
    files = files or find_model(spec, mirror)
    choice = choose(spec, device, files.path)
    return choice.backend.open(spec, files, choice.backend.device(device), choice.reason)


def engine_identity(spec: ModelSpec, device: str = "auto", files: ModelFiles | None = None) -> dict[str, Any]:
    """What goes into ``engine_id``, known before the model is loaded.

    Engine, versions, device kind, number format, and the options that decide an answer. With
    ``files`` a dtype of auto on CUDA is the checkpoint's, and an engine of auto is what vLLM can
    run; without, they stay open.
    """
    choice = choose(spec, device, files.path if files else None)
    return choice.backend.identity(spec, choice.backend.device(device), files)
