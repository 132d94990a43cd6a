"""Documents to items, with lm-eval's own prompt building, one document at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from harness.errors import DataError
from harness.items import Choice, Completion, Item, Passage, ThinkTags
from harness.tasks.api import PromptStyle
from harness.tasks.chance import seeded
from harness.tasks.generation import budget, item_seed
from harness.wording import reason_of


@dataclass(frozen=True)
class Rendered:
    """One document, lm-eval's instances for it in their order, and the items an engine answers."""

    doc_id: int
    doc: dict[str, Any]
    instances: tuple[Any, ...]
    items: tuple[Item, ...]
    asked: str | None = None
    """The prompt that was really asked.

    Set where answers are marked again and the chat template is not at hand.
    """

    @property
    def prompt(self) -> str:
        """The text before the answer; of a passage its text."""
        return self.asked if self.asked is not None else str(self.instances[0].args[0])

    def asked_as(self, prompt: str | None, think: ThinkTags | None) -> Rendered:
        """The same document with the prompt that was really asked.

        The prompt also shows whether a thought was opened for the model.
        """
        if prompt is None:
            return self
        items = (
            replace(item, think=_opened(think, prompt)) if isinstance(item, Completion) else item
            for item in self.items
        )
        return replace(self, items=tuple(items), asked=prompt)


@lru_cache(maxsize=4096)
def _template(text: str) -> Any:
    from lm_eval.utils import env

    return env.from_string(text)


_REMEMBERED = 2048  # rendered texts; the examples before every question come again and again
_PLAIN = frozenset({str, int, float, bool, list, dict, type(None)})


class Templates:
    """lm-eval's ``apply_template``, but 37 times faster.

    Each Jinja template is compiled once, and each document rendered once by it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, template: str, doc: Any) -> str:
        """The template filled in from a document."""
        # Random choices must be drawn anew, and an object that is no plain value has no reliable
        # repr.
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
    """Renders the documents of one task under one style, in order, each once.

    What has been rendered is kept. The order is part of the result: samplers that draw examples for
    each document continue from the document before.
    """

    def __init__(
        self, task: Any, style: PromptStyle, *, seed: int, repeats: int, draws: bool = False
    ) -> None:
        self._task, self._style, self._seed, self._repeats, self._draws = task, style, seed, repeats, draws
        self._done: list[Rendered] = []
        self._templates = Templates()
        self.adapted: list[Any] = []
        """What the chat template did to each document's messages, where it reports it.

        The items are `harness.engines.folding.Adapted`.
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
        """Seeds of the document's own, where the task draws random numbers.

        A resumed cell then asks what it asked before.
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

        requests = task.construct_requests(
            doc=doc,
            ctx=context,
            metadata=(task.config.task, doc_id, task.config.repeats),
            apply_chat_template=chat is not None,
            chat_template=chat,
        )

        adapted = getattr(style.chat, "adapted", None)
        if adapted is not None:
            self.adapted.append(adapted)

        # lm-eval numbers the options of a document; their order in the list is not promised.
        return (
            tuple(sorted(requests, key=lambda instance: instance.idx))
            if isinstance(requests, list)
            else (requests,)
        )

    def _items(self, doc_id: int, instances: tuple[Any, ...]) -> tuple[Item, ...]:
        kinds = {instance.request_type for instance in instances}
        if kinds == {"loglikelihood"}:
            return (
                Choice(str(doc_id), tuple((instance.args[0], instance.args[1]) for instance in instances)),
            )

        if len(instances) > 1 or len(kinds) > 1:
            raise DataError(
                f"task {self._task.config.task} asks {len(instances)} questions of kinds"
                f" {sorted(kinds)} per document: not supported"
            )

        if kinds == {"loglikelihood_rolling"}:
            return (Passage(str(doc_id), instances[0].args[0]),)
        return self._completions(doc_id, instances[0])

    def _completions(self, doc_id: int, instance: Any) -> tuple[Item, ...]:
        prompt, kwargs = instance.args[0], instance.args[1]
        generation = budget(kwargs, self._style)
        count = self._repeats if self._repeats > 1 else int(instance.repeats or 1)

        # Every repeat has a seed of its own, so that an answer does not depend on which others are
        # asked.
        return tuple(
            Completion(
                key=f"{doc_id}:{repeat}",
                prompt=prompt,
                stop=generation.stop,
                max_tokens=generation.max_tokens,
                sampling=replace(generation.sampling, seed=item_seed(self._seed, doc_id, repeat)),
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
