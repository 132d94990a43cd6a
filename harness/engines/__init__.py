"""Engines: who answers. One protocol, one folder an engine; nothing heavy is imported before an engine is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.choice import EngineChoice, automatic
from harness.engines.files import ModelFiles, resolve_model
from harness.engines.protocol import Engine, EngineInfo, Message
from harness.errors import ModelError

__all__ = ["Engine", "EngineInfo", "Message", "ModelFiles", "engine_identity", "engine_name", "open_engine", "resolve_model"]


def engine_name(spec: ModelSpec, device: str = "auto", files: ModelFiles | None = None) -> str:
    """The engine that answers for this spec. Raises ModelError for one that this version does not have.

    ``auto`` is transformers until ``files`` are given: only then can it be said what vLLM makes of the model.
    """
    return _choose(spec, device, files).name


def _choose(spec: ModelSpec, device: str, files: ModelFiles | None) -> EngineChoice:
    if spec.engine == "auto" and files is not None:
        return automatic(spec, device, files.path)
    if spec.engine in ("auto", "transformers"):
        return EngineChoice("transformers", "named")
    if spec.engine in ("mock", "vllm"):
        return EngineChoice(spec.engine, "named")
    raise ModelError(f"{spec.label}: engine {spec.engine} is not in this version yet; use engine: transformers")


def open_engine(spec: ModelSpec, files: ModelFiles | None = None, device: str = "auto", mirror: Path | None = None) -> Engine:
    """Loads the model and returns its engine. ``files`` default to `resolve_model`; a mock needs none.

    ``device``: auto, cpu, cuda or cuda:N. Raises ModelError (not found, corrupted, unknown engine) and OutOfMemoryError.
    """
    if engine_name(spec) == "mock":
        from harness.engines.mock import MockEngine

        return MockEngine(spec)
    files = files or resolve_model(spec, mirror)
    choice = _choose(spec, device, files)
    if choice.name == "vllm":
        from harness.engines.vllm.engine import VllmEngine

        return VllmEngine(spec, files, device, choice.reason)
    from harness.engines.transformers.engine import TransformersEngine

    return TransformersEngine(spec, files, device, choice.reason)


def engine_identity(spec: ModelSpec, device: str = "auto", files: ModelFiles | None = None) -> dict[str, Any]:
    """What goes into ``engine_id``, known before the model is loaded: engine, versions, device kind, number format, attention.

    With ``files`` a dtype of auto on CUDA is told by the checkpoint, and an engine of auto by what vLLM can run; without, they stay open.
    """
    name = engine_name(spec, device, files)
    if name == "mock":
        from harness.engines.mock import mock_identity

        return mock_identity(spec)
    if name == "vllm":
        from harness.engines.vllm.identity import vllm_identity

        return vllm_identity(spec, device, files)
    from harness.engines.transformers.identity import transformers_identity

    return transformers_identity(spec, device, files)
