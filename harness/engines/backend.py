"""What the rest of the harness asks of a kind of engine before, and without, opening one.

An engine is added by one `Backend`: a name, the options of ``engine_args``, and `Backend.open`.
Everything else has a default that is right for an engine that loads a model's files into this
process. docs/extending.md has a whole example.

A backend is imported whenever a config names it, also by ``harness plan`` and by reports, so its
module imports torch, vllm and the like only inside functions.
"""

from __future__ import annotations

import datetime
import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from harness.config.schema import ModelSpec, Speed
from harness.engines.files import ModelFiles, model_identity, resolve_model
from harness.engines.options import EngineOptions
from harness.engines.protocol import Engine, Message
from harness.errors import ConfigError, ModelError

ChatRenderer = Callable[[list[Message], bool], str]
"""(messages, add_generation_prompt) -> the prompt."""
Ability = Literal["score", "generate", "perplexity"]
"""A method of the `Engine` protocol that gives answers."""
EVERYTHING: frozenset[Ability] = frozenset({"score", "generate", "perplexity"})
_ASKED_BY: dict[str, Ability] = {"choice": "score", "completion": "generate", "passage": "perplexity"}
"""By a task's kind."""
Source = Literal["files", "endpoint", "nothing"]


class Backend(ABC):
    """One kind of engine. It holds no state: one instance serves every model of a run."""

    name: ClassVar[str]
    """What ``engine:`` says, and the name of the entry point."""
    options: ClassVar[type[EngineOptions]] = EngineOptions
    """What ``engine_args`` may say."""
    source: ClassVar[Source] = "files"
    """Where the model is: in files that are found or downloaded here, behind an endpoint (the
    config's ``base_url``), or nowhere.
    """
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    """Kinds of devices it runs on."""
    packages: ClassVar[tuple[str, ...]] = ()
    """Distributions whose versions its answers may depend on."""
    simulated: ClassVar[bool] = False
    """Nothing is computed, so that neither joules nor a machine's ceiling say anything."""
    caches_latents: ClassVar[bool] = False
    """Multi-head latent attention keeps the latent vectors, not keys and values, in its cache."""
    cpu_cache_bytes: ClassVar[int] = 0
    """Bytes of the cache that it takes on a CPU besides a model's own need."""

    why_automatic: ClassVar[str] = "it can run the model"
    """What is said where ``engine: auto`` takes it; see `why_not_automatic`."""

    @abstractmethod
    def open(self, spec: ModelSpec, files: ModelFiles, device: str, reason: str) -> Engine:
        """Loads the model.

        ``device``: auto, cpu, cuda or cuda:N. ``reason``: why this engine was taken, for the
        manifest. Raises ModelError (not found, corrupted, a wrong option) and OutOfMemoryError.
        """

    @property
    def loads_files(self) -> bool:
        """Whether a model's files are found, downloaded and hashed here."""
        return self.source == "files"

    @property
    def asks_endpoint(self) -> bool:
        """Whether a server answers, which may be another one tomorrow under the same name."""
        return self.source == "endpoint"

    def find_files(self, spec: ModelSpec, mirror: Path | None) -> ModelFiles:
        """The model's files, or only what identifies it where there are none here.

        Raises ModelError.
        """
        if self.loads_files:
            return resolve_model(spec, mirror)

        # Without files, the name and where it is asked are all that identifies a model.
        if self.asks_endpoint:
            host = urlsplit(spec.base_url or "").netloc
            name = f"{spec.id} at {host}, revision {spec.revision}"
            return ModelFiles(Path(), spec.revision, "endpoint", {}, model_identity(spec, name, {}))
        return ModelFiles(Path(), None, "bundled", {}, model_identity(spec, spec.id, {}))

    def identity(self, spec: ModelSpec, device: str, files: ModelFiles | None) -> dict[str, Any]:
        """The engine's part of a cell's identity, known before the model is loaded.

        Answers are taken from a journal only under an equal identity, so whatever may change an
        answer belongs in here, and nothing that changes from run to run.
        """
        return {
            "engine": self.name,
            "versions": self.versions(),
            "device": self.device_kind(device),
            "dtype": spec.dtype,
            "options": self.options.of(spec).in_identity(),
        }

    def device(self, device: str) -> str:
        """The device it is opened on where a run is on ``device``: the CPU, if that is all it has."""
        return device if "cuda" in self.devices else "cpu"

    def versions(self) -> dict[str, str]:
        """The versions of its `packages`, where installed."""
        installed = {}
        for name in self.packages:
            try:
                installed[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        return installed

    def device_kind(self, device: str) -> str:
        """``cpu``, a GPU's name, or ``endpoint``: what a result may depend on.

        Raises ModelError for a CUDA device that is not there.
        """
        if self.asks_endpoint:
            return "endpoint"
        from harness.engines.devices import device_kind, resolve_device

        return device_kind(resolve_device(device))

    def chat_renderer(self, spec: ModelSpec, files: ModelFiles, date: datetime.date | None) -> ChatRenderer:
        """What turns messages into a prompt: the tokenizer's chat template.

        ``date`` is what a template is told that asks for today's; None is the clock's. Raises
        ModelError where there is no template.
        """
        if not files.tokenizer.parts:
            raise ModelError(
                f"{spec.label}: engine: {self.name} has no chat template here; say chat_template: false"
            )
        from harness.engines.tokenizer import ChatTemplate, load_tokenizer

        return ChatTemplate(load_tokenizer(spec, files), spec.thinking, date)

    def template_folder(self, spec: ModelSpec, files: ModelFiles) -> Path | None:
        """Where the chat template that `chat_renderer` uses lies; None where there is none here."""
        return files.tokenizer if files.tokenizer.parts else None

    def can(self, spec: ModelSpec) -> frozenset[Ability]:
        """What this model's engine answers; the other methods raise ModelError.

        A plan warns of the tasks that need them.
        """
        return EVERYTHING

    def cannot_ask(self, spec: ModelSpec, kinds: Mapping[str, str | None]) -> str | None:
        """One line about the tasks that this model's engine cannot be asked, or None.

        ``kinds``: choice, completion or passage by task, None where it is not known.
        """
        can = self.can(spec)
        names = [task for task, kind in kinds.items() if kind and _ASKED_BY[kind] not in can]
        if not names:
            return None

        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        verbs = " and ".join(sorted(can))
        # Options can also be asked in writing: the way out is one key.
        choice = "score" not in can and any(kinds[name] == "choice" for name in names)
        way_out = "; ask NAME-gen, of a file of your own say form: generated" if choice else ""
        return (
            f"{spec.label}: engine {self.name} can only {verbs} here, so these tasks will"
            f" fail: {listed}{way_out}"
        )

    def why_not_automatic(self, spec: ModelSpec, device: str, folder: Path | None) -> str | None:
        """The first reason why ``engine: auto`` does not take it, None where nothing is against it.

        Asked only of the engines that the registry lists for ``auto``. ``folder``: where the
        model's config.json is, where that is known.
        """
        return None

    def obstacle(self, spec: ModelSpec, device: str, folder: Path | None) -> str | None:
        """Why it cannot answer here, as far as shows without loading anything; None: nothing known.

        ``device``: cpu or cuda. ``folder``: the model's, where it is on this machine.
        """
        return None

    def gpus(self, spec: ModelSpec) -> int | None:
        """How many GPUs a worker of this model takes; None: as many as its weights ask for.

        An engine that takes none gets one worker, since an endpoint's rate limits hold for one.
        """
        return 0 if self.asks_endpoint or "cuda" not in self.devices else None

    def gpu_share(self, spec: ModelSpec) -> float | None:
        """The share of a GPU's memory that the model takes, where the config says it."""
        return None

    def quantization(self, spec: ModelSpec) -> str | None:
        """How ``engine_args`` ask for the weights to be quantised, for the tables of speed."""
        return None

    def bench_args(self, spec: ModelSpec, device: str, speed: Speed) -> dict[str, Any]:
        """``engine_args`` for `harness bench`: no caches, and room for all requests of the grid.

        A repeat must not read what an earlier one computed. Raises ConfigError where the config
        asks for a cache, or the engine cannot be measured: unless a backend says how its caches are
        switched off, its figures would be too good.
        """
        raise ConfigError(
            f"{spec.label}: engine: {self.name} does not say how its caches are switched off, so "
            "harness bench cannot measure it"
        )

    def plan_note(self, spec: ModelSpec) -> str | None:
        """What a plan says in place of sizes where nothing is loaded here; None: sizes by formula."""
        if self.asks_endpoint:
            return f"answers at {spec.base_url}; nothing is loaded here"
        return None if self.loads_files else "nothing is loaded here"


def without_cache(spec: ModelSpec, key: str, off: Any) -> dict[str, Any]:
    """``engine_args`` with a cache's switch off. Raises ConfigError where the config has it on."""
    if spec.engine_args.get(key, off) is not off:
        raise ConfigError(
            f"{spec.label}: engine_args.{key}: {spec.engine_args[key]} would let tokens be read "
            "from a cache; leave it out"
        )
    return {**spec.engine_args, key: off}
