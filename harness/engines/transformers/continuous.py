"""Continuous batching: a row that has finished leaves, and a waiting one takes its slot at once.

Prompts are prefilled (`prompts`) only when slots are free, a good part of them at a time, since a
pass over prompts costs about as much as a step. Rows share what their prompts share (`slots`). A
row's answer depends on its own prompt, seed and settings only (Yu et al. 2022, Orca, for the idea).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from harness.engines.transformers.forward import Forward
from harness.engines.transformers.jobs import GenerationJob, GenerationRules, choose_tokens, count_time
from harness.engines.transformers.memory import Budget, release, unless_out_of_memory
from harness.engines.transformers.prompts import PrefilledPrompt, PromptReader
from harness.engines.transformers.sampling import BatchSampler
from harness.engines.transformers.slots import SlotCache
from harness.errors import OutOfMemoryError

log = logging.getLogger(__name__)

_REFILL = 8  # prompts are prefilled when an eighth of the slots is free


class ContinuousBatcher:
    """Generates for jobs; ``tokens`` counts what went through the model.

    ``max_rows`` falls when memory runs out. `run` raises OutOfMemoryError when a single row does
    not fit.
    """

    def __init__(self, forward: Forward, rules: GenerationRules, budget: Budget, share: bool = True) -> None:
        self.forward = forward
        self.rules = rules
        self.budget = budget
        self.share = share
        self.max_rows = rules.max_rows
        self.tokens = 0

    def run(self, jobs: Sequence[GenerationJob]) -> Iterator[GenerationJob]:
        """Yields each job when it has finished."""
        origin = time.perf_counter()
        later = deque(
            sorted((job for job in jobs if job.item.arrival), key=lambda job: job.item.arrival or 0.0)
        )
        batch = _RunningBatch(self, origin)
        batch.add([job for job in jobs if not job.item.arrival])
        while later or batch.busy:
            now = time.perf_counter() - origin
            arrived = []
            while later and (later[0].item.arrival or 0.0) <= now:
                arrived.append(later.popleft())
            batch.add(arrived)

            if batch.busy:
                yield from batch.step()
            elif later:
                time.sleep(max(0.0, min(0.05, (later[0].item.arrival or 0.0) - now)))


@dataclass(slots=True)
class _Ready:
    """A job whose prompt was prefilled and whose first token was chosen."""

    job: GenerationJob
    prefilled: PrefilledPrompt

    @property
    def tokens(self) -> int:
        """Tokens of its own, whose keys and values are held."""
        return sum(int(segment[0][0].shape[0]) for segment in self.prefilled.own)


class _RunningBatch:
    """Jobs on their way: waiting in waves, ready to enter, and decoding.

    A wave is what arrived together; its prompts are one prefix tree. ``_rows[i]`` is in slot i.
    """

    def __init__(self, batcher: ContinuousBatcher, origin: float) -> None:
        self._batcher = batcher
        self._rules = batcher.rules
        self._origin = origin

        # In the order of a job's way: its wave, the reader of its prompt, ready, its row.
        self._waves: deque[list[GenerationJob]] = deque()
        self._wave: list[GenerationJob] = []
        self._reader: PromptReader | None = None
        self._ready: deque[_Ready] = deque()
        self._rows: list[GenerationJob] = []
        self._sampler = BatchSampler()
        self._cache = SlotCache()
        self._unshared = 0.0  # seconds of passes in which no prompt ended
        self._entered: dict[int, int] = {}  # by id of a job: how many had taken a slot before it
        self._alone = 0  # times in a row that memory ran out with one row or none

    @property
    def busy(self) -> bool:
        """Whether anything is left to do."""
        return bool(self._waves or self._reader or self._ready or self._rows)

    def add(self, jobs: list[GenerationJob]) -> None:
        """Jobs to be prefilled after those that are waiting."""
        if jobs:
            self._waves.append(jobs)

    def step(self) -> Iterator[GenerationJob]:
        """Fills free slots, then decodes one token in every row; yields what has finished."""
        free = self._batcher.max_rows - len(self._rows)
        if not self._rows or free * _REFILL >= self._batcher.max_rows:
            yield from self._prefill(free)
            self._admit()
        if self._rows:
            yield from self._decode()

    def _prefill(self, free: int) -> Iterator[GenerationJob]:
        """Prefills prompts until there are enough for the free slots, or for the memory.

        A job whose first token is its last is yielded.
        """
        while len(self._ready) < free and (self._reader or self._waves) and self._has_room():
            if self._reader is None:
                self._wave = self._waves.popleft()
                prompts = [job.prompt for job in self._wave]
                batcher = self._batcher
                self._reader = PromptReader(batcher.forward, batcher.budget, prompts, batcher.share)

            before = len(self._ready), self._reader.tokens
            yield from self._prefill_pass(self._reader)
            # A pass that was put off: decoding rows and ready prompts give memory back first.
            if self._reader is not None and (len(self._ready), self._reader.tokens) == before:
                return

    def _has_room(self) -> bool:
        """Whether ready prompts and decoding rows leave memory for one more prompt.

        With nothing held it is tried, whatever the estimate says.
        """
        decoding = sum(row.length for row in self._cache.rows)
        ready = sum(job.tokens for job in self._ready)
        return decoding + ready < self._rules.cache_tokens or not self._holds_memory

    @property
    def _holds_memory(self) -> bool:
        return bool(self._ready or self._rows)

    def _prefill_pass(self, reader: PromptReader) -> Iterator[GenerationJob]:
        """One pass over prompts, and the first token of those that end in it."""
        started, before = self._now(), reader.tokens
        prompts = unless_out_of_memory(reader.read, self._holds_memory)
        if prompts is None and self._holds_memory:
            return
        if prompts is None:
            longest = max(len(job.prompt) for job in self._wave)
            raise OutOfMemoryError(
                f"one prompt of up to {longest} tokens alone does not fit into memory; "
                "use a larger device or fewer shots"
            )

        self._batcher.tokens += reader.tokens - before
        if reader.done:
            self._reader = None
        # A pass within a long prompt: its time is counted for those that end in a later pass.
        if not prompts:
            self._unshared += self._now() - started
            return

        jobs = [self._wave[prefilled.prompt] for prefilled in prompts]
        for job, prefilled in zip(jobs, prompts, strict=True):
            job.started, job.computed = started, prefilled.computed
        logits = torch.stack([prefilled.logits for prefilled in prompts]).float()
        choose_tokens(BatchSampler(), jobs, logits, self._rules, self._now)
        count_time(jobs, self._unshared + self._now() - started, prefill=True)
        self._unshared = 0.0
        for job, prefilled in zip(jobs, prompts, strict=True):
            # A view of the pass's logits: kept, it would hold all of them while the job is ready.
            prefilled.logits = prefilled.logits.new_empty(0)
            if job.finish:
                yield job
            else:
                self._ready.append(_Ready(job, prefilled))

    def _admit(self) -> None:
        """Ready jobs take free slots as long as all rows could go on to the end of their budgets.

        Slots are one rectangle, so what counts is rows times the longest of them.
        """
        longest = max(
            (row.length + job.left for row, job in zip(self._cache.rows, self._rows, strict=True)), default=0
        )
        while self._ready and len(self._rows) < self._batcher.max_rows:
            ready = self._ready[0]
            longest = max(longest, ready.tokens + ready.job.left)
            if self._rows and (len(self._rows) + 1) * longest > self._rules.cache_tokens:
                return

            # The job stays ready until its row is in: out of memory, it begins again with the
            # others.
            prefilled = ready.prefilled
            if unless_out_of_memory(self._cache.enter, prefilled.own, prefilled.shared) is None:
                self._make_room()
                return
            self._entered[id(ready.job)] = len(self._entered)
            self._rows.append(ready.job)
            self._ready.popleft()

    def _decode(self) -> Iterator[GenerationJob]:
        """One token for every row; out of memory, the newer half of the rows begin again."""
        started, lengths = self._now(), [row.length for row in self._cache.rows]
        logits = unless_out_of_memory(self._next_logits)
        if logits is None:
            self._cache.undo_step(lengths)
            self._make_room(len(self._rows) // 2)
            return

        self._alone = 0
        self._batcher.tokens += len(self._rows)
        choose_tokens(self._sampler, self._rows, logits, self._rules, self._now)
        count_time(self._rows, self._now() - started, prefill=False)
        # From the last: a row that leaves is replaced by the last one, which was looked at already.
        for row in range(len(self._rows) - 1, -1, -1):
            if self._rows[row].finish:
                yield self._leave(row)

    def _next_logits(self) -> torch.Tensor:
        """Logits [rows, vocabulary] after each row's last token."""
        ids = torch.tensor([[job.written[-1] for job in self._rows]])
        positions = torch.tensor([[len(job.prompt) + len(job.written) - 1 for job in self._rows]])
        return self._batcher.forward.next_logits(ids, positions, self._cache.step(), None)

    def _leave(self, row: int) -> GenerationJob:
        """Takes a row out of the batch; the last one takes its index, as in the cache."""
        job, last = self._rows[row], self._rows.pop()
        if row < len(self._rows):
            self._rows[row] = last
        self._cache.leave(row, wipe=job.broken is not None)
        return job

    def _make_room(self, evict: int = 0) -> None:
        """Gives up ready prompts and the ``evict`` rows that entered last; they begin again later.

        From now on no more rows than are left go together. Called outside the handler, when the
        error no longer holds tensors.
        """
        rows = len(self._rows)
        if rows <= 1:
            self._check_alone(rows)
        newest = sorted(self._rows, key=lambda job: self._entered[id(job)])[rows - evict :]
        again = newest + [ready.job for ready in self._ready]
        handled = set(map(id, again)) | set(map(id, self._rows))
        # The reader goes, too, with what it has cached; its prompts that are not yet read follow.
        if self._reader is not None:
            again += [job for job in self._wave if not job.written and id(job) not in handled]

        for job in newest:
            self._leave(self._rows.index(job))
        self._ready.clear()
        self._reader = None
        self._batcher.max_rows = len(self._rows) or self._batcher.max_rows
        log.warning("out of memory generating %d rows: going on with %d", rows, self._batcher.max_rows)
        self._cache.shrink()
        release(self._batcher.forward.device)
        for job in again:
            job.reset()
        if again:
            self._waves.appendleft(again)

    def _check_alone(self, rows: int) -> None:
        """Raises OutOfMemoryError where one row fails repeatedly, or with nothing to give up."""
        self._alone += 1
        if self._alone > 2 or (rows == 1 and not self._ready and self._reader is None):
            job = self._rows[0] if rows else self._ready[0].job
            length = len(job.prompt) + job.budget
            raise OutOfMemoryError(
                f"one prompt with its answer ({length} tokens) alone does not fit into memory; "
                "use a smaller max_tokens"
            )

    def _now(self) -> float:
        return time.perf_counter() - self._origin
