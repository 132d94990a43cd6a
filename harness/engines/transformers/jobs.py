"""One item on its way through generation: its prompt, what it has written, and how a token is added
to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harness.engines.prompting import closing_texts, fit_prompt, with_penalty
from harness.engines.stopping import StopWatch, final_answer
from harness.engines.tokenizer import TextEncoder
from harness.engines.transformers.sampling import choose, penalise
from harness.items import Completion, Finish, Generation, Sampling, Tokens


@dataclass(frozen=True)
class GenerationRules:
    """What holds for every item: the window, the ids that end a text, the tokenizer's EOS as text,
    the checkpoint's repetition penalty, and how many rows and tokens of cache may go together.
    """

    window: int
    eos_ids: frozenset[int]
    eos_text: str
    penalty: float
    max_rows: int
    cache_tokens: int


@dataclass(slots=True, eq=False)
class GenerationJob:
    """One item on its way: its prompt's ids after truncation, what it has written, when."""

    item: Completion
    prompt: list[int]
    budget: int
    truncated: int
    sampling: Sampling
    watch: StopWatch
    stops: tuple[str, ...]
    generator: torch.Generator | None = None
    known: set[int] = field(
        default_factory=set
    )  # tokens that a repetition penalty falls on; ``seen`` is the same as a tensor
    seen: Tensor | None = None
    written: list[int] = field(default_factory=list)
    finish: Finish | None = None
    computed: int = 0  # tokens of the prompt that went through the model for this item
    started: float = 0.0
    first: float = 0.0
    last: float = 0.0
    # its part of the seconds of passes over prompts, and of steps that write a token a row; kept
    # when begun again
    prefill: float = 0.0
    decode: float = 0.0
    broken: str | None = None

    @property
    def left(self) -> int:
        """Tokens that it may still write."""
        return self.budget - len(self.written)

    def reset(self) -> None:
        """Back to the start: a row that is begun again writes the same."""
        self.watch = self.watch.again()
        self.generator = (
            torch.Generator().manual_seed(self.sampling.seed) if self.sampling.temperature > 0 else None
        )
        self.written = []
        self.finish = None
        self.known = set()
        self.seen = None
        self.broken = None

    def take(self, token: int, now: float, rules: GenerationRules) -> None:
        """Adds a token and says whether the text ends there."""
        if not self.written:
            self.first = now
        self.last = now
        self.written.append(token)
        if token in rules.eos_ids and not self.item.ignore_eos:
            self.finish = "eos"
        elif self.watch.add(token):
            self.finish = "stop"
        elif len(self.written) >= self.budget:
            self.finish = "length"

    def give_up(self, peak: float, token: int, now: float) -> None:
        """Ends a row whose largest logit is ``peak``, no finite number; what it would have written
        says nothing.
        """
        self.broken = f"a largest logit of {peak:g} at token {len(self.written) + 1}"
        self.first = self.first if self.written else now
        self.last = now
        self.written.append(token)
        self.finish = "unknown"

    def answer(self, encoder: TextEncoder) -> Generation:
        """The finished text, cut at its stop, with what it cost."""
        text, finish = final_answer(
            encoder, self.written, self.finish or "length", self.stops, self.item.think
        )
        prompt, written = len(self.prompt), len(self.written)
        tokens = Tokens(prompt, self.computed + written - 1, prompt - self.computed, written)
        given = tuple(self.written) if self.item.prompt_ids is not None else None
        times = (self.last - self.started, self.first, self.last)
        return Generation(
            self.item.key,
            text,
            finish,
            tokens,
            self.truncated,
            *times,
            given,
            self.prefill,
            self.decode,
            self.broken,
        )


def make_job(
    item: Completion, prompt: list[int], encoder: TextEncoder, rules: GenerationRules
) -> GenerationJob:
    """The item with its prompt fitted into the window and the checkpoint's penalty."""
    fitted = fit_prompt(item, prompt or [encoder.prefix_id], rules.window)
    sampling = with_penalty(item.sampling, rules.penalty)
    stops = closing_texts(item, rules.eos_text)
    job = GenerationJob(
        item,
        fitted.prompt,
        fitted.budget,
        fitted.truncated,
        sampling,
        StopWatch(encoder, item.stop, item.think),
        stops,
    )
    job.reset()
    return job


@torch.inference_mode()
def advance(
    jobs: Sequence[GenerationJob], logits: Tensor, rules: GenerationRules, clock: Callable[[], float]
) -> Tensor:
    """Chooses the next token of each job [jobs] by its logits [jobs, vocabulary] (fp32, changed in
    place) and adds it.
    """
    for row, job in enumerate(jobs):
        penalty = job.sampling.repetition_penalty or 1.0
        if penalty != 1.0:
            penalise(logits, row, _seen(job, logits), penalty)
    tokens = choose(logits, [job.sampling for job in jobs], [job.generator for job in jobs])
    chosen = tokens.tolist()  # waits for the device: the clock is read after it
    now = clock()
    for row, (job, token) in enumerate(zip(jobs, chosen, strict=True)):
        if token < 0:
            job.give_up(float(logits[row].amax()), ~token, now)
        else:
            job.take(token, now, rules)
    return tokens


def count_time(jobs: Sequence[GenerationJob], seconds: float, *, reading: bool) -> None:
    """Shares the seconds of a pass between its rows: ``reading`` their prompts, or writing a token
    each.
    """
    part = seconds / len(jobs)
    for job in jobs:
        if reading:
            job.prefill += part
        else:
            job.decode += part


def _seen(job: GenerationJob, logits: Tensor) -> Tensor:
    """The distinct tokens of a job's prompt and answer so far."""
    if job.seen is None:
        job.known = {*job.prompt, *job.written}
        job.seen = torch.tensor(sorted(job.known), device=logits.device)
    elif job.written[-1] not in job.known:
        job.known.add(job.written[-1])
        job.seen = torch.cat([job.seen, torch.tensor([job.written[-1]], device=logits.device)])
    return job.seen
