"""Log-probabilities of given tokens over the wire: vLLM's ``prompt_logprobs``, or ``echo`` with ``logprobs``; which one, a probe says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.engines.openai.client import Client, EndpointError
from harness.engines.openai.wire import Dialect, choice_of, count
from harness.engines.tokenizer import Pair
from harness.items import Tokens

Mode = Literal["prompt_logprobs", "echo"]
MODES: tuple[Mode, ...] = ("prompt_logprobs", "echo")
"""In order of preference: the first tells a token's rank, and names tokens by their ids."""


@dataclass(frozen=True)
class Row:
    """A pair as it is sent: the ids, how many of the last of them are scored, and how many were cut from the left."""

    ids: tuple[int, ...]
    scored: int
    truncated: int


@dataclass(frozen=True)
class Found:
    """Of one row: the sum of the scored tokens' log-probabilities, and whether greedy decoding would have written them."""

    logprob: float
    greedy: bool
    tokens: Tokens


def make_row(pair: Pair, window: int | None) -> Row:
    """lm-eval's window, ``(context + continuation)[-(window + 1):]``, of which the last token is predicted only; None is no window."""
    context, continuation = pair
    whole = (*context, *continuation)
    kept = whole if window is None else whole[-(window + 1) :]
    return Row(kept, min(len(continuation), len(kept) - 1), len(whole) - len(kept))


def body(mode: Mode, dialect: Dialect, ids: Sequence[int]) -> dict[str, Any]:
    """The request that has the log-probabilities of ``ids`` in its answer. One token is generated, since servers want one."""
    asked: dict[str, Any] = {"model": dialect.spec.id, "prompt": list(ids), "max_tokens": 1, "temperature": 0}
    asked |= {"prompt_logprobs": 1} if mode == "prompt_logprobs" else {"echo": True, "logprobs": 1}
    return dialect.finish(asked)


def read(mode: Mode, answer: Mapping[str, Any], row: Row) -> Found:
    """Raises ValueError where the answer does not hold what was asked for."""
    found = _prompt_logprobs(answer, row) if mode == "prompt_logprobs" else _echo(answer, row)
    sums = math.fsum(logprob for logprob, _ in found)
    told = count(answer)
    # The one token that had to be generated is no part of the work.
    return Found(sums, all(greedy for _, greedy in found), Tokens(told.prompt, told.computed, told.shared))


def _prompt_logprobs(answer: Mapping[str, Any], row: Row) -> list[tuple[float, bool]]:
    """vLLM: a list as long as the prompt, null and then a mapping of token id to logprob, rank and text."""
    choice = choice_of(answer)
    rows = choice.get("prompt_logprobs") or answer.get("prompt_logprobs")
    if not isinstance(rows, list) or len(rows) != len(row.ids):
        raise ValueError("an answer without prompt_logprobs for each token")
    found = []
    for token, entry in zip(row.ids[-row.scored :], rows[-row.scored :], strict=True):
        own = entry.get(str(token)) if isinstance(entry, dict) else None
        if not isinstance(own, dict):
            raise ValueError(f"prompt_logprobs without token {token}: another tokenizer?")
        logprob, rank = float(own["logprob"]), own.get("rank")
        best = max(float(other["logprob"]) for other in entry.values())
        found.append((logprob, rank == 1 if rank is not None else logprob >= best))
    return found


def _echo(answer: Mapping[str, Any], row: Row) -> list[tuple[float, bool]]:
    """OpenAI's first format: ``token_logprobs`` of the prompt and of the one generated token, ``top_logprobs`` beside them."""
    told = choice_of(answer).get("logprobs")
    values = told.get("token_logprobs") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(values, list) or len(values) not in (len(row.ids), len(row.ids) + 1):
        raise ValueError("an answer whose logprobs do not cover the prompt")
    tops = told.get("top_logprobs") or [None] * len(values)
    found = []
    for place in range(len(row.ids) - row.scored, len(row.ids)):
        if not isinstance(values[place], int | float):
            raise ValueError("an answer without the log-probability of a token")
        best = max((float(value) for value in (tops[place] or {}).values()), default=math.inf)
        found.append((float(values[place]), float(values[place]) >= best))
    return found


@dataclass(frozen=True)
class Ability:
    """What a probe found: how log-probabilities of a prompt are told (None: not at all, and why), and whether prompts may be ids."""

    mode: Mode | None
    reason: str
    ids: bool


def probe(client: Client, dialect: Dialect, ids: Sequence[int]) -> Ability:
    """Asks a short text in each way until one works. Raises EndpointError when the endpoint is away or refuses the key."""
    row, reasons, taken = Row(tuple(ids), len(ids) - 1, 0), [], False
    for mode in MODES:
        try:
            answer = client.post("/completions", body(mode, dialect, ids), len(ids) + 1)
            taken = True
            found = read(mode, answer, row)
        except EndpointError as error:
            if error.tired or error.status in (401, 403):
                raise
            reasons.append(f"{mode}: HTTP {error.status}" if error.status else f"{mode}: {error}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reasons.append(f"{mode}: {error}")
        else:
            if math.isfinite(found.logprob) and found.logprob <= 0:
                return Ability(mode, "", ids=True)
            reasons.append(f"{mode}: a log-probability of {found.logprob}")
    return Ability(None, "; ".join(reasons), taken)
