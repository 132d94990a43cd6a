"""Continuing prompts with a KV cache: rows padded on the left, and rows that have finished leave the batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from harness.engines.prompting import closing_texts, fit_prompt, with_penalty
from harness.engines.stopping import StopWatch, final_answer
from harness.engines.tokenizer import TextEncoder
from harness.engines.transformers.forward import Forward
from harness.engines.transformers.memory import Budget, is_out_of_memory, release
from harness.engines.transformers.sampling import choose, penalise
from harness.errors import OutOfMemoryError
from harness.items import Completion, Finish, Generation, Sampling, Tokens

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GenerationRules:
    """What holds for every item: the window, the ids that end a text, the tokenizer's EOS as text, the checkpoint's repetition penalty,
    and how many rows and tokens of cache may go together."""

    window: int
    eos_ids: frozenset[int]
    eos_text: str
    penalty: float
    max_rows: int
    cache_tokens: int


@dataclass(slots=True)
class Job:
    """One item on its way: its prompt's ids after truncation, what it has written, when."""

    item: Completion
    prompt: list[int]
    budget: int
    truncated: int
    sampling: Sampling
    watch: StopWatch
    stops: tuple[str, ...]
    generator: torch.Generator | None = None
    known: set[int] = field(default_factory=set)  # tokens that a repetition penalty falls on; ``seen`` is the same as a tensor
    seen: Tensor | None = None
    written: list[int] = field(default_factory=list)
    finish: Finish | None = None
    started: float = 0.0
    first: float = 0.0
    last: float = 0.0


def make_job(item: Completion, prompt: list[int], encoder: TextEncoder, rules: GenerationRules) -> Job:
    """The item with its prompt fitted into the window and the checkpoint's penalty."""
    fitted = fit_prompt(item, prompt or [encoder.prefix_id], rules.window)
    sampling = with_penalty(item.sampling, rules.penalty)
    stops = closing_texts(item, rules.eos_text)
    job = Job(item, fitted.prompt, fitted.budget, fitted.truncated, sampling, StopWatch(encoder, item.stop, item.think), stops)
    reset(job, encoder)
    return job


def reset(job: Job, encoder: TextEncoder) -> None:
    """Back to the start: a row that is begun again writes the same."""
    job.watch = StopWatch(encoder, job.item.stop, job.item.think)
    job.generator = torch.Generator().manual_seed(job.sampling.seed) if job.sampling.temperature > 0 else None
    job.written = []
    job.finish = None
    job.known = set()
    job.seen = None


