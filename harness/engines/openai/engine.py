"""The openai engine: items to an endpoint, many at once, each answer handed on when it comes."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from harness.config.schema import ModelSpec
from harness.engines.files import ModelFiles
from harness.engines.openai import identity, scoring
from harness.engines.openai.client import EndpointClient
from harness.engines.openai.endpoint import EndpointError, StoppedError
from harness.engines.openai.lessons import Lesson, hint, lesson
from harness.engines.openai.listing import look_up
from harness.engines.openai.notes import Notes
from harness.engines.openai.pool import Pool
from harness.engines.openai.probing import make_probe
from harness.engines.openai.reading import count
from harness.engines.openai.receiving import Reply
from harness.engines.openai.scorer import Scorer
from harness.engines.openai.settings import Settings
from harness.engines.openai.specials import added_begin, special_tags, without_specials
from harness.engines.openai.understanding import understood
from harness.engines.openai.wire import Dialect, Prompt, read_choice
from harness.engines.prompting import closing_texts, fit_prompt
from harness.engines.protocol import EngineInfo
from harness.engines.rows import rolling_windows
from harness.engines.tokenizer import TextEncoder, load_tokenizer
from harness.errors import ModelError
from harness.items import Choice, Completion, Generation, Likelihood, Passage, Score
from harness.sanity import Finding

log = logging.getLogger(__name__)

CHARACTERS = 3
"""Characters a token, for the booking of tokens a minute before the endpoint has counted them."""
Answered = TypeVar("Answered")


class OpenAIEngine:
    """An OpenAI-compatible endpoint behind the engine protocol.

    Raises ModelError, one line, when it does not answer, refuses the key, or serves no such model.
    """

    def __init__(self, spec: ModelSpec, files: ModelFiles) -> None:
        started = time.perf_counter()
        self._spec, self._settings = spec, Settings.of(spec)
        chat = self._settings.api_for(spec) == "chat"
        self._dialect = Dialect(spec, self._settings, chat)
        self._client = EndpointClient(identity.endpoint_of(spec, with_key=True), self._settings)
        self._notes, self._learning = Notes(), threading.Lock()
        self._closed = False

        # Nothing keeps the connections once the engine could not be made.
        try:
            self._reported = look_up(self._client, spec)
            self._dialect = dataclasses.replace(self._dialect, owner=self._reported.get("owned_by"))
            self.encoder: TextEncoder | None = (
                None if chat or not spec.tokenizer else load_tokenizer(spec, files)
            )
            self._begin = "" if self.encoder is None else added_begin(self.encoder)
            if self.encoder is not None and special_tags(self.encoder, spec.think_tags):
                self._dialect = dataclasses.replace(self._dialect, special_tags=True)
            self._ability = self._probe()
        except BaseException:
            self._client.close()
            raise

        served = self._reported.get("max_model_len")
        self.window: int | None = min((size for size in (spec.max_length, served) if size), default=None)
        # A scored row holds a token more than its window, and the server wants room for one that it
        # generates.
        self._row_window = min(self.window, served - 2) if self.window and served else self.window
        self._seconds = time.perf_counter() - started

    def _probe(self) -> scoring.LogprobSupport:
        if self._dialect.chat:
            reason = (
                "chats give no log-probabilities; name the model's tokenizer: (hub id or folder), "
                "or ask generative tasks (NAME-gen; of a file of your own: form: generated)"
            )
            return scoring.LogprobSupport(None, reason, ids=False)
        if self.encoder is None:
            reason = "that needs the model's tokenizer at hand; name it with tokenizer: (hub id or folder)"
            return scoring.LogprobSupport(None, reason, ids=False)

        encoder = self.encoder
        probe = make_probe(encoder.prefix_id, lambda text: encoder.encode_plain([text])[text])
        ability = scoring.probe(self._client, self._dialect, probe)
        if ability.mode is None:
            reason = (
                f"this endpoint gives no log-probabilities of prompts to rely on ({ability.reason}); "
                "serve the model with vLLM or SGLang"
            )
            log.warning("%s: %s", self._spec.label, reason)
            return dataclasses.replace(ability, reason=reason)
        return ability

    @property
    def info(self) -> EngineInfo:
        """What the endpoint says of itself.

        ``extra``: requests, failures that passed, reasons why answers ended.
        """
        extra = {
            "api": "chat" if self._dialect.chat else "completions",
            "scoring": self._ability.mode or self._ability.reason,
            "counts": dict(self._client.counts),
            "requests": self._client.tries.to_dict(),
        }
        findings = (*self._tokenizer_findings(), *self._notes.findings(self._dialect))
        if self._ability.mode and not self._ability.ranked:
            findings = (*findings, Finding("greedy_unknown"))
        return identity.make_info(self._spec, self._reported, self.window, self._seconds, extra, findings)

    def _tokenizer_findings(self) -> tuple[Finding, ...]:
        """What loading the tokenizer showed.

        A server's own tokenizer, and its logits, could not be looked at.
        """
        own = (Finding("tokenizer_unchecked"),) if self.encoder is None else self.encoder.findings
        return (*own, Finding("finite_unchecked"))

    def score(self, items: Sequence[Choice]) -> Iterator[Score]:
        """Log-probabilities of continuations, a request a pair.

        Raises ModelError where the endpoint tells none (asks nothing then).
        """
        encoder, scorer = self._scorer()
        options = encoder.options([item.pairs for item in items])
        return self._run(scorer.score, list(zip(items, options, strict=True)))

    def perplexity(self, items: Sequence[Passage]) -> Iterator[Likelihood]:
        """Log-probabilities of whole texts by rolling windows, a request a window.

        Raises ModelError as `score` does.
        """
        encoder, scorer = self._scorer()
        if self._row_window is None:
            raise ModelError(
                f"{self._spec.label}: rolling perplexity needs the window, which this endpoint "
                "does not tell; say max_length"
            )

        ids, prefix, window = encoder.encode(item.text for item in items), encoder.prefix_id, self._row_window
        requests = [(item, rolling_windows(ids[item.text], prefix, window)) for item in items]
        return self._run(scorer.likelihood, requests)

    def generate(self, items: Sequence[Completion]) -> Iterator[Generation]:
        """Continuations, one request per item; with ``arrival`` times no earlier than those.

        Times of tokens are those of the request that was answered; earlier tries are counted, not
        timed.
        """
        self._check_open()
        texts = [item.prompt for item in items if item.prompt_ids is None]
        ids = self.encoder.encode(texts) if self.encoder and self._ability.ids else {}
        origin = time.perf_counter()

        def one(request: tuple[Completion, Prompt], stop: threading.Event) -> Generation:
            item, prompt = request
            if item.arrival is not None:
                stop.wait(max(0.0, origin + item.arrival - time.perf_counter()))
            begun = time.perf_counter()
            generation, reply = self._generate_one(item, prompt, stop)
            return dataclasses.replace(
                generation,
                seconds=time.perf_counter() - begun,
                sent=reply.sent - origin,
                first_token=None if reply.first is None else reply.first - origin,
                last_token=reply.last - origin,
            )

        ordered = sorted(items, key=lambda item: item.arrival or 0.0)
        return self._run(one, [(item, self._prompt(item, ids)) for item in ordered])

    def close(self) -> None:
        """Ends the connections; a second call does no harm."""
        self._closed = True
        self._client.close()

    def _run(
        self, work: Callable[[Any, threading.Event], Answered], requests: Sequence[Any]
    ) -> Iterator[Answered]:
        def counted(request: Any, stop: threading.Event) -> Answered:
            try:
                return work(request, stop)
            except StoppedError:
                raise
            except EndpointError:
                self._client.tries.note("unanswered")
                raise

        return Pool(counted, self._settings.concurrency).run(requests)

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this engine was closed")

    def _scorer(self) -> tuple[TextEncoder, Scorer]:
        self._check_open()
        mode = self._ability.mode
        if mode is None or self.encoder is None:
            raise ModelError(f"{self._spec.label}: cannot score: {self._ability.reason}")
        return self.encoder, Scorer(self._client, self._notes, mode, self._row_window, lambda: self._dialect)

    def _prompt(self, item: Completion, ids: Mapping[str, list[int]]) -> Prompt:
        """The prompt as it is sent: ids cut to the window, else the text as it is.

        Ids need the tokenizer here and an endpoint that takes them.
        """
        tokens = list(item.prompt_ids) if item.prompt_ids is not None else ids.get(item.prompt)
        if tokens is None:
            return Prompt(item.prompt.removeprefix(self._begin), None, item.max_tokens)
        if not tokens and self.encoder:
            tokens = [self.encoder.prefix_id]

        if self.window is None:
            return Prompt(item.prompt, tuple(tokens), item.max_tokens)
        fitted = fit_prompt(item, tokens, self.window)
        return Prompt(item.prompt, tuple(fitted.prompt), fitted.budget, fitted.truncated)

    def _generate_one(
        self, item: Completion, prompt: Prompt, stop: threading.Event
    ) -> tuple[Generation, Reply]:
        stops = closing_texts(item, self.encoder.eos_text if self.encoder else "")
        reply, body = self._request(item, prompt, stop)
        answer = reply.answer
        generation, content = understood(
            lambda: read_choice(answer, item, prompt, stops), self._client, answer.get("usage")
        )
        if "skip_special_tokens" in body and self.encoder is not None:
            generation = dataclasses.replace(
                generation, text=without_specials(self.encoder, generation.text, self._spec.think_tags)
            )

        self._client.count(f"finished: {content.ending or None}")
        self._notes.answered(self._dialect, answer, None if prompt.ids is None else len(prompt.ids))
        self._notes.generated(self._dialect, item, content, body)
        # Without its token counts an answer has no price, so answers in one piece are worth more.
        if reply.streamed and not reply.cut and not count(answer)[1]:
            self._learn(Lesson(whole=True))
        return generation, reply

    def _request(
        self, item: Completion, prompt: Prompt, stop: threading.Event
    ) -> tuple[Reply, dict[str, Any]]:
        """(reply to one item, its request).

        A refusal that says what to do otherwise is learned from, for all requests that follow.
        """
        size = len(prompt.ids) if prompt.ids is not None else len(item.prompt) // CHARACTERS
        while True:
            # Token ids are a prompt of /completions alone.
            dialect = (
                self._dialect if item.prompt_ids is None else dataclasses.replace(self._dialect, chat=False)
            )
            body = dialect.body(item, prompt)
            try:
                return self._client.post(dialect.path, body, size + prompt.budget, stop), body
            except EndpointError as error:
                learned = lesson(self._settings.extra_body, dialect.folded, body, error)
                if learned is None:
                    raise EndpointError(
                        f"{error}{hint(body, error)}",
                        fatal=error.fatal,
                        tired=error.tired,
                        status=error.status,
                    ) from error

            self._learn(learned)

    def _learn(self, learned: Lesson) -> None:
        """Other threads are asking meanwhile; what one learns holds for all of them."""
        with self._learning:
            self._dialect = self._dialect.taught(learned)
