"""Static batching: padded batches with transformers' cache, for models whose rows cannot share.

Rows are padded on the left, and rows that have finished leave the batch, but none enters before the
batch is done (`sharing` says which models go this way; `continuous` is the other).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.engines.transformers.forward import Forward
from harness.engines.transformers.jobs import GenerationJob, GenerationRules, choose_tokens, count_time
from harness.engines.transformers.memory import Budget, release, unless_out_of_memory
from harness.engines.transformers.sampling import BatchSampler
from harness.errors import OutOfMemoryError

log = logging.getLogger(__name__)


class StaticBatcher:
    """Generates for jobs, a batch at a time.

    ``padded`` and ``real`` count tokens forwarded, with and without padding.
    """

    def __init__(self, forward: Forward, rules: GenerationRules, budget: Budget) -> None:
        self.forward = forward
        self.rules = rules
        self._budget = budget
        self._max_rows = rules.max_rows
        self.padded = 0
        self.real = 0

    def run(self, jobs: Sequence[GenerationJob]) -> Iterator[GenerationJob]:
        """Yields each job when its row finishes.

        Raises OutOfMemoryError when a single row does not fit.
        """
        origin = time.perf_counter()
        # Longest first: neighbours are padded least, and what does not fit shows at once.
        waiting = sorted(jobs, key=lambda job: (job.item.arrival or 0.0, -len(job.prompt), -job.budget))
        while waiting:
            batch = self._admit(waiting, time.perf_counter() - origin)
            if not batch:
                time.sleep(
                    max(0.0, min(0.05, (waiting[0].item.arrival or 0.0) - (time.perf_counter() - origin)))
                )
                continue

            del waiting[: len(batch)]
            rows = _PaddedRows(self, batch, origin)
            failed = False
            while rows.jobs and not failed:
                failed = not rows.try_step()
                yield from rows.leave()
            if failed:
                waiting[:0] = self._shrink(rows.jobs)

    def _admit(self, waiting: Sequence[GenerationJob], now: float) -> list[GenerationJob]:
        """The next jobs from the front that have arrived and fit into a batch.

        What must fit: rows, prompt tokens, and tokens of cache at their longest.
        """
        batch: list[GenerationJob] = []
        width = longest = 0

        # The first job is taken whatever it needs: alone it fits, or nothing helps.
        for job in waiting:
            if len(batch) >= self._max_rows or (job.item.arrival or 0.0) > now:
                break
            width, longest = max(width, len(job.prompt)), max(longest, job.budget)
            rows = len(batch) + 1
            if batch and (
                rows * width > self._budget.tokens or rows * (width + longest) > self.rules.cache_tokens
            ):
                break
            batch.append(job)
        return batch

    def _shrink(self, jobs: list[GenerationJob]) -> list[GenerationJob]:
        """The jobs to begin again, half as many at a time from now on.

        Raises OutOfMemoryError for a job alone.
        """
        release(self.forward.device)
        width = max(len(job.prompt) + job.budget for job in jobs)
        if len(jobs) == 1:
            raise OutOfMemoryError(
                f"one prompt with its answer ({width} tokens) alone does not fit into memory; "
                "use a smaller max_tokens"
            )

        self._max_rows = max(1, len(jobs) // 2)
        log.warning("out of memory generating %d rows: going on with %d", len(jobs), self._max_rows)
        for job in jobs:
            job.reset()
        return jobs


class _PaddedRows:
    """The rows of one batch: their cache, attention mask and next input."""

    def __init__(self, batcher: StaticBatcher, jobs: list[GenerationJob], origin: float) -> None:
        self.jobs = jobs
        self._batcher = batcher
        self._sampler = BatchSampler()
        self._origin = origin
        self._cache: Any = None
        device = batcher.forward.device

        # Padded on the left, so that the last column is the last token of every row.
        width = max(len(job.prompt) for job in jobs)
        ids = torch.zeros(len(jobs), width, dtype=torch.long)
        mask = torch.zeros(len(jobs), width, dtype=torch.long)
        for row, job in enumerate(jobs):
            ids[row, width - len(job.prompt) :] = torch.tensor(job.prompt, dtype=torch.long)
            mask[row, width - len(job.prompt) :] = 1
            job.started, job.computed = time.perf_counter() - origin, len(job.prompt)

        # All tokens so far are needed again only by a model without a cache.
        self._ids = ids.to(device)
        self._mask = mask.to(device)
        self._next = self._ids
        self._started = False

    def try_step(self) -> bool:
        """One token for every row; false when memory ran out."""
        if unless_out_of_memory(self._step) is None:
            self._cache = None
            return False
        return True

    @torch.inference_mode()
    def _step(self) -> Tensor:
        started, prefill = time.perf_counter(), not self._started
        positions = (self._mask.cumsum(dim=-1) - 1).clamp(min=0)[:, -self._next.shape[1] :]
        logits, cache = self._batcher.forward.step(self._next, self._mask, positions, self._cache)
        self._batcher.padded += self._next.numel()
        self._batcher.real += len(self.jobs) if self._started else int(self._mask.sum())
        self._cache, self._started = cache, True
        tokens = choose_tokens(
            self._sampler, self.jobs, logits, self._batcher.rules, lambda: time.perf_counter() - self._origin
        )
        count_time(self.jobs, time.perf_counter() - started, prefill=prefill)

        column = tokens.unsqueeze(-1).to(self._ids.device)
        self._ids = torch.cat([self._ids, column], dim=-1)
        self._mask = torch.cat([self._mask, torch.ones_like(column)], dim=-1)
        self._next = column if cache is not None else self._ids
        return tokens

    def leave(self) -> list[GenerationJob]:
        """Takes the finished rows out of the batch and its cache."""
        finished = [job for job in self.jobs if job.finish]
        if finished:
            stay = [row for row, job in enumerate(self.jobs) if not job.finish]
            self.jobs = [self.jobs[row] for row in stay]
            if stay:
                self._keep(torch.tensor(stay, device=self._ids.device))
        return finished

    @torch.inference_mode()
    def _keep(self, rows: Tensor) -> None:
        self._ids, self._mask, self._next = (
            tensor.index_select(0, rows) for tensor in (self._ids, self._mask, self._next)
        )
        # Unlike batch_select_indices, reorder_cache also takes the states of linear attention.
        if self._cache is not None:
            self._cache.reorder_cache(rows)
