"""Continuing prompts: by continuous batching where rows may share, else in padded batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.engines.tokenizer import TextEncoder
from harness.engines.transformers.continuous import ContinuousBatcher
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.jobs import GenerationJob
from harness.engines.transformers.static import StaticBatcher
from harness.items import Generation

_FEW = 32  # rows that are begun again alone, however few there are in all


class Decoder:
    """Generates for jobs.

    Rows that with their whole budget are no longer than ``share_limit`` are batched continuously.
    ``padded`` and ``real`` count tokens forwarded, with and without padding.
    """

    def __init__(
        self, forward: Forward, encoder: TextEncoder, continuous: ContinuousBatcher, share_limit: int
    ) -> None:
        self.rules = continuous.rules
        self.share_limit = share_limit
        self.continuous = continuous
        self.static = StaticBatcher(forward, continuous.rules, continuous.budget)
        self._encoder = encoder

    @property
    def padded(self) -> int:
        """Tokens forwarded, padding included."""
        return self.static.padded + self.continuous.tokens

    @property
    def real(self) -> int:
        """Tokens forwarded, without padding."""
        return self.static.real + self.continuous.tokens

    def run(self, jobs: Sequence[GenerationJob]) -> Iterator[Generation]:
        """Yields each answer when its row finishes.

        Raises OutOfMemoryError when a single row does not fit.
        """
        short = [job for job in jobs if len(job.prompt) + job.budget <= self.share_limit]
        long = [job for job in jobs if len(job.prompt) + job.budget > self.share_limit]
        if short:
            yield from self._run(self.continuous, short)
        if long:
            yield from self._run(self.static, long)

    def _run(
        self, batcher: ContinuousBatcher | StaticBatcher, jobs: Sequence[GenerationJob]
    ) -> Iterator[Generation]:
        """Answers of a batcher; a few rows whose logits were not finite are begun again alone.

        A masked NaN of one row spoils those beside it (0 × NaN), so alone most are sound. Where
        many rows are spoilt, the model itself is.
        """
        broken: list[GenerationJob] = []
        for job in batcher.run(jobs):
            if job.broken is None:
                yield job.answer(self._encoder)
            else:
                broken.append(job)

        # Only now: alone, each costs a whole generation, and while others run they would wait for
        # it.
        few = len(broken) <= max(_FEW, len(jobs) // 10)
        for job in broken:
            if few:
                job.reset()
                list(self.static.run([job]))
            yield job.answer(self._encoder)
