"""Which engine ``engine: auto`` means for a model here, and why."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from harness.config.schema import ModelSpec
from harness.engines import registry
from harness.engines.backend import Backend

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineChoice:
    """An engine, and why it was taken."""

    backend: Backend
    reason: str

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.backend.name


def choose(spec: ModelSpec, device: str, folder: Path | None) -> EngineChoice:
    """The engine that a spec names, else what `automatic` takes.

    Raises EngineError for an engine that is not there.
    """
    if spec.engine == registry.AUTO and folder is not None:
        return automatic(spec, device, folder)
    return EngineChoice(registry.backend_of(spec), "named")


def automatic(spec: ModelSpec, device: str, folder: Path | None) -> EngineChoice:
    """The best engine that nothing is against. ``folder``: where the model's config.json is."""
    *better, last = registry.candidates(spec)
    reasons = []
    for one in better:
        reason = one.why_not_automatic(spec, device, folder) or _option_of_another(spec, one, last)
        if reason is None:
            return _said(spec, EngineChoice(one, one.why_automatic))
        reasons.append(reason)
    return _said(spec, EngineChoice(last, "; ".join(reasons)))


def _option_of_another(spec: ModelSpec, backend: Backend, other: Backend) -> str | None:
    """An option in the config that only the other engine has says which of them is meant."""
    only = other.options.model_fields.keys() - backend.options.model_fields.keys()
    named = sorted(only & spec.engine_args.keys())
    return f"engine_args.{named[0]} is the {other.name} engine's" if named else None


def _said(spec: ModelSpec, choice: EngineChoice) -> EngineChoice:
    log.info("%s: engine: auto takes %s: %s", spec.label, choice.name, choice.reason)
    return choice
