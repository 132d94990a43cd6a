"""From items to plans and back to answers: what every engine that scores token ids does around its
own scorer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.engines.portions import PAIR, ahead, portions
from harness.engines.rows import PartialScore, ScorePlan, rolling_windows
from harness.engines.seams import with_cuts
from harness.engines.tokenizer import TextEncoder
from harness.errors import ModelError
from harness.items import Choice, Completion, Likelihood, Passage, Score, Tokens


class PlanScorer(Protocol):
    """A scorer: fills a plan's scores and yields each owner when its score is whole."""

    def run(self, plan: ScorePlan) -> Iterator[int]:
        """Answers a plan."""


@dataclass(frozen=True)
class TextSide:
    """A model's text side: its tokenizer, its window in tokens, its number of embedding rows, its
    name.
    """

    encoder: TextEncoder
    window: int
    rows: int
    label: str

    def check(self, lists: Iterable[Sequence[int]]) -> None:
        """A token without an embedding would crash a GPU for good: raises ModelError instead."""
        largest = max((max(ids) for ids in lists if len(ids)), default=0)
        if largest >= self.rows:
            raise ModelError(
                f"{self.label}: token id {largest} has no embedding (there are {self.rows}); wrong tokenizer?"
            )

    def prompts(self, items: Sequence[Completion]) -> list[list[int]]:
        """Token ids of each item's prompt.

        Raises ModelError for an id that the model does not have.
        """
        encoded = self.encoder.encode(item.prompt for item in items if item.prompt_ids is None)
        prompts = [
            encoded[item.prompt] if item.prompt_ids is None else list(item.prompt_ids) for item in items
        ]
        self.check(prompts)
        return prompts

    def score(self, items: Sequence[Choice], scorer: PlanScorer) -> Iterator[Score]:
        """Log-probabilities of continuations, in portions of bounded size."""
        texts = [
            (
                "\0".join(item.pairs[0]) if item.pairs else "",
                sum(PAIR + len(a) + len(b) for a, b in item.pairs),
            )
            for item in items
        ]

        def prepare(portion: list[int]) -> tuple[list[int], list[tuple[str, ...]], ScorePlan]:
            options = self.encoder.options([items[index].pairs for index in portion])
            self.check(ids for each in options for pair in each.pairs for ids in pair)
            return (
                portion,
                [each.rules for each in options],
                ScorePlan([each.pairs for each in options], self.window),
            )

        for portion, rules, plan in ahead(prepare, portions(texts)):
            for place in scorer.run(plan):
                found = plan.scores[place]
                key, greedy = items[portion[place]].key, tuple(found.greedy)
                sizes, told = tuple(found.lengths), with_cuts(rules[place], found.cut, len(found.lengths))
                yield Score(
                    key,
                    tuple(found.logprobs),
                    greedy,
                    sizes,
                    _tokens(found),
                    found.truncated,
                    found.seconds,
                    told,
                )

    def perplexity(self, items: Sequence[Passage], scorer: PlanScorer) -> Iterator[Likelihood]:
        """Log-probabilities of whole texts by rolling windows."""

        def prepare(portion: list[int]) -> tuple[list[int], ScorePlan]:
            encoded = self.encoder.encode(items[index].text for index in portion)
            self.check(encoded.values())
            prefix = self.encoder.prefix_id
            return portion, ScorePlan(
                [rolling_windows(encoded[items[index].text], prefix, self.window) for index in portion],
                self.window,
            )

        for portion, plan in ahead(prepare, portions([(item.text, len(item.text)) for item in items])):
            for place in scorer.run(plan):
                found = plan.scores[place]
                key, logprob = items[portion[place]].key, sum(found.logprobs)
                yield Likelihood(
                    key, logprob, _tokens(found), sum(found.lengths), found.truncated, found.seconds
                )


def _tokens(found: PartialScore) -> Tokens:
    return Tokens(found.prompt, found.computed, max(0, found.prompt - found.computed))
