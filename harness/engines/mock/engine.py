"""Answers made from a hash of the question, so that everything above engines can be tested in
milliseconds.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.config.schema import ModelSpec
from harness.engines.mock.options import MockOptions
from harness.engines.protocol import EngineInfo
from harness.engines.seams import END, USUAL
from harness.errors import ModelError, OutOfMemoryError
from harness.items import Choice, Completion, Finish, Generation, Likelihood, Passage, Score, Tokens

_WORDS = ("A", "B", "C", "D", "42", "yes", "no", "北京", "the", "是")


class MockEngine:
    """Deterministic answers: equal items get equal answers in any batch, order and process."""

    def __init__(self, spec: ModelSpec) -> None:
        self._options = MockOptions.of(spec)
        self._salt = f"{spec.id}:{spec.seed}"
        self._answered = 0
        self._closed = False

    @property
    def info(self) -> EngineInfo:
        """A mock's description: no versions, no parameters."""
        return EngineInfo("mock", {}, "cpu", "none", context_length=1 << 20, parameters=0, load_seconds=0.0)

    def score(self, items: Sequence[Choice]) -> Iterator[Score]:
        """Log-probabilities between -20 and 0 from a hash of each pair."""
        for item in items:
            started = self._next(item.key)
            draws = [self._draw(context, continuation) for context, continuation in item.pairs]
            rules = tuple(USUAL if continuation else END for _, continuation in item.pairs)
            lengths = tuple(max(1, len(continuation)) for _, continuation in item.pairs)
            tokens = _count(sum(len(context) for context, _ in item.pairs) + sum(lengths))
            logprobs = tuple(self._spoilt(-20.0 * draw) for draw in draws)
            greedy = tuple(draw < 0.1 for draw in draws)

            # Rules are named only where an option is scored by one of its own, as elsewhere.
            named = rules if END in rules else ()
            seconds = time.perf_counter() - started
            yield Score(item.key, logprobs, greedy, lengths, tokens, 0, seconds, named)

    def generate(self, items: Sequence[Completion]) -> Iterator[Generation]:
        """``answer``, or a few words chosen by a hash of the prompt and the seed."""
        begun = time.perf_counter()
        for item in items:
            time.sleep(max(0.0, (item.arrival or 0.0) - (time.perf_counter() - begun)))
            started = self._next(item.key)
            first = time.perf_counter() - begun
            text, stopped = self._text(item)
            now = time.perf_counter()

            # One character is one token; what a measurement asks for is exactly as long as it says.
            ids = (
                tuple(range(item.max_tokens if item.ignore_eos else len(text)))
                if item.prompt_ids is not None
                else None
            )
            size = len(item.prompt_ids) if item.prompt_ids is not None else len(item.prompt)
            written = item.max_tokens if item.ignore_eos else len(text)
            tokens = Tokens(size, size + written, 0, written)
            finish: Finish = "length" if item.ignore_eos else "stop" if stopped else "eos"
            broken = None if self._spoilt(0.0) == 0.0 else "nan"
            yield Generation(
                item.key, text, finish, tokens, 0, now - started, first, now - begun, ids, broken=broken
            )

    def perplexity(self, items: Sequence[Passage]) -> Iterator[Likelihood]:
        """Two nats a character, give or take a hash of the text."""
        for item in items:
            started = self._next(item.key)
            size = len(item.text)
            logprob = self._spoilt(-size * (1.5 + self._draw("", item.text)))
            yield Likelihood(item.key, logprob, _count(size), size, 0, time.perf_counter() - started)

    def close(self) -> None:
        """Nothing to give back; a second call does no harm."""
        self._closed = True

    def _next(self, key: str) -> float:
        """Counts an item, waits, fails where asked to; returns the clock."""
        if self._closed:
            raise RuntimeError("this engine was closed")

        # A failure comes before the item is counted or traced: it was never answered.
        started = time.perf_counter()
        if self._answered == self._options.fail_after:
            raise ModelError(f"the mock engine failed after {self._answered} items, as asked")
        if self._answered == self._options.oom_after:
            raise OutOfMemoryError(
                f"the mock engine ran out of memory after {self._answered} items, as asked"
            )
        if self._answered == self._options.crash_after:
            os._exit(139)

        self._answered += 1
        if self._options.trace:
            with Path(self._options.trace).open("a", encoding="utf-8") as trace:
                trace.write(key + "\n")
        if self._options.delay:
            time.sleep(self._options.delay)
        return started

    def _spoilt(self, value: float) -> float:
        """The value, or NaN in the answers that shall have none."""
        every = self._options.not_finite
        return math.nan if every and self._answered % every == 0 else value

    def _draw(self, *parts: str) -> float:
        """A number in [0, 1) from a hash."""
        digest = hashlib.sha256("\0".join((self._salt, *parts)).encode()).digest()
        return int.from_bytes(digest[:7], "big") / 256.0**7

    def _text(self, item: Completion) -> tuple[str, bool]:
        """(text before the first stop text, whether there was one)."""
        text = self._options.answer
        if text is None:
            prompt = item.prompt if item.prompt_ids is None else repr(item.prompt_ids)
            seed = str(item.sampling.seed) if item.sampling.temperature > 0 else ""
            text = " ".join(
                _WORDS[int(self._draw(prompt, seed, str(index)) * len(_WORDS))] for index in range(3)
            )

        whole = len(text)
        for stop in item.stop:
            if stop:
                text = text.split(stop)[0]
        return text, len(text) < whole


def _count(size: int) -> Tokens:
    return Tokens(prompt=size, computed=size)
