"""Log-probabilities of continuations through vLLM: one request per distinct input.

Requests go in the order of their tokens, which keeps shared prefixes in the cache.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.engines.rows import InputRow, ScorePlan
from harness.engines.vllm.client import Request, Session, VllmClient
from harness.engines.vllm.logprobs import LogprobRequests, RowLogprobs

log = logging.getLogger(__name__)

_SURE = math.log(0.5)  # a token of more than half the probability is the likeliest


@dataclass(slots=True)
class ScoringRequest:
    """One request for a row: how it is made, and the continuations (indices) that it answers.

    ``scored``: how many of the row's last tokens are scored; ``last``: the ids requested after it.
    ``unconfirmed`` holds log-probabilities whose greedy flags a request by greedy decoding will
    complete. A request that only fills the cache answers nothing.
    """

    row: InputRow
    ids: list[int]
    scored: int
    last: list[int]
    method: str
    continuations: list[int]
    unconfirmed: RowLogprobs | None = None


class VllmScorer:
    """Answers a `ScorePlan`.

    ``method``: how several tokens are scored; ``block``: tokens per block of the prefix cache;
    ``labels``: most ids that one request may report. ``reissued`` counts requests made again
    because the cache had swallowed a row; ``primed`` those that only filled the cache.
    """

    def __init__(
        self, client: VllmClient, requests: LogprobRequests, method: str, block: int, labels: int
    ) -> None:
        self._client, self._logprobs, self._method = client, requests, method
        self._block, self._labels = block, labels
        self.reissued = 0
        self.primed = 0

    def run(self, plan: ScorePlan) -> Iterator[int]:
        """Yields each owner as soon as its score is whole.

        Raises ModelError and OutOfMemoryError.
        """
        yield from (owner for owner, score in enumerate(plan.scores) if not score.open)
        session = Session(self._client, self._requests(plan))
        for request, output in session:
            if not output.finished:
                continue

            # What went through the model: prompt and output, but for the last token written (which
            # is only sampled) and for what the cache had.
            scoring: ScoringRequest = request.payload
            score = plan.scores[scoring.row.owner]
            score.computed += (
                len(request.ids) + len(output.outputs[0].token_ids) - 1 - (output.num_cached_tokens or 0)
            )
            score.seconds += session.seconds
            if scoring.continuations:
                yield from self._settle(plan, session, scoring, output)

    def _requests(self, plan: ScorePlan) -> Iterator[Request]:
        """The requests of all rows, each made when it is taken: a plan may have many."""
        before: list[int] = []
        for row in plan.rows:
            ids = row.inputs.tolist()
            scored = max(len(plan.continuations[index].targets) for index in row.continuations) - 1
            context = ids[: len(ids) - scored]
            requests = list(self._row_requests(plan, row, ids, scored))

            # The first row of a context would put all that it does not find in the cache through
            # the head; a request before it puts the context into the cache without.
            if requests[0].method == "tail" and scored and len(context) > self._block and context != before:
                self.primed += 1
                primer = ScoringRequest(row, context, 0, [], "last", [])
                yield Request(primer, context, self._logprobs.prefill_params())
            before = context
            yield from map(self._request, requests)

    def _row_requests(
        self, plan: ScorePlan, row: InputRow, ids: list[int], scored: int
    ) -> Iterator[ScoringRequest]:
        """The requests of a row.

        One, unless there are more ids after it than a request may report, or each must be forced on
        its own.
        """
        by_last: dict[int, list[int]] = {}
        for index in row.continuations:
            by_last.setdefault(int(plan.continuations[index].targets[-1]), []).append(index)

        method = self._choose_method(len(ids), scored)
        size = 1 if method == "forced" else self._labels
        labels = sorted(by_last)
        for start in range(0, len(labels), size):
            part = labels[start : start + size]
            continuations = [index for label in part for index in by_last[label]]
            yield ScoringRequest(row, ids, scored, part, method, continuations)

    def _choose_method(self, length: int, scored: int) -> str:
        """The method for a row of ``length`` tokens.

        Forced decoding computes the head only where it is needed, but takes one step per token: it
        wins where the context is the longer part (docs/vllm.md).
        """
        if not scored:
            return "last"
        if self._method == "forced":
            return "forced" if length - scored > scored else self._logprobs.cheapest_prompt_method
        return self._method

    def _request(self, scoring: ScoringRequest) -> Request:
        params = self._logprobs.params(scoring.method, scoring.ids, scoring.scored, scoring.last)
        prompt = self._logprobs.prompt(scoring.method, scoring.ids, scoring.scored)
        return Request(scoring, prompt, params)

    def _settle(
        self, plan: ScorePlan, session: Session, scoring: ScoringRequest, output: Any
    ) -> Iterator[int]:
        """Takes an output into the plan, or makes the request that completes it."""
        context = scoring.ids[: len(scoring.ids) - scoring.scored]
        if scoring.unconfirmed is not None:
            greedy = [
                token == target
                for token, target in zip(
                    output.outputs[0].token_ids, scoring.ids[len(context) :], strict=True
                )
            ]
            yield from self._fill(plan, scoring, scoring.unconfirmed, greedy)
            return

        logprobs = self._logprobs.parse(scoring.method, output, scoring.ids, scoring.scored)
        if logprobs is None:
            # The cache swallowed a row: once more, without reading the cache.
            self.reissued += 1
            scoring.method = "whole"
            session.add(self._request(scoring))
        elif logprobs.inner_greedy is not None:
            yield from self._fill(plan, scoring, logprobs, logprobs.inner_greedy)
        elif _is_undecided(scoring, logprobs):
            scoring.unconfirmed = logprobs
            session.add(Request(scoring, context, self._logprobs.greedy_params(scoring.scored)))
        else:
            yield from self._fill(plan, scoring, logprobs, [value > _SURE for value in logprobs.inner])

    def _fill(
        self, plan: ScorePlan, scoring: ScoringRequest, logprobs: RowLogprobs, greedy: list[bool]
    ) -> Iterator[int]:
        """Gives each continuation its log-probabilities; yields owners that are whole."""
        for index in scoring.continuations:
            targets = plan.continuations[index].targets

            # Continuations of one row end together but begin at different tokens, so each takes
            # the end of what was scored.
            inner, label = len(targets) - 1, int(targets[-1])
            values = np.array(
                [*logprobs.inner[len(logprobs.inner) - inner :], logprobs.last[label]], np.float64
            )
            flags = greedy[len(greedy) - inner :] if inner else []
            owner = plan.fill(index, values, all(flags) and logprobs.top == label)
            if owner is not None:
                yield owner


def _is_undecided(scoring: ScoringRequest, logprobs: RowLogprobs) -> bool:
    """Whether a continuation may be the greedy one, and its log-probabilities alone do not say.

    It cannot be where the likeliest last token is another; it is where every token has more than
    half the probability.
    """
    return logprobs.top in scoring.last and any(value <= _SURE for value in logprobs.inner)
