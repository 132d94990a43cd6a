"""Documents to items, with lm-eval's own prompt building, one document at a time."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from harness.errors import DataError
from harness.items import Choice, Completion, Item, Passage, Sampling, ThinkTags
from harness.tasks.api import PromptStyle
from harness.tasks.chance import seeded
from harness.wording import reason_of

_MAX_TOKENS = 256
"""What lm-eval's HFLM generates where a task says nothing."""


@dataclass(frozen=True)
class Rendered:
    """One document, lm-eval's instances for it in their order, and the items an engine answers."""

    doc_id: int
    doc: dict[str, Any]
    instances: tuple[Any, ...]
    items: tuple[Item, ...]
    asked: str | None = None
    """The prompt that was really asked, where answers are marked again and the chat template is not
    at hand.
    """

    @property
    def prompt(self) -> str:
        """The text before the answer; of a passage its text."""
        return self.asked if self.asked is not None else str(self.instances[0].args[0])

    def asked_as(self, prompt: str | None, think: ThinkTags | None) -> Rendered:
        """The same document with the prompt that was really asked, which says whether a thought was
        opened for the model.
        """
        if prompt is None:
            return self
        items = (
            replace(item, think=_opened(think, prompt)) if isinstance(item, Completion) else item
            for item in self.items
        )
        return replace(self, items=tuple(items), asked=prompt)


@dataclass(frozen=True)
class GenerationBudget:
    """Generation settings of a task under a style."""

    max_tokens: int
    stop: tuple[str, ...]
    sampling: Sampling


def budget(kwargs: dict[str, Any], style: PromptStyle) -> GenerationBudget:
    """lm-eval's generation settings as ours: aliases by its priority, greedy unless it samples (its
    ``normalize_gen_kwargs``).
    """
    aliases = (
        kwargs.get(name) for name in ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
    )
    tokens = style.max_new_tokens or next((int(value) for value in aliases if value is not None), _MAX_TOKENS)
    until = kwargs.get("until") or []
    stop = tuple(text for text in ([until] if isinstance(until, str) else until) if text)
    temperature = float(kwargs.get("temperature") or 0.0)
    sampled = kwargs.get("do_sample")
    if sampled is None:
        sampled = temperature > 0
    elif sampled and "temperature" not in kwargs:
        temperature = 1.0  # transformers' own default, which lm-eval leaves in place
    told = kwargs.get("repetition_penalty")
    penalty = float(told) if told else None
    if not sampled or temperature == 0:
        return GenerationBudget(tokens, stop, Sampling(repetition_penalty=penalty))
    top_p, top_k = float(kwargs.get("top_p") or 1.0), int(kwargs.get("top_k") or 0)
    return GenerationBudget(tokens, stop, Sampling(temperature, top_p, max(top_k, 0), penalty))


_UNDERSTOOD = frozenset(
    (
        *("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens", "until", "do_sample"),
        *("temperature", "top_p", "top_k", "repetition_penalty"),
    )
)
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "num_beams": (1,),
    "num_beam_groups": (1,),
    "num_return_sequences": (1,),
    "n": (1,),
    "min_p": (0,),
    "typical_p": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "no_repeat_ngram_size": (0,),
    "length_penalty": (0, 1),
}
"""Settings of other engines' that change nothing at these values."""
_NO_MATTER = frozenset(
    {
        "early_stopping",
        "use_cache",
        "pad_token_id",
        "return_dict_in_generate",
        "output_scores",
        "skip_special_tokens",
    }
)


def ignored_settings(kwargs: dict[str, Any]) -> list[str]:
    """Generation settings of a task that no engine here follows, as ``name: value``: answers are
    generated without them.
    """
    return [
        f"{name}: {value}"
        for name, value in kwargs.items()
        if name not in _UNDERSTOOD | _NO_MATTER and value is not None and value not in _NEUTRAL.get(name, ())
    ]


