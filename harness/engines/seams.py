"""Where a context ends and an option begins in token ids, and what is done where an option would
have no token of its own.

lm-eval encodes context and context + option and takes the ids beyond the context's length as the
option's. Where the tokenizer merges across the seam, nothing may be left ("Ans" + "wer" is GPT-2's
one token "Answer"), and lm-eval stops with an AssertionError. Here:

- **moved**: the option merges with its context. The seam moves left to the longest beginning that
  the context
  and all the document's options on it share, so that at least one token of each is scored. All these options
  move together: each is then the probability of its text, from the same place on and after the same tokens,
  and a difference of two is the difference of what they add. Were one moved alone, it would pay for tokens of
  the context that the others get for nothing.
- **end**: nothing of the option is left in the ids, because it is empty or the tokenizer drops it.
  It says
  that the text ends here, so it is scored as the EOS token after the context.
- **cut** (set by the engines): the option itself is longer than the model's window, so its first
  tokens are
  not scored.

Documents without such an option are left exactly as lm-eval has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from harness.items import Answer, Score
from harness.sanity import Finding

Pair = tuple[list[int], list[int]]
"""Token ids of a context and of its continuation, neither empty."""
USUAL, MOVED, END, CUT = "", "moved", "end", "cut"


@dataclass(frozen=True)
class Split:
    """One option's ids: of its context, and of context and option encoded together.

    The context is never empty.
    """

    context: list[int]
    whole: list[int]


@dataclass(frozen=True)
class OptionPairs:
    """The pairs of one document, and each one's rule; no rules where all are as usual."""

    pairs: list[Pair]
    rules: tuple[str, ...] = ()


def settle(
    splits: Sequence[Split], contexts: Sequence[str], begin: int | None, end: int | None
) -> OptionPairs:
    """The pairs of one document, by the rules above.

    ``contexts``: their texts; ``begin``, ``end``: the ids that begin and end a text. Raises
    ValueError where a rule needs one of these ids and the tokenizer has none.
    """
    pairs = [(split.context, split.whole[len(split.context) :]) for split in splits]
    if all(rest for _, rest in pairs):
        return OptionPairs(pairs)

    # An option of which nothing is left says that the text ends here.
    wholes = [split.whole if split.whole != split.context else _ended(split, end) for split in splits]
    rules = [END if split.whole == split.context else USUAL for split in splits]
    pairs = [
        (split.context, whole[len(split.context) :]) for split, whole in zip(splits, wholes, strict=True)
    ]

    # Options that merge with their context move together with all others on the same context, or
    # one would pay for tokens that the others get for nothing.
    for context in dict.fromkeys(contexts):
        group = [index for index, each in enumerate(contexts) if each == context]
        if not all(pairs[index][1] for index in group):
            seam = min(
                min(_alike(splits[index].context, wholes[index]), len(wholes[index]) - 1) for index in group
            )
            for index in group:
                pairs[index], rules[index] = _cut(wholes[index], seam, begin), rules[index] or MOVED
    return OptionPairs(pairs, tuple(rules))


def rule_findings(answers: Iterable[Answer]) -> list[Finding]:
    """How many documents have options that are scored by a rule of their own."""
    scores = [answer for answer in answers if isinstance(answer, Score)]
    kinds = {MOVED: "options_moved", END: "options_end", CUT: "options_cut"}
    counts = {rule: sum(rule in score.rules for score in scores) for rule in kinds}
    return [Finding(kinds[rule], count, len(scores)) for rule, count in counts.items() if count]


def with_cuts(rules: tuple[str, ...], cut: Set[int], size: int) -> tuple[str, ...]:
    """The rules of a document's options with those that the window cut named."""
    if not cut:
        return rules
    return tuple(CUT if index in cut else rule for index, rule in enumerate(rules or (USUAL,) * size))


def _ended(split: Split, end: int | None) -> list[int]:
    if end is None:
        raise ValueError(
            "an option has no token of its own, and the tokenizer no token that ends a text; "
            "leave the empty option out"
        )
    return [*split.context, end]


def _cut(whole: list[int], seam: int, begin: int | None) -> Pair:
    """A whole in two at a seam.

    A seam at the very start leaves no context: the token that begins a text stands for it, as
    before an empty context.
    """
    if seam:
        return whole[:seam], whole[seam:]
    if begin is None:
        raise ValueError(
            "an option merges with its whole context, and the tokenizer has no token that begins a text"
        )
    return [begin], whole


def _alike(left: Sequence[int], right: Sequence[int]) -> int:
    """How many first ids are the same."""
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index
    return min(len(left), len(right))
