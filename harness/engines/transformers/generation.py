"""Continuing prompts: by continuous batching where the model's rows may share, else in padded
batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.engines.tokenizer import TextEncoder
from harness.engines.transformers.batches import Batches
from harness.engines.transformers.continuous import Stream
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.jobs import GenerationJob
from harness.items import Generation

_FEW = 32


class Decoder:
    """Generates for jobs. Rows that with their whole budget are no longer than ``share_limit`` go
    through the stream.

    ``padded`` and ``real`` count tokens forwarded, with and without padding.
    """

    def __init__(self, forward: Forward, encoder: TextEncoder, stream: Stream, share_limit: int) -> None:
        self.rules = stream.rules
        self.share_limit = share_limit
        self.stream = stream
        self.batches = Batches(forward, stream.rules, stream.budget)
        self._encoder = encoder

    @property
    def padded(self) -> int:
        """Tokens forwarded, padding included."""
        return self.batches.padded + self.stream.tokens

    @property
    def real(self) -> int:
        """Tokens forwarded, without padding."""
        return self.batches.real + self.stream.tokens

    def run(self, jobs: Sequence[GenerationJob]) -> Iterator[Generation]:
        """Yields each answer when its row finishes.

        Raises OutOfMemoryError when a single row does not fit.
        """
        streamed = [job for job in jobs if len(job.prompt) + job.budget <= self.share_limit]
        kept = set(map(id, streamed))
        for engine, part in (
            (self.stream, streamed),
            (self.batches, [job for job in jobs if id(job) not in kept]),
        ):
            if part:
                yield from self._run(engine, part)

    def _run(self, engine: Stream | Batches, jobs: Sequence[GenerationJob]) -> Iterator[Generation]:
        """A few rows that met numbers which are none are begun again alone: a masked NaN of one row
        spoils those beside it (0 × NaN).
        """
        broken: list[GenerationJob] = []
        for job in engine.run(jobs):
            if job.broken is None:
                yield job.answer(self._encoder)
            else:
                broken.append(job)
        few = len(broken) <= max(_FEW, len(jobs) // 10)
        for job in broken:
            if few:
                job.reset()
                list(self.batches.run([job]))
            yield job.answer(self._encoder)
