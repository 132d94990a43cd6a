"""An engine in one file: a language model of letter frequencies, learned from the model's ``id``."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pydantic import Field

from harness.config.schema import ModelSpec, Speed
from harness.engines import Backend, EngineInfo, EngineOptions, ModelFiles
from harness.items import Choice, Completion, Finish, Generation, Likelihood, Passage, Score, Tokens


class LettersOptions(EngineOptions):
    """What ``engine_args`` may say."""

    not_in_identity: ClassVar[frozenset[str]] = frozenset({"pause"})

    smoothing: float = Field(1.0, gt=0, description="Count of a letter that the id does not have.")
    pause: float = Field(0.0, ge=0, description="Seconds that each item takes.")


class LettersBackend(Backend):
    """What harness asks before a model is loaded. Everything not said here has a default."""

    name = "letters"
    options = LettersOptions
    source = "nothing"
    devices = ("cpu",)
    packages = ("harness-letters",)

    def open(self, spec: ModelSpec, files: ModelFiles, device: str, reason: str) -> LettersEngine:
        return LettersEngine(spec, self.versions(), LettersOptions.of(spec))

    def bench_args(self, spec: ModelSpec, device: str, speed: Speed) -> dict[str, Any]:
        return dict(spec.engine_args)  # it has no cache to switch off


class LettersEngine:
    """A letter is a token, and its probability does not depend on what stands before it."""

    def __init__(self, spec: ModelSpec, versions: dict[str, str], options: LettersOptions) -> None:
        self.info = EngineInfo("letters", versions, "cpu", spec.dtype, context_length=4096)
        self._options, self._counts = options, Counter(spec.id)
        self._total = sum(self._counts.values()) + options.smoothing * 2**16

    def _logprob(self, text: str) -> float:
        return sum(math.log((self._counts[sign] + self._options.smoothing) / self._total) for sign in text)

    def score(self, items: Sequence[Choice]) -> Iterator[Score]:
        for item in items:
            begin = self._start()
            texts = [continuation or "\n" for _, continuation in item.pairs]
            logprobs, lengths = tuple(map(self._logprob, texts)), tuple(map(len, texts))
            read = sum(len(context) for context, _ in item.pairs) + sum(lengths)
            greedy, seconds = (False,) * len(texts), time.perf_counter() - begin
            yield Score(item.key, logprobs, greedy, lengths, Tokens(read, read), 0, seconds)

    def generate(self, items: Sequence[Completion]) -> Iterator[Generation]:
        origin = time.perf_counter()
        for item in items:
            time.sleep(max(0.0, (item.arrival or 0.0) - (time.perf_counter() - origin)))
            begin = self._start()
            first = time.perf_counter() - origin
            draw = random.Random(item.sampling.seed if item.sampling.temperature else 0)
            text = "".join(draw.choices(list(self._counts), list(self._counts.values()), k=item.max_tokens))
            ends = [at for stop in item.stop if stop and not item.ignore_eos and (at := text.find(stop)) >= 0]
            finish: Finish = "stop" if ends else "length"
            text = text[: min(ends, default=len(text))]
            read, now = len(item.prompt_ids or item.prompt), time.perf_counter()
            ids = tuple(map(ord, text)) if item.prompt_ids is not None else None
            tokens = Tokens(read, read + len(text), 0, len(text))
            yield Generation(item.key, text, finish, tokens, 0, now - begin, first, now - origin, ids)

    def perplexity(self, items: Sequence[Passage]) -> Iterator[Likelihood]:
        for item in items:
            begin, size = self._start(), len(item.text)
            logprob = self._logprob(item.text)
            yield Likelihood(item.key, logprob, Tokens(size, size), size, 0, time.perf_counter() - begin)

    def _start(self) -> float:
        begin = time.perf_counter()
        time.sleep(self._options.pause)
        return begin

    def close(self) -> None:
        """Nothing to give back."""
