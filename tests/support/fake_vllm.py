"""A stand-in for vLLM's engine: a toy model, a prefix cache in blocks, and vLLM's own habits.

The toy's log-probabilities follow from a hash of the tokens so far, so that every answer can be
checked against `logprobs`.
"""

from __future__ import annotations

import hashlib
import math
from types import SimpleNamespace
from typing import Any

VOCABULARY = 12
GARBAGE = -999.0
"""What stands in rows that the V1 runner never computed."""


def logprobs(ids: list[int]) -> list[float]:
    """The toy model's log-probabilities of the token after ``ids``."""
    digest = hashlib.sha256(bytes(ids)).digest()
    weights = [1 + byte**2 for byte in digest[:VOCABULARY]]
    total = sum(weights)
    return [math.log(weight / total) for weight in weights]


def best(ids: list[int]) -> int:
    """The likeliest token after ``ids``."""
    row = logprobs(ids)
    return row.index(max(row))


def params(**given: Any) -> SimpleNamespace:
    """SamplingParams' stand-in."""
    return SimpleNamespace(
        **({"prompt_logprobs": None, "prompt_logprob_token_ids": None, "extra_args": None} | given)
    )


class FakeEngine:
    """Answers requests as vLLM does; ``requests`` are all that came.

    ``v2``: by the V2 runner's habits; ``fail_at``: the step that raises; ``slots``: requests that
    run at a time.
    """

    def __init__(self, block: int = 4, v2: bool = False, fail_at: int | None = None, slots: int = 3) -> None:
        self.block, self.v2, self.fail_at, self.slots = block, v2, fail_at, slots
        self.waiting: dict[str, tuple[list[int], Any]] = {}
        self.requests: list[tuple[list[int], Any]] = []
        self.aborted: list[str] = []
        self.steps = 0
        self._blocks: set[tuple[int, ...]] = set()

    def add_request(
        self, name: str, prompt: dict[str, list[int]], given: Any, lora_request: Any = None
    ) -> str:
        """Queues a request; an empty prompt is refused, as vLLM does."""
        ids = prompt["prompt_token_ids"]
        if not ids:
            raise ValueError("The decoder prompt cannot be empty")
        self.waiting[name] = (list(ids), given)
        self.requests.append((list(ids), given))
        return name

    def abort_request(self, names: list[str]) -> None:
        """Forgets requests."""
        self.aborted += names
        for name in names:
            self.waiting.pop(name, None)

    def step(self) -> list[Any]:
        """Answers the first few requests."""
        self.steps += 1
        if self.steps == self.fail_at:
            raise RuntimeError("EngineCore encountered an issue.\nSee above.")
        names = list(self.waiting)[: self.slots]
        return [self._answer(name, *self.waiting.pop(name)) for name in names]

    def _answer(self, name: str, ids: list[int], given: Any) -> Any:
        cached = self._cached(ids, given)
        output: list[int] = []
        entries = []
        forced = (given.extra_args or {}).get("harness_force", [])
        for index in range(given.max_tokens):
            # What is forced changes the token, not the log-probabilities that are reported.
            row = logprobs(ids + output)
            token = forced[index] if index < len(forced) else row.index(max(row))
            reported = [token, *getattr(given, "logprob_token_ids", [])]
            entries.append({one: entry(row, one) for one in reported})
            output.append(token)

        prompt_rows, chosen = self._prompt(ids, given, cached)
        answer = SimpleNamespace(token_ids=output, logprobs=entries, finish_reason="length")
        return SimpleNamespace(
            request_id=name,
            finished=True,
            outputs=[answer],
            prompt_logprobs=prompt_rows,
            prompt_token_id_logprobs=chosen,
            num_cached_tokens=cached,
            metrics=None,
        )

    def _cached(self, ids: list[int], given: Any) -> int:
        """Tokens that the cache holds: whole blocks, never the last token.

        Then the request's own blocks go into the cache.
        """
        # vLLM's default: no reading where log-probabilities of the prompt are requested.
        skip = getattr(given, "skip_reading_prefix_cache", None)
        skip = given.prompt_logprobs is not None if skip is None else skip

        ends = range(self.block, len(ids) + 1, self.block)
        hit = 0
        for end in ends:
            if skip or end >= len(ids) or tuple(ids[:end]) not in self._blocks:
                break
            hit = end
        self._blocks |= {tuple(ids[:end]) for end in ends}
        return hit

    def _prompt(self, ids: list[int], given: Any, cached: int) -> tuple[Any, Any]:
        if given.prompt_logprob_token_ids is not None:
            start = given.prompt_logprob_start
            targets = given.prompt_logprob_token_ids
            assert len(targets) == len(ids) - 1 - start, "vLLM refuses another number of rows"
            chosen = [[logprobs(ids[: start + row + 1])[int(token[0])]] for row, token in enumerate(targets)]
            return None, None if cached > start else chosen
        if given.prompt_logprobs is None:
            return None, None

        # The V1 runner hands out rows that it never computed, the V2 runner leaves them out.
        rows: list[Any] = [None]
        for index in range(1, len(ids)):
            token = ids[index]
            if index <= cached:
                rows.append({token: SimpleNamespace(logprob=GARBAGE, rank=1)})
            else:
                rows.append({token: entry(logprobs(ids[:index]), token)})
        return (rows[cached + 1 :] if self.v2 else rows), None


def entry(row: list[float], token: int) -> Any:
    """A token's log-probability and rank, as vLLM reports them."""
    return SimpleNamespace(logprob=row[token], rank=1 + sum(value > row[token] for value in row))
