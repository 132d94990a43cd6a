"""Log-probabilities of continuations through vLLM: one request a distinct input, in the order that
keeps shared prefixes hot.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.engines.rows import InputRow, ScorePlan
from harness.engines.vllm.asking import Asker, RowLogprobs
from harness.engines.vllm.client import Request, Session, VllmClient

log = logging.getLogger(__name__)

_SURE = math.log(0.5)  # a token of more than half the probability is the likeliest


@dataclass(slots=True)
class ScoringRequest:
    """One request: a row, how many of its last tokens are scored, the ids asked for after it, the
    way, and the continuations it answers.

    ``check`` holds the reading whose greedy flags a check by decoding will complete; a primer
    answers nothing.
    """

    row: InputRow
    ids: list[int]
    scored: int
    last: list[int]
    way: str
    continuations: list[int]
    check: RowLogprobs | None = None


class VllmScorer:
    """Answers a `ScorePlan`. ``way`` is how several tokens are scored; ``block``: tokens a block of
    the prefix cache; ``labels``: most ids a request may ask for.

    ``reissued`` counts requests asked again because the cache had swallowed a row; ``primed`` those
    that only filled the cache.
    """

    def __init__(self, client: VllmClient, asker: Asker, way: str, block: int, labels: int) -> None:
        self._client, self._asker, self._way = client, asker, way
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
            ask: ScoringRequest = request.owner
            score = plan.scores[ask.row.owner]
            score.computed += (
                len(request.ids) + len(output.outputs[0].token_ids) - 1 - (output.num_cached_tokens or 0)
            )
            score.seconds += session.seconds
            if ask.continuations:
                yield from self._settle(plan, session, ask, output)

    def _requests(self, plan: ScorePlan) -> Iterator[Request]:
        before: list[int] = []
        for row in plan.rows:
            ids = row.inputs.tolist()
            scored = max(len(plan.continuations[index].targets) for index in row.continuations) - 1
            context = ids[: len(ids) - scored]
            asks = list(self._asks(plan, row, ids, scored))
            # The first row of a context would score what it does not find in the cache; a request
            # before it puts the context there.
            if asks[0].way == "tail" and scored and len(context) > self._block and context != before:
                self.primed += 1
                yield Request(ScoringRequest(row, context, 0, [], "last", []), context, self._asker.primer())
            before = context
            yield from map(self._request, asks)

    def _asks(self, plan: ScorePlan, row: InputRow, ids: list[int], scored: int) -> Iterator[ScoringRequest]:
        """The requests of a row: one, unless there are too many ids after it, or each must be
        forced on its own.
        """
        by_last: dict[int, list[int]] = {}
        for index in row.continuations:
            by_last.setdefault(int(plan.continuations[index].targets[-1]), []).append(index)
        way = self._choose(len(ids), scored)
        size = 1 if way == "forced" else self._labels
        labels = sorted(by_last)
        for start in range(0, len(labels), size):
            part = labels[start : start + size]
            yield ScoringRequest(
                row, ids, scored, part, way, [index for label in part for index in by_last[label]]
            )

    def _choose(self, length: int, scored: int) -> str:
        """Forced decoding scores only what is asked for, a step a token: it wins where the context
        is the longer part (docs/vllm.md).
        """
        if not scored:
            return "last"
        if self._way == "forced":
            return "forced" if length - scored > scored else self._asker.cheapest_rows
        return self._way

    def _request(self, ask: ScoringRequest) -> Request:
        params = self._asker.params(ask.way, ask.ids, ask.scored, ask.last)
        return Request(ask, self._asker.prompt(ask.way, ask.ids, ask.scored), params)

    def _settle(
        self, plan: ScorePlan, session: Session, ask: ScoringRequest, output: object
    ) -> Iterator[int]:
        if ask.check is not None:
            written = list(output.outputs[0].token_ids)  # type: ignore[attr-defined]
            flags = [
                token == wanted
                for token, wanted in zip(written, ask.ids[len(ask.ids) - ask.scored :], strict=True)
            ]
            yield from self._fill(plan, ask, ask.check, flags)
            return
        reading = self._asker.read(ask.way, output, ask.ids, ask.scored)
        if reading is None:
            self.reissued += 1
            ask.way = "whole"
            session.add(self._request(ask))
        elif reading.inner_greedy is not None:
            yield from self._fill(plan, ask, reading, reading.inner_greedy)
        elif self._undecided(plan, ask, reading):
            ask.check = reading
            start = ask.ids[: len(ask.ids) - ask.scored]
            session.add(Request(ask, start, self._asker.greedy(ask.scored)))
        else:
            yield from self._fill(plan, ask, reading, [value > _SURE for value in reading.inner])

    @staticmethod
    def _undecided(plan: ScorePlan, ask: ScoringRequest, reading: RowLogprobs) -> bool:
        """Whether a continuation may be what greedy decoding writes, and its log-probabilities
        alone do not say.
        """
        return reading.top in ask.last and any(value <= _SURE for value in reading.inner)

    def _fill(
        self, plan: ScorePlan, ask: ScoringRequest, reading: RowLogprobs, greedy: list[bool]
    ) -> Iterator[int]:
        for index in ask.continuations:
            targets = plan.continuations[index].targets
            kept, label = len(targets) - 1, int(targets[-1])
            values = np.array([*reading.inner[len(reading.inner) - kept :], reading.last[label]], np.float64)
            flags = greedy[len(greedy) - kept :] if kept else []
            owner = plan.fill(index, values, all(flags) and reading.top == label)
            if owner is not None:
                yield owner
