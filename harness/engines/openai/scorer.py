"""Items that are scored over the wire: the rows of an item one after another, their sums added up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from harness.engines.openai import scoring
from harness.engines.openai.client import EndpointClient
from harness.engines.openai.notes import Notes
from harness.engines.openai.understanding import understood
from harness.engines.openai.wire import Dialect
from harness.engines.seams import OptionPairs, with_cuts
from harness.engines.tokenizer import Pair
from harness.items import Choice, Likelihood, Passage, Score, Tokens


class Scorer:
    """Scores items of one endpoint in the way that a probe found to work.

    ``window``: tokens of a row at most; ``dialect`` gives the present one, since refusals teach.
    """

    def __init__(
        self,
        client: EndpointClient,
        notes: Notes,
        mode: scoring.Mode,
        window: int | None,
        dialect: Callable[[], Dialect],
    ) -> None:
        self._client, self._notes = client, notes
        self._mode, self._window, self._dialect = mode, window, dialect

    def score(self, request: tuple[Choice, OptionPairs], stop: threading.Event) -> Score:
        """The sums of a choice's options."""
        item, options = request
        begun = time.perf_counter()
        scores, rows = self._score_rows(options.pairs, stop)

        tokens = sum((one.tokens for one in scores), Tokens())
        lengths = tuple(len(continuation) for _, continuation in options.pairs)
        cut = {
            index for index, (row, size) in enumerate(zip(rows, lengths, strict=True)) if row.scored < size
        }
        rules = with_cuts(options.rules, cut, len(lengths))
        sums, greedy = tuple(one.logprob for one in scores), tuple(one.greedy for one in scores)
        truncated = sum(row.truncated for row in rows)
        return Score(item.key, sums, greedy, lengths, tokens, truncated, time.perf_counter() - begun, rules)

    def likelihood(self, request: tuple[Passage, list[Pair]], stop: threading.Event) -> Likelihood:
        """The sum of a passage's windows."""
        item, pairs = request
        begun = time.perf_counter()
        scores, rows = self._score_rows(pairs, stop)

        truncated = sum(row.truncated for row in rows)
        tokens = sum((one.tokens for one in scores), Tokens())
        predicted = sum(len(continuation) for _, continuation in pairs)
        return Likelihood(
            item.key,
            sum(one.logprob for one in scores),
            tokens,
            predicted,
            truncated,
            time.perf_counter() - begun,
        )

    def _score_rows(
        self, pairs: Sequence[Pair], stop: threading.Event
    ) -> tuple[list[scoring.RowScore], list[scoring.ScoredRow]]:
        """The scores of one item's pairs, and the rows that they were sent as.

        One pair after the other, since many items are asked at once; equal rows are asked once.
        """
        cache: dict[tuple[tuple[int, ...], int], scoring.RowScore] = {}
        rows = [scoring.make_row(pair, self._window) for pair in pairs]

        scores = []
        for row in rows:
            # Options with equal ids (mutual information, repeated options) cost one request.
            if (row.ids, row.scored) not in cache:
                dialect = self._dialect()
                body = scoring.body(self._mode, dialect, row.ids)
                answer = self._client.post("/completions", body, len(row.ids) + 1, stop).answer
                cache[row.ids, row.scored] = understood(
                    lambda: scoring.read(self._mode, answer, row),  # noqa: B023 - called at once
                    self._client,
                    answer.get("usage"),
                )
                self._notes.answered(dialect, answer, len(row.ids))
            scores.append(cache[row.ids, row.scored])
        return scores, rows
