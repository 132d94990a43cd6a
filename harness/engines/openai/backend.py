"""The openai engine, registered: nothing is loaded, a server answers."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec, Speed
from harness.engines.backend import EVERYTHING, Ability, Backend, ChatRenderer
from harness.engines.files import ModelFiles
from harness.engines.openai.settings import Settings
from harness.engines.protocol import Engine
from harness.errors import ConfigError, ModelError


class OpenAIBackend(Backend):
    """Any endpoint that speaks OpenAI's wire format."""

    name = "openai"
    options = Settings
    source = "endpoint"

    def open(self, spec: ModelSpec, files: ModelFiles, device: str, reason: str) -> Engine:
        """Asks the endpoint whether it is there and what it can."""
        from harness.engines.openai.engine import OpenAIEngine

        return OpenAIEngine(spec, files)

    def find_files(self, spec: ModelSpec, mirror: Path | None) -> ModelFiles:
        """The model's name and host, and the files of the tokenizer where one is named."""
        from harness.engines.openai.identity import served_model

        return served_model(spec, mirror)

    def identity(self, spec: ModelSpec, device: str, files: ModelFiles | None) -> dict[str, Any]:
        """The host and the form of the requests."""
        from harness.engines.openai.identity import endpoint_identity

        return endpoint_identity(spec)

    def can(self, spec: ModelSpec) -> frozenset[Ability]:
        """Log-probabilities need the tokenizer here, and rows of ids instead of messages."""
        scores = spec.tokenizer is not None and Settings.of(spec).api_for(spec) != "chat"
        return EVERYTHING if scores else frozenset({"generate"})

    def chat_renderer(self, spec: ModelSpec, files: ModelFiles, date: datetime.date | None) -> ChatRenderer:
        """The messages as they are where the server renders them, else the tokenizer's template."""
        from harness.engines.openai.chat import Messages

        if Settings.of(spec).api_for(spec) == "chat":
            return Messages()
        if spec.tokenizer is None:
            raise ModelError(
                f"{spec.label}: plain completions of a chat need its template; name its "
                "tokenizer:, or say api: chat"
            )
        return super().chat_renderer(spec, files, date)

    def bench_args(self, spec: ModelSpec, device: str, speed: Speed) -> dict[str, Any]:
        """Room for all requests of the grid at once, and no second tries, whose waits would be
        measured.
        """
        if spec.tokenizer is None:
            raise ConfigError(
                f"{spec.label}: harness bench sends token ids of exact lengths: name the model's tokenizer: "
                "(hub id or folder); the latencies of real questions are those of harness run"
            )
        most = max((*speed.concurrency, speed.requests), default=1)
        return {"concurrency": most, **spec.engine_args, "retries": 0, "api": "completions"}

    def template_folder(self, spec: ModelSpec, files: ModelFiles) -> Path | None:
        """The named tokenizer's folder, unless the server renders its own template."""
        if spec.tokenizer is None or Settings.of(spec).api_for(spec) == "chat":
            return None
        return files.tokenizer
