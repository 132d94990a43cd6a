"""One item on its way through generation: its prompt, its output, and how a token is added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from harness.engines.prompting import closing_texts, fit_prompt, with_penalty
from harness.engines.stopping import StopWatch, final_answer
from harness.engines.tokenizer import TextEncoder
from harness.engines.transformers.sampling import BatchSampler
from harness.items import Completion, Finish, Generation, Sampling, Tokens


@dataclass(frozen=True)
class GenerationRules:
    """What holds for every item.

    ``window`` in tokens; ``eos_ids`` end a text; ``eos_text``: the tokenizer's EOS as text;
    ``penalty``: the checkpoint's repetition penalty; ``max_rows`` and ``cache_tokens``: how many
    rows, and tokens of cache, may go together.
    """

    window: int
    eos_ids: frozenset[int]
    eos_text: str
    penalty: float
    max_rows: int
    cache_tokens: int


@dataclass(slots=True, eq=False)
class GenerationJob:
    """One item on its way: its prompt's ids after truncation, what it has written, when.

    ``computed``: tokens of the prompt that went through the model for this item. ``prefill`` and
    ``decode``: its part of the seconds of passes over prompts, and of steps that write one token
    per row. Both are kept when the job begins again: the time was spent on it.
    """

    item: Completion
    prompt: list[int]
    budget: int
    truncated: int
    sampling: Sampling
    watch: StopWatch
    stops: tuple[str, ...]
    generator: torch.Generator | None = None
    written: list[int] = field(default_factory=list)
    finish: Finish | None = None
    computed: int = 0
    started: float = 0.0
    first: float = 0.0
    last: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    broken: str | None = None

    @property
    def left(self) -> int:
        """Tokens that it may still write."""
        return self.budget - len(self.written)

    def reset(self) -> None:
        """Back to the start; it will write the same again, since its generator is seeded anew."""
        self.watch = self.watch.again()
        self.generator = (
            torch.Generator().manual_seed(self.sampling.seed) if self.sampling.temperature > 0 else None
        )
        self.written = []
        self.finish = None
        self.broken = None

    def add_token(self, token: int, now: float, rules: GenerationRules) -> None:
        """Adds a token, and notes it where the text ends there."""
        if not self.written:
            self.first = now
        self.last = now
        self.written.append(token)

        # In this order: an EOS that completes a stop text is an EOS, and both come before the
        # budget.
        if token in rules.eos_ids and not self.item.ignore_eos:
            self.finish = "eos"
        elif self.watch.add(token):
            self.finish = "stop"
        elif len(self.written) >= self.budget:
            self.finish = "length"

    def mark_broken(self, peak: float, token: int, now: float) -> None:
        """Ends a row whose largest logit ``peak`` is not finite: its text would say nothing."""
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

        # The last token written never goes through the model, hence - 1.
        prompt, output = len(self.prompt), len(self.written)
        tokens = Tokens(prompt, self.computed + output - 1, prompt - self.computed, output)
        return Generation(
            key=self.item.key,
            text=text,
            finish=finish,
            tokens=tokens,
            truncated=self.truncated,
            seconds=self.last - self.started,
            first_token=self.first,
            last_token=self.last,
            output_ids=tuple(self.written) if self.item.prompt_ids is not None else None,
            prefill_seconds=self.prefill,
            decode_seconds=self.decode,
            broken=self.broken,
        )


def make_job(
    item: Completion, prompt: list[int], encoder: TextEncoder, rules: GenerationRules
) -> GenerationJob:
    """The item with its prompt fitted into the window and the checkpoint's penalty."""
    # A model cannot start from nothing: an empty prompt is the token that begins a text.
    fitted = fit_prompt(item, prompt or [encoder.prefix_id], rules.window)

    job = GenerationJob(
        item,
        fitted.prompt,
        fitted.budget,
        fitted.truncated,
        with_penalty(item.sampling, rules.penalty),
        StopWatch(encoder, item.stop, item.think),
        closing_texts(item, rules.eos_text),
    )
    job.reset()
    return job


@torch.inference_mode()
def choose_tokens(
    sampler: BatchSampler,
    jobs: Sequence[GenerationJob],
    logits: Tensor,
    rules: GenerationRules,
    clock: Callable[[], float],
) -> Tensor:
    """Chooses each job's next token by its logits [jobs, vocabulary], and adds it to the job.

    The logits are fp32 and changed in place. Returns the tokens [jobs].
    """
    tokens = sampler.choose(jobs, logits)

    # tolist waits for the device: only after it does the clock say when the tokens were there.
    chosen = tokens.tolist()
    now = clock()
    for row, (job, token) in enumerate(zip(jobs, chosen, strict=True)):
        if token < 0:
            job.mark_broken(float(logits[row].amax()), ~token, now)
        else:
            job.add_token(token, now, rules)
    return tokens


def count_time(jobs: Sequence[GenerationJob], seconds: float, *, prefill: bool) -> None:
    """Shares the seconds of a pass between its rows: of prefill, or of decoding one token each."""
    part = seconds / len(jobs)
    for job in jobs:
        if prefill:
            job.prefill += part
        else:
            job.decode += part
