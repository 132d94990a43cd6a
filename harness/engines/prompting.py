"""What every engine does with a generation item before it is asked: prompt fitted into the window,
penalty, texts that end it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.items import Completion, Sampling
from harness.sanity import Finding


@dataclass(frozen=True)
class Fitted:
    """A prompt's ids after truncation from the left.

    ``budget`` tokens may follow; ``truncated`` were cut.
    """

    prompt: list[int]
    budget: int
    truncated: int


def fit_prompt(item: Completion, prompt: Sequence[int], window: int) -> Fitted:
    """Truncates a prompt from the left as lm-eval does: it keeps ``window - max_tokens``.

    A budget as large as the window, on which lm-eval fails, reserves half of it and may use what
    the prompt leaves.
    """
    reserve = item.max_tokens if item.max_tokens < window else max(1, window // 2)
    tail = list(prompt[-max(1, window - reserve) :])
    return Fitted(tail, max(1, min(item.max_tokens, window - len(tail))), len(prompt) - len(tail))


def with_penalty(sampling: Sampling, penalty: float) -> Sampling:
    """The item's settings, with the checkpoint's repetition penalty where the item names none.

    A penalty of 1 in the item says that there is none.
    """
    return (
        sampling if sampling.repetition_penalty is not None else replace(sampling, repetition_penalty=penalty)
    )


def closing_texts(item: Completion, eos_text: str) -> tuple[str, ...]:
    """The texts that cut an answer.

    The EOS as text is looked for only at the end: as a token it ends the row at once, and spelt out
    it hardly ever comes.
    """
    return (*item.stop, eos_text) if eos_text and not item.ignore_eos else item.stop


def penalty_findings(penalty: float) -> tuple[Finding, ...]:
    """That the checkpoint's own repetition penalty applies, where it has one."""
    return () if penalty == 1.0 else (Finding("checkpoint_penalty", values={"penalty": penalty}),)
