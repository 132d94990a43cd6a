"""Whether a model thinks before it answers, as far as its files, its preset and the config tell: a
probe of its chat template.

The answer decides what a multiple-choice task can ask of it (`harness.tasks.forms`) and where its
thoughts are looked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.config.presets import preset_or_none
from harness.config.schema import ModelSpec
from harness.engines.folding import FoldedMessages, adapt, shown
from harness.engines.protocol import Message
from harness.engines.template import TemplateFile, switches_of, thinking_options
from harness.errors import ModelError
from harness.hub.caches import cached_file
from harness.hub.local import local_folder
from harness.items import ThinkTags
from harness.sanity import Finding
from harness.thought_markers import closed_by, opened_by, told_in

Kind = Literal["base", "instruct", "closed", "thinks"]
USER, SYSTEM = "Which letter comes first, B or A? (7f3a91)", "Answer in one word. (c05d2e)"
"""Texts of the probe: no template holds them by itself."""
_MARKS = re.compile(r"<[|｜][^<>]*?[|｜]>|\[[A-Z_/]+\]|</?[\w|]+>")


@dataclass(frozen=True)
class Thinking:
    """What a model does before it answers.

    ``base``: no chat template; ``instruct``: it answers at once; ``closed``: its template has
    closed or switched off the thought; ``thinks``: a thought comes first. ``tags`` are the markers
    of its thoughts, from the config or, ``found``, from its files.
    """

    kind: Kind
    why: str
    tags: ThinkTags | None = None
    found: bool = False
    refusal: str | None = None
    """Why ``thinking: false`` cannot be had, where the config asks for it."""
    switch: bool | None = False
    """Whether ``thinking: false`` can be had; None where its template is not at hand."""
    findings: tuple[Finding, ...] = ()
    folds: bool = False
    """Whether a system message goes into the first user turn."""


def thinking_of(spec: ModelSpec, folder: Path | None) -> Thinking:
    """What is known of a model.

    ``folder`` holds its tokenizer's files; None: only config and preset are known.
    """
    if not spec.chat_template:
        return Thinking("base", "asked without a chat template", _said(spec))
    template = TemplateFile.read(folder) if folder is not None else None
    if template is None:
        return _unprobed(spec)

    # The template itself is asked, since a model's name and its maker's words may be wrong.
    probe = _Probe(spec, template)
    thinking = probe.thinking()
    return Thinking(
        thinking.kind,
        thinking.why,
        thinking.tags,
        thinking.found,
        thinking.refusal,
        thinking.switch,
        probe.findings(thinking),
        probe.system.folded,
    )


def local_tokenizer(spec: ModelSpec, mirror: Path | None) -> Path | None:
    """The folder of a model's tokenizer, where it is on this machine already; asks no network."""
    from harness.engines.registry import backend_of

    name = spec.tokenizer or spec.id
    if spec.tokenizer is None and not backend_of(spec).loads_files:
        return None
    if (local := local_folder(name, mirror)) is not None:
        return local[0]
    path = cached_file(name, "tokenizer_config.json", spec.revision)
    return path.parent if path is not None else None


def _said(spec: ModelSpec) -> ThinkTags | None:
    return ThinkTags(*spec.think_tags) if spec.think_tags and spec.thinking is not False else None


def _known_thinker(spec: ModelSpec) -> bool:
    preset = preset_or_none(spec.preset or spec.id)
    return preset is not None and preset.thinking is True


def _unprobed(spec: ModelSpec) -> Thinking:
    """What is known by the config and the preset alone.

    An endpoint's template is the server's, and a model to be fetched has none here yet.
    """
    if spec.thinking is False:
        thinker = _known_thinker(spec)
        return Thinking(
            "closed" if thinker else "instruct",
            "thinking: false, to be obeyed by its template" if thinker else "thinking: false",
            switch=True,
        )
    if spec.thinking or spec.think_tags:
        return Thinking("thinks", "its preset or the config says so", _said(spec), switch=None)
    return Thinking("instruct", "nothing says that it thinks")


