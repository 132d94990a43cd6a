"""Continuing prompts through vLLM, by the transformers engine's rules for prompts and stops."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.engines.prompting import Fitted, closing_texts, fit_prompt, with_penalty
from harness.engines.stopping import StopWatch, final_answer
from harness.engines.tokenizer import TextEncoder
from harness.engines.vllm.abilities import Abilities
from harness.engines.vllm.client import Request, Session, VllmClient
from harness.engines.vllm.logprobs import ParamsFactory
from harness.items import Completion, Finish, Generation, Tokens

_SEEDS = 2**63  # vLLM takes a signed 64-bit seed


@dataclass(frozen=True)
class VllmRules:
    """What holds for every item.

    ``window`` in tokens; ``eos_ids`` end a text; ``eos_text``: the EOS as text; ``penalty``: the
    checkpoint's repetition penalty.
    """

    window: int
    eos_ids: frozenset[int]
    eos_text: str
    penalty: float


@dataclass(slots=True)
class VllmJob:
    """One item on its way.

    ``probe``: vLLM reports the log-probabilities of what it writes. ``watch`` is there where vLLM's
    own stop texts will not do: they know nothing of thoughts, nor of a tokenizer that was rebuilt.
    """

    item: Completion
    fitted: Fitted
    stops: tuple[str, ...]
    watch: StopWatch | None
    written: list[int] = field(default_factory=list)
    stopped: bool = False
    probe: bool = False
    broken: str | None = None


class VllmGenerator:
    """Generates for items.

    ``kinds``: vLLM's output kinds, (whole answers at their end, pieces as they are written).
    ``unchecked`` counts texts of which it is not known whether the model computed finite numbers.
    """

    def __init__(
        self,
        client: VllmClient,
        encoder: TextEncoder,
        rules: VllmRules,
        make: ParamsFactory,
        abilities: Abilities,
        kinds: tuple[Any, Any],
    ) -> None:
        self._client, self._encoder, self._rules = client, encoder, rules
        self._make, self._abilities, self._kinds = make, abilities, kinds
        self.unchecked = 0

    def run(self, items: Iterable[tuple[Completion, list[int]]]) -> Iterator[Generation]:
        """Answers (item, prompt ids) pairs, each when it ends. Raises ModelError."""
        jobs = [self._job(item, prompt) for item, prompt in items]
        # Equal beginnings one after the other, so that the prefix cache still holds them.
        jobs.sort(key=lambda job: (job.item.arrival or 0.0, job.fitted.prompt))

        # Log-probabilities of every text would slow all steps down; those of the first show whether
        # the model is broken.
        self.unchecked += max(0, len(jobs) - 1)
        if jobs:
            jobs[0].probe = True

        session = Session(
            self._client,
            (Request(job, job.fitted.prompt, self._params(job), job.item.arrival or 0.0) for job in jobs),
        )
        for request, output in session:
            job: VllmJob = request.payload
            job.broken = job.broken or _broken(output.outputs[0])
            if job.watch is not None and not self._follow(job, output, session, request):
                continue
            if output.finished or job.stopped:
                yield self._answer(job, output, session)

    def _job(self, item: Completion, prompt: list[int]) -> VllmJob:
        fitted = fit_prompt(item, prompt or [self._encoder.prefix_id], self._rules.window)
        # vLLM looks for stop texts by its own reading of the tokenizer's folder.
        ours = item.think is not None or self._encoder.rebuilt
        watch = StopWatch(self._encoder, item.stop, item.think) if ours and any(item.stop) else None
        return VllmJob(item, fitted, closing_texts(item, self._rules.eos_text), watch)

    def _params(self, job: VllmJob) -> Any:
        """Every sampling value is said, so that no default of vLLM or the checkpoint applies."""
        sampling = with_penalty(job.item.sampling, self._rules.penalty)
        stop = [] if job.watch else [text for text in job.item.stop if text]
        options: dict[str, Any] = {"skip_clone": True} if self._abilities.shared_params else {}
        if job.probe:
            options["logprobs"] = 0

        return self._make(
            max_tokens=job.fitted.budget,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            repetition_penalty=sampling.repetition_penalty,
            min_p=0.0,
            presence_penalty=0.0,
            frequency_penalty=0.0,
            seed=sampling.seed % _SEEDS if sampling.temperature > 0 else None,
            stop=stop,
            # The ids that end a text are the transformers engine's; vLLM's own choice of them is
            # switched off.
            stop_token_ids=[] if job.item.ignore_eos else sorted(self._rules.eos_ids),
            ignore_eos=True,
            detokenize=bool(stop),
            skip_special_tokens=False,
            output_kind=self._kinds[1] if job.watch else self._kinds[0],
            **options,
        )

    @staticmethod
    def _follow(job: VllmJob, output: Any, session: Session, request: Request) -> bool:
        """Takes new tokens up to a stop text; true when the item has ended."""
        assert job.watch is not None
        for token in output.outputs[0].token_ids:
            job.written.append(token)
            if job.watch.add(token):
                job.stopped = True
                if not output.finished:
                    session.cancel(request)
                return True
        return bool(output.finished)

    def _answer(self, job: VllmJob, output: Any, session: Session) -> Generation:
        """The finished text, cut at its stop, with what it cost."""
        answer = output.outputs[0]
        ids = job.written if job.watch else list(answer.token_ids)
        finish = self._finish(job, ids, answer.finish_reason)
        text, finish = final_answer(self._encoder, ids, finish, job.stops, job.item.think)

        # The last token written never goes through the model, hence - 1.
        prompt, cached = len(job.fitted.prompt), output.num_cached_tokens or 0
        first, last, seconds = _times(output.metrics, session)
        return Generation(
            key=job.item.key,
            text=text,
            finish=finish,
            tokens=Tokens(prompt, prompt - cached + len(ids) - 1, cached, len(ids)),
            truncated=job.fitted.truncated,
            seconds=seconds,
            first_token=first,
            last_token=last,
            output_ids=tuple(ids) if job.item.prompt_ids is not None else None,
            broken=job.broken,
        )

    def _finish(self, job: VllmJob, ids: list[int], reason: str | None) -> Finish:
        if ids and ids[-1] in self._rules.eos_ids and not job.item.ignore_eos:
            return "eos"
        return "stop" if job.stopped or reason == "stop" else "length"


def _broken(answer: Any) -> str | None:
    """The first log-probability of a written token that is not finite, where the output has any."""
    for number, (token, entries) in enumerate(
        zip(answer.token_ids, getattr(answer, "logprobs", None) or (), strict=False), 1
    ):
        value = entries[token].logprob if token in entries else math.nan
        if not math.isfinite(value):
            return f"a log-probability of {value:g} at token {number}"
    return None


def _times(metrics: Any, session: Session) -> tuple[float | None, float | None, float]:
    """(first token, last token) after the start, and from being scheduled to the last, in seconds.

    By the engine core's monotonic clock, which all processes of a machine share.
    """
    if metrics is None or not metrics.first_token_ts:
        return None, None, session.seconds

    origin = session.origin
    return (
        metrics.first_token_ts - origin,
        metrics.last_token_ts - origin,
        metrics.last_token_ts - metrics.scheduled_ts,
    )