class Decoder:
    """Generates for jobs. ``padded`` and ``real`` count tokens forwarded, with and without padding."""

    def __init__(self, forward: Forward, encoder: TextEncoder, rules: GenerationRules, budget: Budget) -> None:
        self._forward = forward
        self._encoder = encoder
        self._rules = rules
        self._budget = budget
        self._max_rows = rules.max_rows
        self.padded = 0
        self.real = 0

    def run(self, jobs: Sequence[Job]) -> Iterator[Generation]:
        """Yields each answer when its row finishes. Raises OutOfMemoryError when a single row does not fit."""
        origin = time.perf_counter()
        waiting = sorted(jobs, key=lambda job: (job.item.arrival or 0.0, -len(job.prompt), -job.budget))
        while waiting:
            batch = self._admit(waiting, time.perf_counter() - origin)
            if not batch:
                time.sleep(max(0.0, min(0.05, (waiting[0].item.arrival or 0.0) - (time.perf_counter() - origin))))
                continue
            del waiting[: len(batch)]
            rows = _Rows(self, batch, origin)
            failed = False
            while rows.jobs and not failed:
                failed = not rows.try_step()
                yield from (self._answer(job) for job in rows.leave())
            if failed:
                waiting[:0] = self._too_big(rows.jobs)

    def _admit(self, waiting: Sequence[Job], now: float) -> list[Job]:
        """The next rows from the front that have arrived and fit: rows, prompt tokens, and tokens of cache at their longest."""
        batch: list[Job] = []
        width = longest = 0
        for job in waiting:
            if len(batch) >= self._max_rows or (job.item.arrival or 0.0) > now:
                break
            width, longest = max(width, len(job.prompt)), max(longest, job.budget)
            rows = len(batch) + 1
            if batch and (rows * width > self._budget.tokens or rows * (width + longest) > self._rules.cache_tokens):
                break
            batch.append(job)
        return batch

    def _too_big(self, jobs: list[Job]) -> list[Job]:
        """The rows to begin again, half as many at a time; OutOfMemoryError for a row alone."""
        release(self._forward.device)
        width = max(len(job.prompt) + job.budget for job in jobs)
        if len(jobs) == 1:
            raise OutOfMemoryError(f"one prompt with its answer ({width} tokens) alone does not fit into memory; use a smaller max_tokens")
        self._max_rows = max(1, len(jobs) // 2)
        log.warning("out of memory generating %d rows: going on with %d", len(jobs), self._max_rows)
        for job in jobs:
            reset(job, self._encoder)
        return jobs

    def _answer(self, job: Job) -> Generation:
        text, finish = final_answer(self._encoder, job.written, job.finish or "length", job.stops, job.item.think)
        prompt, written = len(job.prompt), len(job.written)
        tokens = Tokens(prompt, prompt + written - 1, 0, written)
        asked = job.item.prompt_ids is not None
        spent = job.last - job.started
        return Generation(
            job.item.key, text, finish, tokens, job.truncated, spent, job.first, job.last, tuple(job.written) if asked else None
        )


class _Rows:
    """The rows of one batch: their cache, attention mask and next input."""

    def __init__(self, decoder: Decoder, jobs: list[Job], origin: float) -> None:
        self.jobs = jobs
        self._decoder = decoder
        self._forward = decoder._forward
        self._rules = decoder._rules
        self._origin = origin
        self._cache: Any = None
        device = self._forward.device
        width = max(len(job.prompt) for job in jobs)
        ids = torch.zeros(len(jobs), width, dtype=torch.long)
        mask = torch.zeros(len(jobs), width, dtype=torch.long)
        for row, job in enumerate(jobs):
            ids[row, width - len(job.prompt) :] = torch.tensor(job.prompt, dtype=torch.long)
            mask[row, width - len(job.prompt) :] = 1
            job.started = time.perf_counter() - origin
        self._ids = ids.to(device)  # all tokens so far; needed again only by a model without a cache
        self._mask = mask.to(device)
        self._next = self._ids
        self._started = False

    def try_step(self) -> bool:
        """One token for every row; false when memory ran out."""
        try:
            self._step()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._cache = None
            return False
        return True

    @torch.inference_mode()
    def _step(self) -> None:
        positions = (self._mask.cumsum(dim=-1) - 1).clamp(min=0)[:, -self._next.shape[1] :]
        logits, cache = self._forward.step(self._next, self._mask, positions, self._cache)
        self._decoder.padded += self._next.numel()
        self._decoder.real += len(self.jobs) if self._started else int(self._mask.sum())
        self._cache, self._started = cache, True
        self._penalise(logits)
        tokens = choose(logits, [job.sampling for job in self.jobs], [job.generator for job in self.jobs])
        written = tokens.tolist()  # waits for the device: the clock is read after it
        now = time.perf_counter() - self._origin
        for job, token in zip(self.jobs, written, strict=True):
            self._take(job, token, now)
        column = tokens.unsqueeze(-1).to(self._ids.device)
        self._ids = torch.cat([self._ids, column], dim=-1)
        self._mask = torch.cat([self._mask, torch.ones_like(column)], dim=-1)
        self._next = column if cache is not None else self._ids

    def _penalise(self, logits: Tensor) -> None:
        """Repetition penalty over each row's prompt and answer so far."""
        for row, job in enumerate(self.jobs):
            if job.sampling.repetition_penalty == 1.0:
                continue
            if job.seen is None:
                job.known = set(job.prompt)
                job.seen = torch.tensor(sorted(job.known), device=logits.device)
            elif job.written[-1] not in job.known:
                job.known.add(job.written[-1])
                job.seen = torch.cat([job.seen, torch.tensor([job.written[-1]], device=logits.device)])
            penalise(logits, row, job.seen, job.sampling.repetition_penalty)

    def _take(self, job: Job, token: int, now: float) -> None:
        """Adds a token to a row and says whether it ends there."""
        if not job.written:
            job.first = now
        job.last = now
        job.written.append(token)
        if token in self._rules.eos_ids and not job.item.ignore_eos:
            job.finish = "eos"
        elif job.watch.add(token):
            job.finish = "stop"
        elif len(job.written) >= job.budget:
            job.finish = "length"

    def leave(self) -> list[Job]:
        """Takes the finished rows out of the batch and its cache."""
        gone = [job for job in self.jobs if job.finish]
        if gone:
            stay = [row for row, job in enumerate(self.jobs) if not job.finish]
            self.jobs = [self.jobs[row] for row in stay]
            if stay:
                self._keep(torch.tensor(stay, device=self._ids.device))
        return gone

    @torch.inference_mode()
    def _keep(self, rows: Tensor) -> None:
        self._ids, self._mask, self._next = (tensor.index_select(0, rows) for tensor in (self._ids, self._mask, self._next))
        if self._cache is not None:
            self._cache.reorder_cache(rows)  # unlike batch_select_indices it also takes the states of linear attention