class _Probe:
    """A template, rendered with a question of which no template knows."""

    def __init__(self, spec: ModelSpec, template: TemplateFile) -> None:
        self.spec, self.template = spec, template
        self.switches = switches_of(template.source)
        self.options = thinking_options(template.source, spec.thinking)
        self.prompt, _ = self._render([{"role": "user", "content": USER}], self.options)
        with_system = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": USER}]
        _, self.system = self._render(with_system, self.options)

    def _render(self, messages: list[Message], options: dict[str, Any]) -> tuple[str, FoldedMessages]:
        try:
            return adapt(messages, lambda tried: self.template.render(tried, **options))
        except ModelError:
            return "", FoldedMessages()  # the run says that the template cannot be used

    def thinking(self) -> Thinking:
        """What the rendered prompt shows; the first sign counts."""
        opened, closed = opened_by(self._tail), closed_by(self._tail)
        own = ThinkTags(*self.spec.think_tags) if self.spec.think_tags else None
        if opened is None and own is not None and self._tail.rstrip().endswith(own.open):
            opened = own
        if opened is not None:
            return self._thinks("its chat template opens a thought in every prompt", opened)

        if closed is not None or (own is not None and self._tail.rstrip().endswith(own.close)):
            return Thinking("closed", "its chat template closes the thought before the answer", switch=True)
        if self._effective:
            on, off = (self._render_user(thinking) for thinking in (True, False))
            if self.spec.thinking is False or (self.spec.thinking is None and self.prompt == off != on):
                return Thinking("closed", "its chat template has switched thinking off", switch=True)
            return self._thinks("its chat template lets it think unless told otherwise", self._told)
        return self._without_switch()

    def _without_switch(self) -> Thinking:
        thinker = _known_thinker(self.spec)
        if self.spec.thinking is False and not thinker:
            return Thinking("instruct", "thinking: false")
        if thinker or self.spec.thinking or self.spec.think_tags:
            return self._thinks("its preset or the config says so", self._told)

        preset = preset_or_none(self.spec.preset or self.spec.id)
        # Only the template's own words count: Qwen3's and DeepSeek's vocabularies hold the markers
        # also where the model never thinks.
        if preset is None and told_in([self.template.source]) is not None:
            return self._thinks("its chat template knows of thoughts", self._told)
        return Thinking("instruct", "nothing in its chat template speaks of thoughts")

    def _thinks(self, why: str, tags: ThinkTags | None) -> Thinking:
        configured = _said(self.spec)
        markers = configured or (ThinkTags(tags.open, tags.close) if tags else None)
        refusal = None
        if self.spec.thinking is False:
            refusal = (
                f"thinking: false cannot be had: {why}; leave it out, and ask multiple choice in "
                "a generative form"
                " (ceval-valid-gen, cmmlu-gen, mmlu-gen or another -gen task)"
            )
        return Thinking(
            "thinks", why, markers, configured is None and markers is not None, refusal, self._effective
        )

    @property
    def _tail(self) -> str:
        """What the template writes behind the question."""
        return self.prompt.rpartition(USER)[2]

    @property
    def _told(self) -> ThinkTags | None:
        return told_in([self.template.source, *self.template.added])

    @property
    def _effective(self) -> bool:
        """Whether a switch changes the prompt."""
        return bool(self.switches) and self._render_user(True) != self._render_user(False)

    def _render_user(self, thinking: bool) -> str:
        options = thinking_options(self.template.source, thinking)
        return self._render([{"role": "user", "content": USER}], options)[0]

    def findings(self, found: Thinking) -> tuple[Finding, ...]:
        """What the template adds of its own, and markers that were taken from the files."""
        findings = []
        if found.found and found.tags is not None:
            findings.append(
                Finding("tags_from_files", values={"open": found.tags.open, "close": found.tags.close})
            )
        own = self._own_words()
        if own:
            findings.append(Finding("default_system_prompt", values={"text": shown(own)}))
        return tuple(findings)

    def _own_words(self) -> str:
        """The words before a question to which no system message was given.

        The head of a later user turn is taken off.
        """
        head = self.prompt.partition(USER)[0]
        turns = [
            {"role": "user", "content": USER},
            {"role": "assistant", "content": "A"},
            {"role": "user", "content": USER},
        ]
        twice, _ = self._render(turns, self.options)

        # What stands before every user turn is form; what stands only before the first are words.
        between = twice.split(USER)[1] if twice.count(USER) == 2 else ""
        shared = 0
        while (
            shared < min(len(head), len(between))
            and head[len(head) - 1 - shared] == between[len(between) - 1 - shared]
        ):
            shared += 1

        words = _MARKS.sub(" ", head[: len(head) - shared])
        for token in self.template.tokens.values():
            words = words.replace(token, " ")
        words = re.sub(r"^\s*(?:system|developer)\b", " ", words)
        return words.strip() if len(re.findall(r"[a-zA-Z]{2,}|[\u4e00-\u9fff]", words)) >= 3 else ""
