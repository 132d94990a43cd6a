"""Continuous batching: a row that has finished leaves, and a waiting one takes its slot at once.

Prompts are read (`prompts`) only when slots are free, a good part of them at a time, since a pass
over prompts costs about as much as a step. Rows share what their prompts share (`slots`). A row's
answer depends on its own prompt, seed and settings only.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from harness.engines.transformers.forward import Forward
from harness.engines.transformers.jobs import GenerationJob, GenerationRules, advance, count_time
from harness.engines.transformers.memory import Budget, release, unless_out_of_memory
from harness.engines.transformers.prompts import Prompts, PromptState
from harness.engines.transformers.slots import Slots
from harness.errors import OutOfMemoryError

log = logging.getLogger(__name__)

_REFILL = 8  # prompts are read when an eighth of the slots is free


@dataclass(slots=True)
class _Ready:
    """A job whose prompt was read and whose first token was chosen.

    ``tokens``: of its own, whose keys and values are held.
    """

    job: GenerationJob
    reading: PromptState

    @property
    def tokens(self) -> int:
        return sum(int(part[0][0].shape[0]) for part in self.reading.own)


class Stream:
    """Generates for jobs; ``tokens`` counts what went through the model.

    Raises OutOfMemoryError when a single row does not fit.
    """

    def __init__(self, forward: Forward, rules: GenerationRules, budget: Budget, share: bool = True) -> None:
        self._forward = forward
        self.rules = rules
        self.budget = budget
        self._share = share
        self.most = rules.max_rows
        self.tokens = 0

    def run(self, jobs: Sequence[GenerationJob]) -> Iterator[GenerationJob]:
        """Yields each job when it has finished."""
        origin = time.perf_counter()
        later = deque(
            sorted((job for job in jobs if job.item.arrival), key=lambda job: job.item.arrival or 0.0)
        )
        batch = _Batch(self, origin)
        batch.add([job for job in jobs if not job.item.arrival])
        while later or batch.busy:
            now = time.perf_counter() - origin
            arrived = []
            while later and (later[0].item.arrival or 0.0) <= now:
                arrived.append(later.popleft())
            batch.add(arrived)
            if batch.busy:
                yield from batch.turn()
            elif later:
                time.sleep(max(0.0, min(0.05, (later[0].item.arrival or 0.0) - now)))


class _Batch:
    """Waves of jobs waiting to be read, jobs ready to enter, and the rows at work (``rows[i]`` is
    in slot i).
    """

    def __init__(self, stream: Stream, origin: float) -> None:
        self._stream = stream
        self._forward = stream._forward
        self._rules = stream.rules
        self._origin = origin
        self._waves: deque[list[GenerationJob]] = deque()
        self._wave: list[GenerationJob] = []
        self._prompts: Prompts | None = None
        self._ready: deque[_Ready] = deque()
        self._rows: list[GenerationJob] = []
        self._slots = Slots()
        self._unshared = 0.0  # seconds of passes that ended no prompt
        self._entered: dict[int, int] = {}  # by id of a job: the how-manieth it was to take a slot
        self._alone = 0  # times in a row that memory ran out with one row or none

    @property
    def busy(self) -> bool:
        """Whether anything is left to do."""
        return bool(self._waves or self._prompts or self._ready or self._rows)

    def add(self, jobs: list[GenerationJob]) -> None:
        """Jobs to be read after those that are waiting."""
        if jobs:
            self._waves.append(jobs)

    def turn(self) -> Iterator[GenerationJob]:
        """Fills free slots, then writes one token in every row; yields what has finished."""
        free = self._stream.most - len(self._rows)
        if not self._rows or free * _REFILL >= self._stream.most:
            yield from self._read(free)
            self._enter()
        if self._rows:
            yield from self._write()

    def _read(self, free: int) -> Iterator[GenerationJob]:
        """Reads prompts until there are enough for the free slots, or for the memory; a job whose
        first token is its last is yielded.
        """
        while len(self._ready) < free and (self._prompts or self._waves) and self._has_room():
            if self._prompts is None:
                self._wave = self._waves.popleft()
                prompts = [job.prompt for job in self._wave]
                self._prompts = Prompts(self._forward, self._stream.budget, prompts, self._stream._share)
            before = len(self._ready), self._prompts.tokens
            yield from self._read_pass(self._prompts)
            if self._prompts is not None and (len(self._ready), self._prompts.tokens) == before:
                # put off: the rows at work and the prompts that were read give memory back first
                return

    def _has_room(self) -> bool:
        """Whether what was read and what is written leave memory for one more prompt; with nothing
        held it is tried.
        """
        held = sum(row.length for row in self._slots.rows) + sum(ready.tokens for ready in self._ready)
        return held < self._rules.cache_tokens or not self._held

    @property
    def _held(self) -> bool:
        return bool(self._ready or self._rows)

    def _read_pass(self, prompts: Prompts) -> Iterator[GenerationJob]:
        started, before = self._now(), prompts.tokens
        found = unless_out_of_memory(prompts.read, self._held)
        if found is None and self._held:
            return
        if found is None:
            longest = max(len(job.prompt) for job in self._wave)
            raise OutOfMemoryError(
                f"one prompt of up to {longest} tokens alone does not fit into memory; use a larger device or fewer shots"
            )
        self._stream.tokens += prompts.tokens - before
        if prompts.done:
            self._prompts = None
        if not found:
            self._unshared += self._now() - started
            return
        jobs = [self._wave[reading.prompt] for reading in found]
        for job, reading in zip(jobs, found, strict=True):
            job.started, job.computed = started, reading.computed
        advance(jobs, torch.stack([reading.logits for reading in found]).float(), self._rules, self._now)
        count_time(jobs, self._unshared + self._now() - started, reading=True)
        self._unshared = 0.0
        for job, reading in zip(jobs, found, strict=True):
            reading.logits = reading.logits.new_empty(0)
            if job.finish:
                yield job
            else:
                self._ready.append(_Ready(job, reading))

    def _enter(self) -> None:
        """Ready jobs take the free slots as long as all rows could go on to the end of their
        budgets.
        """
        longest = max(
            (row.length + job.left for row, job in zip(self._slots.rows, self._rows, strict=True)), default=0
        )
        while self._ready and len(self._rows) < self._stream.most:
            job, reading = self._ready[0].job, self._ready[0].reading
            longest = max(longest, sum(part[0][0].shape[0] for part in reading.own) + job.left)
            if self._rows and (len(self._rows) + 1) * longest > self._rules.cache_tokens:
                return
            if unless_out_of_memory(self._slots.enter, reading.own, reading.shared) is None:
                self._make_room()
                return
            self._entered[id(job)] = len(self._entered)
            self._rows.append(job)
            self._ready.popleft()

    def _write(self) -> Iterator[GenerationJob]:
        """One token for every row; where memory runs out, the newer half of the rows begin again
        later.
        """
        begun, lengths = self._now(), [row.length for row in self._slots.rows]
        logits = unless_out_of_memory(self._step)
        if logits is None:
            self._slots.undo_step(lengths)
            self._make_room(len(self._rows) // 2)
            return
        self._alone = 0
        self._stream.tokens += len(self._rows)
        advance(self._rows, logits, self._rules, self._now)
        count_time(self._rows, self._now() - begun, reading=False)
        for row in range(len(self._rows) - 1, -1, -1):
            if self._rows[row].finish:
                yield self._leave(row)

    def _step(self) -> torch.Tensor:
        """Logits [rows, vocabulary] after each row's last token."""
        ids = torch.tensor([[job.written[-1] for job in self._rows]])
        positions = torch.tensor([[len(job.prompt) + len(job.written) - 1 for job in self._rows]])
        return self._forward.next_logits(ids, positions, self._slots.step(), None)

    def _leave(self, row: int) -> GenerationJob:
        job, last = self._rows[row], self._rows.pop()
        if row < len(self._rows):
            self._rows[row] = last
        self._slots.leave(row, wipe=job.broken is not None)
        return job

    def _make_room(self, evict: int = 0) -> None:
        """Gives up what was read ahead and the ``evict`` rows that entered last; they begin again
        later, and no more rows than are left go together from now on. Called outside the handler:
        the error no longer holds tensors.
        """
        rows = len(self._rows)
        if rows <= 1:
            self._alone += 1
            if self._alone > 2 or (rows == 1 and not self._ready and self._prompts is None):
                job = self._rows[0] if rows else self._ready[0].job
                length = len(job.prompt) + job.budget
                raise OutOfMemoryError(
                    f"one prompt with its answer ({length} tokens) alone does not fit into memory; use a smaller max_tokens"
                )
        newest = sorted(self._rows, key=lambda job: self._entered[id(job)])[rows - evict :]
        again = newest + [ready.job for ready in self._ready]
        known = set(map(id, again)) | set(map(id, self._rows))
        if self._prompts is not None:  # the prompts not yet read follow
            again += [job for job in self._wave if not job.written and id(job) not in known]
        for job in newest:
            self._leave(self._rows.index(job))
        self._ready.clear()
        self._prompts = None
        self._stream.most = len(self._rows) or self._stream.most
        log.warning("out of memory generating %d rows: going on with %d", rows, self._stream.most)
        self._slots.shrink()
        release(self._forward.device)
        for job in again:
            job.reset()
        if again:
            self._waves.appendleft(again)

    def _now(self) -> float:
        return time.perf_counter() - self._origin
