"""The words that tasks and engines share: items (what is asked) and answers (what came back).

An item is one rendered document. Tasks make items, engines answer them in any order, and the answer
carries its item's key. Nothing here imports anything heavy; an answer is plain data that the
journal keeps as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Finish = Literal["eos", "stop", "length", "filter", "unknown"]


@dataclass(frozen=True, slots=True)
class ThinkTags:
    """The markers around a reasoning model's thought, e.g. ``<think>`` and ``</think>``; what they
    mean in a text is `harness.thoughts`.

    ``opened`` is true when the prompt itself ends inside a thought (DeepSeek-R1's chat template
    writes ``<think>`` for the model).
    """

    open: str
    close: str
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. ``temperature`` 0 is greedy; ``top_k`` 0 and ``top_p`` 1 are
    off; ``seed`` is the item's own.

    ``repetition_penalty`` 1 is off; None leaves it to the checkpoint where an engine reads its
    settings, and is off elsewhere.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """A question answered by comparing log-probabilities: one (context, continuation) pair per
    option, in the task's order.

    Most tasks share one context; winogrande-like ones vary it; mutual information adds pairs with
    an empty context.
    """

    key: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """A prompt to continue by at most ``max_tokens`` tokens, or until one of the ``stop`` texts
    (never part of the answer).

    With ``think`` the stop texts count only after the thought. ``prompt_ids`` (instead of
    ``prompt``), ``ignore_eos`` and ``arrival`` (seconds after the start) serve the meter.
    """

    key: str
    prompt: str
    stop: tuple[str, ...] = ()
    max_tokens: int = 256
    sampling: Sampling = field(default_factory=Sampling)
    think: ThinkTags | None = None
    prompt_ids: tuple[int, ...] | None = None
    ignore_eos: bool = False
    arrival: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A text whose log-probability is wanted, whole, by rolling windows of the model's length."""

    key: str
    text: str


Item = Choice | Completion | Passage


def asked_digest(item: Item) -> str:
    """Sixteen hex digits of everything that an item asks: its texts, and for a completion its
    stops, budget, sampling and thought.

    The journal keeps it with each answer, so that an answer counts only for the very question it
    was given to. Key and arrival time ask nothing and are left out.
    """
    digest = hashlib.blake2b(digest_size=8)

    if isinstance(item, Choice):
        context = None
        for own, continuation in item.pairs:
            # Most often one context, long, serves every option: it is hashed once.
            if own != context:
                context = own
                _tell(digest, "context", own)
            _tell(digest, "continuation", continuation)
    elif isinstance(item, Passage):
        _tell(digest, "text", item.text)
    else:
        parts = {name: value for name, value in asdict(item).items() if name not in ("key", "arrival")}
        _tell(digest, "completion", json.dumps(parts, sort_keys=True))
    return digest.hexdigest()


def _tell(digest: hashlib.blake2b, kind: str, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    digest.update(f"{kind}:{len(data)}:".encode())
    digest.update(data)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token counts of one answer. ``prompt`` is logical (what one-by-one work would read),
    ``computed`` went through the model, ``shared`` were read from another item's work instead,
    ``output`` were generated.
    """

    prompt: int = 0
    computed: int = 0
    shared: int = 0
    output: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.prompt + other.prompt,
            self.computed + other.computed,
            self.shared + other.shared,
            self.output + other.output,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """Answer to a `Choice`: natural-log probabilities (sums over each continuation's tokens, fp32)
    in the order of its pairs.

    ``greedy`` says whether the continuation is what greedy decoding would write; ``lengths`` are
    continuation lengths in tokens; ``truncated`` counts the tokens cut from the left because a pair
    was longer than the model's window. ``rules``, where some option has no token of its own or not
    all of its tokens are scored, say of each how it is scored: "" as usual, "moved", "end", "cut"
    (see `harness.engines.seams`).
    """

    key: str
    logprobs: tuple[float, ...]
    greedy: tuple[bool, ...]
    lengths: tuple[int, ...]
    tokens: Tokens = Tokens()
    truncated: int = 0
    seconds: float = 0.0
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """Answer to a `Completion`: the text as written (thoughts included, stop text excluded) and why
    it ended.

    ``finish``: ``eos`` the model ended, ``stop`` a stop text was met, ``length`` the budget or the
    window was used up, ``filter`` a content filter cut it off, ``unknown`` nobody says (some
    endpoints, and answers imported from other programs). Times are seconds since the engine got
    the batch of items: first token, last token; ``sent``, at an endpoint, when its request went
    out. ``prefill_seconds`` and ``decode_seconds`` are this
    answer's part of the passes that read prompts and of the steps that wrote tokens; None where an
    engine does both in one step. ``broken``: the number, no finite one, that the model gave where
    the next token was to be chosen; the text ends there and is worth nothing.
    """

    key: str
    text: str
    finish: Finish
    tokens: Tokens = Tokens()
    truncated: int = 0
    seconds: float = 0.0
    first_token: float | None = None
    last_token: float | None = None
    output_ids: tuple[int, ...] | None = None
    prefill_seconds: float | None = None
    decode_seconds: float | None = None
    broken: str | None = None
    sent: float | None = None


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Answer to a `Passage`: the natural-log probability of the whole text, and how many tokens
    were predicted.
    """

    key: str
    logprob: float
    tokens: Tokens = Tokens()
    predicted: int = 0
    truncated: int = 0
    seconds: float = 0.0


Answer = Score | Generation | Likelihood
_KINDS: dict[str, Callable[..., Answer]] = {
    "score": Score,
    "generation": Generation,
    "likelihood": Likelihood,
}


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """Plain data for the journal; `answer_from_dict` gives the answer back."""
    return {"kind": type(answer).__name__.lower(), **asdict(answer)}


def answer_from_dict(data: dict[str, Any]) -> Answer:
    """The answer that `answer_to_dict` wrote. Raises KeyError for an unknown kind."""
    fields = dict(data)
    kind = _KINDS[fields.pop("kind")]
    fields["tokens"] = Tokens(**fields["tokens"])
    return kind(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    )
