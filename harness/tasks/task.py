"""One task, ready to ask and to mark.

`load` builds it, `Task.items` renders it, `Task.mark` marks the answers.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from harness.errors import DataError
from harness.items import Answer, Completion, Item
from harness.sanity import Finding
from harness.tasks.api import ItemKind, Marks, PromptStyle, Provenance, TaskSpec
from harness.tasks.build import Built, build
from harness.tasks.catalogue import DATA
from harness.tasks.chance import draws
from harness.tasks.entries import guess_language
from harness.tasks.examples import check_examples, most_examples
from harness.tasks.generation import budget, ignored_settings
from harness.tasks.hashing import hashable, readers_hash
from harness.tasks.keys import few_counts
from harness.tasks.mark import Marker
from harness.tasks.prompts import prompt_findings
from harness.tasks.render import Renderer, cached_templates
from harness.tasks.scan import lm_eval_tasks_folder
from harness.tasks.sources import DataSources

_KINDS: dict[str, ItemKind] = {
    "multiple_choice": "choice",
    "loglikelihood": "choice",
    "generate_until": "completion",
    "loglikelihood_rolling": "passage",
}
_PROMPT_KEYS = (
    *(
        "dataset_name",
        "training_split",
        "validation_split",
        "test_split",
        "fewshot_split",
        "process_docs",
        "custom_dataset",
        "class",
    ),
    *(
        "doc_to_text",
        "doc_to_target",
        "doc_to_choice",
        "use_prompt",
        "description",
        "target_delimiter",
        "fewshot_delimiter",
    ),
    *("fewshot_config", "output_type", "gen_prefix"),
)
"""Config keys that decide what is asked; metrics and filters only decide the marks."""
_MARK_KEYS = (
    "filter_list",
    "metric_list",
    "process_results",
    "doc_to_target",
    "doc_to_choice",
    "class",
    "metadata",
)
"""Config keys that decide how answers are read and marked."""
_CHANCE_DOCUMENTS = 1000


class Task:
    """A leaf task with its data. Made by `load`."""

    def __init__(self, spec: TaskSpec, built: Built, provenance: tuple[Provenance, ...], seed: int) -> None:
        self.spec, self.name, self.seed = spec, spec.name, seed
        self._task, self._config, self._repeats = built.task, built.config, built.own_repeats
        self._metadata: dict[str, Any] = built.config["metadata"]
        self._reads = provenance
        self._draws = draws(
            {key: built.config[key] for key in _PROMPT_KEYS if built.config.get(key) is not None}
        )
        self._renderers: dict[PromptStyle, Renderer] = {}

        self.fewshot = int(self._task.config.num_fewshot or 0)
        self.version = str(self._metadata.get("version", self._task.VERSION or 0))
        self.language: str | None = (
            spec.language or self._metadata.get("language") or guess_language(spec.name)
        )
        self.kind: ItemKind = _KINDS[str(self._task.OUTPUT_TYPE)]
        self.available = len(self._task.eval_docs)
        """Number of documents."""

    @property
    def provenance(self) -> Provenance:
        """Where the documents came from; a task that makes its own data has the origin "custom"."""
        if self._reads:
            return self._reads[0]
        return Provenance(
            str(self._config.get("dataset_path") or "custom"),
            self._config.get("dataset_name"),
            "custom",
            self._own_fingerprint(),
        )

    def _own_fingerprint(self) -> str:
        rows = [self._task.eval_docs[index] for index in range(min(self.available, 1000))]
        return hashlib.sha256(
            json.dumps([self.available, rows], default=str, ensure_ascii=False).encode()
        ).hexdigest()[:32]

    @property
    def chance(self) -> float | None:
        """The metric's value by guessing.

        It is what the metadata says, else for multiple choice the mean of 1 / number of options.
        """
        if "chance" in self._metadata:
            declared = self._metadata["chance"]
            return None if declared is None else float(declared)

        # truthfulqa_mc2 and others count something else than the best option.
        if self._task.OUTPUT_TYPE != "multiple_choice" or callable(self._task.config.process_results):
            return None

        # The number of options may differ from document to document; the first thousand fix the
        # mean.
        counts = []
        with cached_templates():
            for index in range(min(self.available, _CHANCE_DOCUMENTS)):
                counts.append(len(self._task.doc_to_choice(self._task.eval_docs[index])))
        return sum(1 / count for count in counts) / len(counts)

    def right_counts(self, limit: int | None = None) -> dict[str, int]:
        """How many of the first documents (a thousand at most) each answer is right for, most first.

        Nothing where right answers are no labels, or more than a few different ones.
        """
        if self.kind == "passage":
            return {}
        count = min(self.available, limit or self.available, _CHANCE_DOCUMENTS)
        documents = (self._task.eval_docs[index] for index in range(count))
        with cached_templates():
            return few_counts(self._task, documents, choice=self.kind == "choice")

    def identity(self, style: PromptStyle) -> dict[str, Any]:
        """Everything that decides the prompts, as JSON.

        Not among it: the limit, the model, its chat template's text and its think tags.
        """
        # Without documents of a data set the fingerprint is that of the documents themselves.
        return {
            "task": self.name,
            "version": self.version,
            "prompt_config": self._prompt_hash(),
            "data": [provenance.fingerprint for provenance in self._reads] or [self.provenance.fingerprint],
            "fewshot": self.fewshot,
            "seed": self.seed,
            "repeats": self._repeats if self._repeats > 1 else int(self._task.config.repeats or 1),
            "generation": self._generation(style),
            "chat": style.chat is not None,
            "multiturn": style.multiturn if style.chat is not None else None,
            "system_prompt": style.system_prompt,
            "date": style.date,
        }

    def _generation(self, style: PromptStyle) -> dict[str, Any] | None:
        if self.kind != "completion":
            return None

        settings = budget(self._task.config.generation_kwargs or {}, style)
        sampling = settings.sampling

        # The key "until" and the order stay as they are: identities of earlier runs are made of
        # them.
        return {
            "max_tokens": settings.max_tokens,
            "until": list(settings.stop),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "repetition_penalty": sampling.repetition_penalty,
        }

    def _prompt_hash(self) -> str:
        parts = {
            key: hashable(self._config[key]) for key in _PROMPT_KEYS if self._config.get(key) is not None
        }
        return hashlib.sha256(
            json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()
        ).hexdigest()[:16]

    @functools.cached_property
    def marking_id(self) -> str:
        """Sixteen hex digits of what reads and marks the answers.

        Hashed are filters, metrics, their code, and for our own tasks the readers' code.
        """
        parts = {key: hashable(self._config[key]) for key in _MARK_KEYS if self._config.get(key) is not None}
        parts["readers"] = (
            readers_hash()
            if self.spec.yaml_path is None or self.spec.yaml_path.is_relative_to(DATA)
            else None
        )

        return hashlib.sha256(
            json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()
        ).hexdigest()[:16]

    def items(self, style: PromptStyle, limit: int | None = None) -> Iterator[Item]:
        """The items of the first ``limit`` documents, in document order, rendered lazily.

        Raises DataError when a document cannot be rendered.
        """
        for rendered in self._renderer(style).first(limit):
            yield from rendered.items

    def prompts(self, style: PromptStyle, limit: int | None = None) -> dict[int, str]:
        """The prompts of the first ``limit`` documents, by document.

        Raises DataError as `items` does.
        """
        return {rendered.doc_id: rendered.prompt for rendered in self._renderer(style).first(limit)}

    def findings(self, style: PromptStyle) -> tuple[Finding, ...]:
        """What may make the scores wrong, as far as the prompts rendered so far show."""
        findings = prompt_findings(self._renderer(style).adapted)
        ignored = (
            ignored_settings(self._task.config.generation_kwargs or {}) if self.kind == "completion" else []
        )
        if ignored:
            findings = (*findings, Finding("settings_ignored", values={"settings": ", ".join(ignored)}))
        return findings

    def _renderer(self, style: PromptStyle) -> Renderer:
        renderer = self._renderers.get(style)
        if renderer is None:
            # One renderer at a time: the few-shot sampler's state belongs to it.
            renderer = Renderer(self._task, style, seed=self.seed, repeats=self._repeats, draws=self._draws)
            self._renderers = {style: renderer}
        return renderer

    def mark(
        self,
        answers: Mapping[str, Answer],
        style: PromptStyle,
        limit: int | None = None,
        *,
        prompts: Mapping[int, str] | None = None,
    ) -> Marks:
        """Marks of the first ``limit`` documents whose every answer is in ``answers``.

        ``answers`` are keyed as the items are. ``prompts`` by document, where there are any, are
        what was really asked: stored answers are marked again without the model's chat template.
        """
        documents = list(self._renderer(style).first(limit))
        if prompts is not None:
            documents = [
                document.asked_as(prompts.get(document.doc_id), style.think) for document in documents
            ]
        return Marker(self._task, repeats=self._repeats).mark(documents, answers)

    def example(self, style: PromptStyle, position: int = 0) -> tuple[str, str]:
        """(the prompt of the document at ``position``, how it is marked in words)."""
        rendered = list(self._renderer(style).first(position + 1))[position]
        marker = Marker(self._task)
        metrics = ", ".join(self._task.aggregation())

        lines = [f"right answer: {marker.target(rendered.doc)}", f"metrics: {metrics}"]
        more = [text for text in rendered.doc.get("answers") or () if text != rendered.doc.get("answer")]
        if more and self.spec.yaml_path is None:
            lines[0] += f" (right, too: {', '.join(more)})"
        if self.kind == "choice":
            options = [repr(instance.args[1]) for instance in rendered.instances]
            lines.insert(
                0, f"log-probabilities of {len(options)} continuations are compared: {', '.join(options)}"
            )
        elif self.kind == "passage":
            lines = ["the log-probability of the whole text is summed", f"metrics: {metrics}"]
        else:
            item = rendered.items[0]
            assert isinstance(item, Completion)
            filters = ", ".join(ensemble.name for ensemble in self._task._filters)
            lines.insert(
                0,
                f"at most {item.max_tokens} tokens are generated, until {list(item.stop)};"
                f" filters: {filters}",
            )
        return rendered.prompt, "\n".join(lines)


def load(spec: TaskSpec, sources: DataSources, *, seed: int = 1234, allow_code: bool = False) -> Task:
    """Reads the task's data and builds it.

    Raises DataError (data, split, config or package missing) or ConfigError (a YAML that cannot be
    used, code execution not allowed).
    """
    # lm-eval's YAMLs name data of the hub; only a person's own YAML may name files beside it.
    own = spec.yaml_path is not None and not spec.yaml_path.is_relative_to(lm_eval_tasks_folder())
    sources = DataSources(
        sources.mirror,
        base_dir=spec.yaml_path.parent if own and spec.yaml_path else None,
        bundled=sources.bundled,
    )
    built = build(spec, sources, seed=seed, allow_code=allow_code)

    task = Task(spec, built, tuple(sources.read), seed)
    if not task.available:
        raise DataError(f"task {spec.name}: the data holds no documents")
    check_examples(spec.name, task.fewshot, most_examples(built.task))
    return task
