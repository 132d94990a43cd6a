"""An engine without a model: answers made from a hash of the question, so that everything above
engines can be tested in milliseconds.

``engine_args``: ``answer`` (text of every generation), ``delay`` (seconds an item), ``fail_after``
/ ``oom_after`` / ``crash_after`` (after so many items of this engine's life raise ModelError /
OutOfMemoryError / end the process at once), ``not_finite`` (every so-manieth answer is no finite
number), ``trace`` (a file that gets one line an item asked, so that a test can see what was asked
twice).
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.protocol import EngineInfo
from harness.engines.seams import END, USUAL
from harness.errors import ModelError, OutOfMemoryError
from harness.items import Choice, Completion, Finish, Generation, Likelihood, Passage, Score, Tokens

_WORDS = ("A", "B", "C", "D", "42", "yes", "no", "北京", "the", "是")


@dataclass(frozen=True)
class MockOptions:
    """What ``engine_args`` may say; None means never."""

    answer: str | None = None
    delay: float = 0.0
    fail_after: int | None = None
    oom_after: int | None = None
    crash_after: int | None = None
    not_finite: int | None = None
    trace: str | None = None


def mock_identity(spec: ModelSpec) -> dict[str, Any]:
    """The mock's part of a cell's identity: failures and delays change no answer, so they are left
    out.
    """
    return {
        "engine": "mock",
        "versions": {},
        "device": "cpu",
        "dtype": "none",
        "answer": spec.engine_args.get("answer"),
        "seed": spec.seed,
    }


class MockEngine:
    """Deterministic answers: equal items get equal answers in any batch, order and process."""

    def __init__(self, spec: ModelSpec) -> None:
        known = {option.name for option in fields(MockOptions)}
        if unknown := sorted(set(spec.engine_args) - known):
            raise ModelError(
                f"{spec.label}: the mock engine has no engine_args {', '.join(unknown)}; it has {', '.join(sorted(known))}"
            )
        self._options = MockOptions(**spec.engine_args)
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
            logprobs = tuple(-20.0 * draw for draw in draws)
            logprobs = tuple(self._spoilt(value) for value in logprobs)
            seconds, told = time.perf_counter() - started, rules if END in rules else ()
            yield Score(
                item.key, logprobs, tuple(draw < 0.1 for draw in draws), lengths, tokens, 0, seconds, told
            )

    def generate(self, items: Sequence[Completion]) -> Iterator[Generation]:
        """``answer``, or a few words chosen by a hash of the prompt and the seed."""
        begun = time.perf_counter()
        for item in items:
            time.sleep(max(0.0, (item.arrival or 0.0) - (time.perf_counter() - begun)))
            started = self._next(item.key)
            first = time.perf_counter() - begun
            text, stopped = self._text(item)
            now = time.perf_counter()
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
                _WORDS[int(self._draw(prompt, seed, str(place)) * len(_WORDS))] for place in range(3)
            )
        whole = len(text)
        for stop in item.stop:
            if stop:
                text = text.split(stop)[0]
        return text, len(text) < whole


def _count(size: int) -> Tokens:
    return Tokens(prompt=size, computed=size)
