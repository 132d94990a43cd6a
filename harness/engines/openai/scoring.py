"""Log-probabilities of given tokens over the wire: vLLM's ``prompt_logprobs``, or ``echo`` with
``logprobs``; which one, a probe says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.engines.openai.client import EndpointClient
from harness.engines.openai.endpoint import EndpointError
from harness.engines.openai.probing import Probe, fault_of
from harness.engines.openai.reading import choice_of, count
from harness.engines.openai.wire import Dialect
from harness.engines.tokenizer import Pair
from harness.items import Tokens

Mode = Literal["prompt_logprobs", "echo"]
MODES: tuple[Mode, ...] = ("prompt_logprobs", "echo")
"""In order of preference: the first tells a token's rank, and names tokens by their ids."""
ABOVE = 1e-3
"""How far above 0 rounding may put a log-probability."""
NOTHING = -9999.0
"""What vLLM writes for minus infinity, which JSON does not have."""


@dataclass(frozen=True)
class ScoredRow:
    """A pair as it is sent.

    Its ids, how many of the last of them are scored, and how many were cut from the left.
    """

    ids: tuple[int, ...]
    scored: int
    truncated: int


@dataclass(frozen=True)
class RowScore:
    """The sum of a row's log-probabilities, and whether greedy decoding would have written it.

    The sum is over the scored tokens, in nats. ``values``: each token's. ``ranked``: whether the
    server says what greedy decoding would write.
    """

    logprob: float
    greedy: bool
    tokens: Tokens
    values: tuple[float, ...] = ()
    ranked: bool = True


def make_row(pair: Pair, window: int | None) -> ScoredRow:
    """A pair cut to lm-eval's window, ``(context + continuation)[-(window + 1):]``.

    The last token of it is only predicted; None is no window.
    """
    context, continuation = pair
    whole = (*context, *continuation)
    ids = whole if window is None else whole[-(window + 1) :]
    return ScoredRow(ids, min(len(continuation), len(ids) - 1), len(whole) - len(ids))


def body(mode: Mode, dialect: Dialect, ids: Sequence[int]) -> dict[str, Any]:
    """The request that has the log-probabilities of ``ids`` in its answer.

    One token is generated, since servers want one.
    """
    fields: dict[str, Any] = {
        "model": dialect.spec.id,
        "prompt": list(ids),
        "max_tokens": 1,
        "temperature": 0,
    }
    fields |= {"prompt_logprobs": 1} if mode == "prompt_logprobs" else {"echo": True, "logprobs": 1}
    return dialect.finish(fields)


def read(mode: Mode, answer: Mapping[str, Any], row: ScoredRow) -> RowScore:
    """Raises ValueError where the answer does not hold what was asked for."""
    figures = _prompt_logprobs(answer, row) if mode == "prompt_logprobs" else _echo(answer, row)
    values = tuple(logprob for logprob, _ in figures)
    usage, _ = count(answer)
    # The one token that had to be generated is no part of the work.
    tokens = Tokens(usage.prompt, usage.computed, usage.shared)
    ranked = all(greedy is not None for _, greedy in figures)
    return RowScore(math.fsum(values), all(greedy for _, greedy in figures), tokens, values, ranked)


def _prompt_logprobs(answer: Mapping[str, Any], row: ScoredRow) -> list[tuple[float, bool | None]]:
    """vLLM's format: a list as long as the prompt.

    It begins with null; each later entry maps token ids to logprob, rank and text.
    """
    choice = choice_of(answer)
    rows = choice.get("prompt_logprobs") or answer.get("prompt_logprobs")
    if not isinstance(rows, list) or len(rows) != len(row.ids):
        raise ValueError("an answer without prompt_logprobs for each token")

    figures: list[tuple[float, bool | None]] = []
    for index in range(len(row.ids) - row.scored, len(row.ids)):
        entry, token = rows[index], row.ids[index]
        own = entry.get(str(token)) if isinstance(entry, dict) else None
        if not isinstance(own, dict):
            raise ValueError(f"prompt_logprobs without token {token}: another tokenizer?")
        logprob, rank = _finite(own.get("logprob"), index, row), own.get("rank")
        best = max(_finite(other.get("logprob"), index, row) for other in entry.values())
        figures.append((logprob, rank == 1 if isinstance(rank, int) else logprob >= best))
    return figures


def _echo(answer: Mapping[str, Any], row: ScoredRow) -> list[tuple[float, bool | None]]:
    """OpenAI's first format: ``token_logprobs``, with ``top_logprobs`` beside them.

    They are those of the prompt and of the one generated token.
    """
    logprobs = choice_of(answer).get("logprobs")
    values = logprobs.get("token_logprobs") if isinstance(logprobs, dict) else None
    if (
        not isinstance(logprobs, dict)
        or not isinstance(values, list)
        or len(values) not in (len(row.ids), len(row.ids) + 1)
    ):
        raise ValueError("an answer whose logprobs do not cover the prompt")

    # Without the likeliest tokens nobody can say what greedy decoding would have written.
    tops = logprobs.get("top_logprobs")
    figures: list[tuple[float, bool | None]] = []
    for index in range(len(row.ids) - row.scored, len(row.ids)):
        logprob = _finite(values[index], index, row)
        top = tops[index] if isinstance(tops, list) and index < len(tops) else None
        best = [_finite(value, index, row) for value in top.values()] if isinstance(top, dict) else []
        figures.append((logprob, logprob >= max(best) if best else None))
    return figures


def _finite(value: Any, index: int, row: ScoredRow) -> float:
    """A log-probability as a number.

    Raises ValueError for anything else, with the token that it belongs to.
    """
    where = f"the log-probability of a token ({index + 1} of {len(row.ids)})"
    try:
        number = math.nan if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan

    if not math.isfinite(number) or number <= NOTHING:
        raise ValueError(f"{where} is no finite number: {value!r}")
    if number > ABOVE:
        raise ValueError(f"{where} is above 0: {value!r}")
    return number


@dataclass(frozen=True)
class LogprobSupport:
    """What a probe found of how an endpoint tells log-probabilities of a prompt.

    ``mode`` is None where it does not, for this ``reason``; ``ids``: whether prompts may be ids.
    ``ranked``: whether it the server also says what greedy decoding would write.
    """

    mode: Mode | None
    reason: str
    ids: bool
    ranked: bool = True


def probe(client: EndpointClient, dialect: Dialect, texts: Probe) -> LogprobSupport:
    """Asks texts in each way until one works and its figures can be a model's (see `probing`).

    Raises EndpointError when the endpoint is away or refuses the key.
    """
    reasons, accepted = [], False
    for mode in MODES:
        scores = []

        # Only an endpoint that is away or refuses the key ends the probe; all else speaks against
        # this way of asking.
        try:
            for ids in texts.rows:
                answer = client.post("/completions", body(mode, dialect, ids), len(ids) + 1).answer
                accepted = True
                scores.append(read(mode, answer, ScoredRow(ids, len(ids) - 1, 0)))
        except EndpointError as error:
            if error.tired or error.status in (401, 403):
                raise
            reasons.append(f"{mode}: HTTP {error.status}" if error.status else f"{mode}: {error}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reasons.append(f"{mode}: {error}")
        else:
            fault = fault_of([one.values for one in scores], texts.fork)
            if fault is None:
                return LogprobSupport(mode, "", ids=True, ranked=all(one.ranked for one in scores))
            reasons.append(f"{mode}: {fault}")
    return LogprobSupport(None, "; ".join(reasons), accepted)
