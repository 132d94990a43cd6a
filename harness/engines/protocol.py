"""The one seam that matters: what every engine can do.

An engine gets a batch of items and *yields* answers as they are ready, in any order, each with its
item's key: so it may sort, share and pack, the journal can keep each answer at once, and a mock
makes every test above it fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from harness.errors import ModelError
from harness.items import Choice, Completion, Generation, Likelihood, Passage, Score
from harness.sanity import Finding

Message = dict[str, str]
"""One chat turn: ``role`` (system, user, assistant) and ``content``."""


@dataclass(frozen=True)
class EngineInfo:
    """What an engine is.

    ``identity`` (engine, versions, device kind) goes into the cell's identity; the rest into
    the manifest.
    """

    engine: str
    versions: dict[str, str]
    device: str
    dtype: str
    attention: str | None = None
    context_length: int | None = None
    parameters: int | None = None
    load_seconds: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    """What may make its numbers wrong, as far as loading it showed."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the manifest."""
        data = asdict(self)
        del data["findings"]  # these stand in the manifest's sanity section
        return data


class GenerateOnly:
    """What an engine that gives no log-probabilities inherits.

    Both other methods refuse in one line, before anything is asked.
    """

    def score(self, items: Sequence[Choice]) -> Iterator[Score]:
        """Raises ModelError."""
        raise ModelError("this engine gives no log-probabilities; ask generative (-gen) tasks")

    def perplexity(self, items: Sequence[Passage]) -> Iterator[Likelihood]:
        """Raises ModelError."""
        raise ModelError("this engine gives no log-probabilities; ask generative (-gen) tasks")


class Engine(Protocol):
    """Answers items. Every method may be called many times; after `close` none may."""

    @property
    def info(self) -> EngineInfo:
        """What the engine is: versions, dtype, device, attention, context length."""

    def score(self, items: Sequence[Choice]) -> Iterator[Score]:
        """Log-probabilities of continuations, one answer an item, in any order."""

    def generate(self, items: Sequence[Completion]) -> Iterator[Generation]:
        """Continuations of prompts, one answer an item, in any order."""

    def perplexity(self, items: Sequence[Passage]) -> Iterator[Likelihood]:
        """Log-probabilities of whole texts, one answer an item, in any order."""

    def close(self) -> None:
        """Gives memory and processes back."""
