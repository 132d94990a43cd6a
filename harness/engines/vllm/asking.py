"""The sampling parameters of each way to ask vLLM for log-probabilities, and how to read what comes
back.

A row is an input of token ids; what is wanted are the log-probabilities of its last tokens and of
one or more tokens after it.

| way | request | what it costs |
|---|---|---|
| last | one token generated after the row, chosen ids reported (``logprob_token_ids``) | one row of
  the LM
  head |
| rows | chosen ids of chosen prompt rows (``prompt_logprob_token_ids``, V2 runner) | the rows
  scored |
| forced | the row without its scored tokens is the prompt; they are written by force (`forcing`) |
  the rows
  scored, one step each |
| tail | ``prompt_logprobs`` of whatever the prefix cache does not hold | the rows after the last
  full block
  of cache |
| whole | ``prompt_logprobs`` without reading the cache | every row |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.engines.vllm.abilities import Abilities

FORCE = "harness_force"
"""Key of ``extra_args`` under which `forcing` finds the tokens to write."""
Make = Callable[..., Any]
"""vLLM's SamplingParams, or a stand-in."""


@dataclass(frozen=True)
class RowLogprobs:
    """Log-probabilities of a row's scored tokens and whether each is the likeliest (None: the
    answer does not say); then the same of the tokens asked for after the row, by id, and the
    likeliest there.
    """

    inner: list[float]
    inner_greedy: list[bool] | None
    last: dict[int, float]
    top: int


class Asker:
    """Makes parameters and reads outputs.

    ``scored``: how many of the row's last tokens are scored besides the one after it.
    """

    def __init__(self, make: Make, abilities: Abilities) -> None:
        self._make = make
        self._abilities = abilities

    @property
    def cheapest_rows(self) -> str:
        """The better of the two ways that read prompt rows."""
        return "tail" if self._abilities.tail else "whole"

    def params(self, way: str, ids: Sequence[int], scored: int, last: Sequence[int]) -> Any:
        """Parameters for a row of ``ids``.

        ``last``: token ids asked for after it (forced: exactly one).
        """
        more: dict[str, Any] = {"flat_logprobs": True} if self._abilities.flat else {}
        if self._abilities.shared_params:
            more["skip_clone"] = True
        if way == "forced":
            wanted = [*ids[len(ids) - scored :], *last]
            return self._make(
                max_tokens=len(wanted),
                temperature=0.0,
                detokenize=False,
                ignore_eos=True,
                logprobs=0,
                extra_args={FORCE: wanted},
                **more,
            )
        more["logprob_token_ids"] = list(last)
        if scored and way == "rows":
            more |= {"prompt_logprob_token_ids": np.asarray(ids[len(ids) - scored :], np.int64)[:, None]}
            more |= {"prompt_logprob_start": len(ids) - scored - 1, "skip_reading_prefix_cache": False}
        elif scored:
            more["prompt_logprobs"] = 0
            if way == "tail":
                more["skip_reading_prefix_cache"] = False
        return self._make(max_tokens=1, temperature=0.0, detokenize=False, ignore_eos=True, **more)

    def primer(self) -> Any:
        """Parameters of a request that only puts its prompt into the prefix cache."""
        more = {"skip_clone": True} if self._abilities.shared_params else {}
        return self._make(max_tokens=1, temperature=0.0, detokenize=False, ignore_eos=True, **more)

    def greedy(self, tokens: int) -> Any:
        """Parameters of a request that writes what greedy decoding writes."""
        return self._make(max_tokens=tokens, temperature=0.0, detokenize=False, ignore_eos=True)

    @staticmethod
    def prompt(way: str, ids: list[int], scored: int) -> list[int]:
        """The prompt's ids under a way."""
        return ids[: len(ids) - scored] if way == "forced" else ids

    @staticmethod
    def read(way: str, output: Any, ids: Sequence[int], scored: int) -> RowLogprobs | None:
        """What a finished output says; None where a hit of the prefix cache, or a token not forced,
        took part of it.
        """
        answer = output.outputs[0]
        if way == "forced":
            return _read_forced(answer, ids, scored)
        final = answer.logprobs[0]
        last, top = {token: entry.logprob for token, entry in final.items()}, answer.token_ids[0]
        if not scored:
            return RowLogprobs([], [], last, top)
        wanted = list(ids[len(ids) - scored :])
        if way == "rows":
            found = output.prompt_token_id_logprobs
            return (
                None
                if found is None or len(found) != scored
                else RowLogprobs([float(row[0]) for row in found], None, last, top)
            )
        # Rows that came from the cache are missing (V2) or hold whatever the memory held (V1):
        # never read them.
        if way == "tail" and (output.num_cached_tokens or 0) > len(ids) - scored - 1:
            return None
        entries = [output.prompt_logprobs[place - scored] for place in range(scored)]
        if any(token not in entry for token, entry in zip(wanted, entries, strict=True)):
            return None
        picked = [entry[token] for token, entry in zip(wanted, entries, strict=True)]
        return RowLogprobs(
            [entry.logprob for entry in picked], [entry.rank == 1 for entry in picked], last, top
        )


def _read_forced(answer: Any, ids: Sequence[int], scored: int) -> RowLogprobs | None:
    written = list(answer.token_ids)
    if written[:scored] != list(ids[len(ids) - scored :]) or len(written) != scored + 1:
        return None
    entries = [answer.logprobs[place][token] for place, token in enumerate(written)]
    greedy = [entry.rank == 1 for entry in entries]
    # The likeliest token after the row is known only where it is the one that was forced.
    return RowLogprobs(
        [entry.logprob for entry in entries[:-1]],
        greedy[:-1],
        {written[-1]: entries[-1].logprob},
        written[-1] if greedy[-1] else -1,
    )
