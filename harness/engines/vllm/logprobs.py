"""How log-probabilities are requested from vLLM: sampling parameters for each method, and parsing.

A row is an input of token ids; what is wanted are the log-probabilities of its last tokens and of
one or more tokens after it. ``docs/vllm.md`` has the measurements.

- **last**: one token is generated after the row, chosen ids are reported (``logprob_token_ids``).
  Costs one row of the LM head.
- **rows**: chosen ids of chosen prompt rows (``prompt_logprob_token_ids``, V2 runner). Costs the
  rows that are scored.
- **forced**: the row without its scored tokens is the prompt, and they are written by force
  (`forcing`). Costs the rows that are scored, one step each.
- **tail**: ``prompt_logprobs`` of whatever the prefix cache does not hold. Costs the rows after the
  last full block of cache.
- **whole**: ``prompt_logprobs`` without reading the cache. Costs every row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.engines.vllm.abilities import Abilities

FORCE = "harness_force"
"""Key of ``extra_args`` under which `forcing` finds the tokens to write."""
ParamsFactory = Callable[..., Any]
"""vLLM's SamplingParams, or a stand-in."""


@dataclass(frozen=True)
class RowLogprobs:
    """What an output says about a row.

    ``inner``: log-probabilities of its scored tokens; ``inner_greedy``: whether each is the
    likeliest (None: the output does not say). ``last``: log-probabilities of the tokens requested
    after the row, by id; ``top``: the likeliest token there, -1 where it is not known.
    """

    inner: list[float]
    inner_greedy: list[bool] | None
    last: dict[int, float]
    top: int


class LogprobRequests:
    """Makes parameters and parses outputs.

    ``scored``: how many of the row's last tokens are scored besides the one after it.
    """

    def __init__(self, make: ParamsFactory, abilities: Abilities) -> None:
        self._make = make
        self._abilities = abilities

    @property
    def cheapest_prompt_method(self) -> str:
        """The better of the two methods that read log-probabilities of the prompt itself."""
        return "tail" if self._abilities.tail else "whole"

    def params(self, method: str, ids: Sequence[int], scored: int, last: Sequence[int]) -> Any:
        """Parameters for a row of ``ids``.

        ``last``: token ids requested after it (forced: exactly one).
        """
        options: dict[str, Any] = {"flat_logprobs": True} if self._abilities.flat else {}
        if self._abilities.shared_params:
            options["skip_clone"] = True
        if method == "forced":
            tokens = [*ids[len(ids) - scored :], *last]
            # logprobs=0: of the token written only. The sampler reports it as it was before the
            # token was forced.
            return self._params(
                len(tokens), temperature=0.0, logprobs=0, extra_args={FORCE: tokens}, **options
            )

        options["logprob_token_ids"] = list(last)
        if scored and method == "rows":
            targets = np.asarray(ids[len(ids) - scored :], np.int64)
            options |= {"prompt_logprob_token_ids": targets[:, None]}
            options |= {"prompt_logprob_start": len(ids) - scored - 1, "skip_reading_prefix_cache": False}
        elif scored:
            # vLLM itself reads no cache where prompt_logprobs is set; for the tail it must.
            options["prompt_logprobs"] = 0
            if method == "tail":
                options["skip_reading_prefix_cache"] = False
        return self._params(1, temperature=0.0, **options)

    def prefill_params(self) -> Any:
        """Parameters of a request that only puts its prompt into the prefix cache."""
        options = {"skip_clone": True} if self._abilities.shared_params else {}
        return self._params(1, temperature=0.0, **options)

    def greedy_params(self, tokens: int) -> Any:
        """Parameters of a request that writes what greedy decoding writes."""
        return self._params(tokens, temperature=0.0)

    def _params(self, tokens: int, **options: Any) -> Any:
        """Parameters without text, for so many tokens, whichever they are."""
        return self._make(max_tokens=tokens, detokenize=False, ignore_eos=True, **options)

    @staticmethod
    def prompt(method: str, ids: list[int], scored: int) -> list[int]:
        """The prompt's ids under a method."""
        return ids[: len(ids) - scored] if method == "forced" else ids

    @staticmethod
    def parse(method: str, output: Any, ids: Sequence[int], scored: int) -> RowLogprobs | None:
        """What a finished output says.

        None where a hit of the prefix cache, or a token that was not forced, took part of it.
        """
        answer = output.outputs[0]
        if method == "forced":
            return _parse_forced(answer, ids, scored)
        final = answer.logprobs[0]
        last, top = {token: entry.logprob for token, entry in final.items()}, answer.token_ids[0]
        if not scored:
            return RowLogprobs([], [], last, top)

        targets = list(ids[len(ids) - scored :])
        if method == "rows":
            rows = output.prompt_token_id_logprobs
            if rows is None or len(rows) != scored:
                return None
            return RowLogprobs([float(row[0]) for row in rows], None, last, top)

        # Rows that came from the cache are missing (V2) or hold whatever the memory held (V1): they
        # must never be read, and how many tokens were cached tells which they are.
        if method == "tail" and (output.num_cached_tokens or 0) > len(ids) - scored - 1:
            return None
        entries = [output.prompt_logprobs[index - scored] for index in range(scored)]
        if any(token not in entry for token, entry in zip(targets, entries, strict=True)):
            return None
        chosen = [entry[token] for token, entry in zip(targets, entries, strict=True)]
        greedy = [entry.rank == 1 for entry in chosen]
        return RowLogprobs([entry.logprob for entry in chosen], greedy, last, top)


def _parse_forced(answer: Any, ids: Sequence[int], scored: int) -> RowLogprobs | None:
    tokens = list(answer.token_ids)
    if tokens[:scored] != list(ids[len(ids) - scored :]) or len(tokens) != scored + 1:
        return None
    entries = [answer.logprobs[index][token] for index, token in enumerate(tokens)]
    greedy = [entry.rank == 1 for entry in entries]

    # The likeliest token after the row is known only where it is the one that was forced.
    return RowLogprobs(
        inner=[entry.logprob for entry in entries[:-1]],
        inner_greedy=greedy[:-1],
        last={tokens[-1]: entries[-1].logprob},
        top=tokens[-1] if greedy[-1] else -1,
    )