def item_seed(seed: int, doc_id: int, repeat: int) -> int:
    """A seed of its own for each answer, the same in every run: 31 bits."""
    digest = hashlib.sha256(f"{seed}:{doc_id}:{repeat}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


@lru_cache(maxsize=4096)
def _template(text: str) -> Any:
    from lm_eval.utils import env

    return env.from_string(text)


_REMEMBERED = 2048  # rendered texts; the examples before every question come again and again
_PLAIN = frozenset({str, int, float, bool, list, dict, type(None)})


class Templates:
    """lm-eval's ``apply_template``, with each Jinja template compiled once (37 times faster) and
    each document rendered once by it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, template: str, doc: Any) -> str:
        """The template filled in from a document."""
        if type(doc) is not dict or "random" in template or not _PLAIN.issuperset(map(type, doc.values())):
            return str(_template(template).render(**doc))
        key = template, repr(doc)
        text = self._known.get(key)
        if text is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            text = self._known[key] = _template(template).render(**doc)
        return text


@contextlib.contextmanager
def cached_templates(templates: Templates | None = None) -> Iterator[None]:
    """Inside, lm-eval fills templates in by `Templates`."""
    from lm_eval import utils

    before = utils.apply_template
    utils.apply_template = templates or Templates()
    try:
        yield
    finally:
        utils.apply_template = before


class Renderer:
    """Renders the documents of one task under one style, in order, each once; what has been
    rendered is kept.

    The order is part of the result: samplers that draw examples for each document go on from the
    document before.
    """

    def __init__(
        self, task: Any, style: PromptStyle, *, seed: int, repeats: int, draws: bool = False
    ) -> None:
        self._task, self._style, self._seed, self._repeats, self._draws = task, style, seed, repeats, draws
        self._done: list[Rendered] = []
        self._templates = Templates()
        self.adapted: list[Any] = []
        """What the chat template did to each document's messages
        (`harness.engines.folding.FoldedMessages`), where it says so.
        """
        self._rest = self._documents()

    def first(self, limit: int | None) -> Iterator[Rendered]:
        """The first ``limit`` documents (None: all), lazily."""
        position = 0
        while limit is None or position < limit:
            if position == len(self._done):
                rendered = next(self._rest, None)
                if rendered is None:
                    return
                self._done.append(rendered)
            yield self._done[position]
            position += 1

    def _documents(self) -> Iterator[Rendered]:
        self._task.set_fewshot_seed(seed=self._seed)
        for doc_id, doc in enumerate(self._task.eval_docs):
            with cached_templates(self._templates), self._chances(doc_id):
                try:
                    instances = self._instances(doc_id, doc)
                except (KeyError, AssertionError, TypeError, ValueError, IndexError) as error:
                    raise DataError(
                        f"task {self._task.config.task}: document {doc_id} cannot be rendered"
                        f" ({reason_of(error, 300, named=True)})"
                    ) from error
            yield Rendered(doc_id, doc, instances, self._items(doc_id, instances))

    def _chances(self, doc_id: int) -> contextlib.AbstractContextManager[None]:
        """Seeds of the document's own, where the task draws random numbers: a resumed cell then
        asks what it asked before.
        """
        if not self._draws:
            return contextlib.nullcontext()
        seed = item_seed(self._seed, doc_id, 0)
        return seeded(seed, seed)

    def _instances(self, doc_id: int, doc: dict[str, Any]) -> tuple[Any, ...]:
        task, style = self._task, self._style
        chat = _chat(style.chat) if style.chat else None
        context = task.fewshot_context(
            doc,
            num_fewshot=task.config.num_fewshot or 0,
            system_instruction=style.system_prompt,
            apply_chat_template=chat is not None,
            fewshot_as_multiturn=style.multiturn,
            chat_template=chat,
            gen_prefix=task.doc_to_prefix(doc),
        )
        made = task.construct_requests(
            doc=doc,
            ctx=context,
            metadata=(task.config.task, doc_id, task.config.repeats),
            apply_chat_template=chat is not None,
            chat_template=chat,
        )
        adapted = getattr(style.chat, "adapted", None)
        if adapted is not None:
            self.adapted.append(adapted)
        return tuple(sorted(made, key=lambda instance: instance.idx)) if isinstance(made, list) else (made,)

    def _items(self, doc_id: int, instances: tuple[Any, ...]) -> tuple[Item, ...]:
        kinds = {instance.request_type for instance in instances}
        if kinds == {"loglikelihood"}:
            return (
                Choice(str(doc_id), tuple((instance.args[0], instance.args[1]) for instance in instances)),
            )
        if len(instances) > 1 or len(kinds) > 1:
            raise DataError(
                f"task {self._task.config.task} asks {len(instances)} questions of kinds {sorted(kinds)} a document: not supported"
            )
        if kinds == {"loglikelihood_rolling"}:
            return (Passage(str(doc_id), instances[0].args[0]),)
        return self._completions(doc_id, instances[0])

    def _completions(self, doc_id: int, instance: Any) -> tuple[Item, ...]:
        prompt, kwargs = instance.args[0], instance.args[1]
        said = budget(kwargs, self._style)
        count = self._repeats if self._repeats > 1 else int(instance.repeats or 1)
        return tuple(
            Completion(
                key=f"{doc_id}:{repeat}",
                prompt=prompt,
                stop=said.stop,
                max_tokens=said.max_tokens,
                sampling=replace(said.sampling, seed=item_seed(self._seed, doc_id, repeat)),
                think=_opened(self._style.think, prompt),
            )
            for repeat in range(count)
        )


def _opened(tags: ThinkTags | None, prompt: str) -> ThinkTags | None:
    """The tags, marked as opened where the chat template has begun the thought for the model."""
    return replace(tags, opened=True) if tags and prompt.rstrip().endswith(tags.open) else tags


def _chat(render: Callable[[list[dict[str, str]], bool], str]) -> Callable[..., str]:
    """Our positional renderer under lm-eval's keyword."""

    def chat_template(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        return render(messages, add_generation_prompt)

    return chat_template
