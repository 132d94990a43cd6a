"""What the answers of an endpoint show beyond their texts and numbers, kept from many threads, and
reported as findings.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from harness.engines.openai.reading import ChoiceText, count
from harness.engines.openai.sampling import is_neutral, matters, sampling_fields, unconfirmed, unheeded
from harness.engines.openai.wire import Dialect
from harness.items import Completion
from harness.sanity import Finding

_DATE = re.compile(r"[-@_](\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4})$")
_QUIET = frozenset({"seed", "stop"})
"""Fields whose loss makes no answer wrong: it can only not be drawn again, or is longer than it
need be.
"""
_FORM = frozenset({"max_tokens", "max_completion_tokens", "chat_template_kwargs", "stop", "ignore_eos"})
_TEMPLATE = frozenset({"chat_template_kwargs", "continue_final_message"})
"""Fields for the server's template, which other servers than vLLM and SGLang may not know."""


class Notes:
    """Counts over all answers since the engine was opened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._wanted: dict[str, set[Any]] = {}
        self._form: set[str] = set()
        self._size: tuple[int, int] | None = None

    def answered(self, dialect: Dialect, answer: Mapping[str, Any], sent: int | None) -> None:
        """Any answer; ``sent``: tokens of its prompt, where ids were sent."""
        tokens, whole = count(answer)
        name = answer.get("model")

        with self._lock:
            self._counts["answers"] += 1
            self._counts["uncounted"] += not whole
            if isinstance(name, str) and name and not same_model(dialect.spec.id, name):
                self._models[name] += 1
            if whole and sent is not None:
                self._counts["sized"] += 1
                if tokens.prompt != sent:
                    self._counts["other size"] += 1
                    self._size = (tokens.prompt, sent)

    def generated(
        self, dialect: Dialect, item: Completion, content: ChoiceText, body: Mapping[str, Any]
    ) -> None:
        """A generated answer and what was asked, as an item and as it was sent."""
        with self._lock:
            self._counts["generated"] += 1
            self._counts["drawn"] += item.sampling.temperature > 0
            self._counts["refusals"] += content.refused
            self._counts["thoughts"] += content.thought
            for name, value in sampling_fields(item, dialect.owner, dialect.top_k_off).items():
                self._wanted.setdefault(name, set()).add(value)
            self._form |= _TEMPLATE & set(body)

    def findings(self, dialect: Dialect) -> tuple[Finding, ...]:
        """What a reader of the numbers should know."""
        with self._lock:
            findings = [*self._sampling(dialect), *self._answers()]
            if dialect.folded:
                findings.append(Finding("instructions_folded"))
            if dialect.spec.thinking is False and self._counts["thoughts"]:
                findings.append(
                    Finding("thinking_not_switched_off", self._counts["thoughts"], self._counts["generated"])
                )
        return tuple(findings)

    def _sampling(self, dialect: Dialect) -> list[Finding]:
        """Fields that were not sent or are not heeded.

        They are loud where an answer may be another for it.
        """
        if not self._counts["generated"]:
            return []

        # A field is loud where an answer may be another without it, quiet where it cannot.
        drawn = self._counts["drawn"] > 0
        fields = set(self._wanted) | _FORM
        loud = {name for name in dialect.settings.omit if name in fields and matters(name, drawn)} - _QUIET
        loud |= {
            name for name in dialect.refused - _QUIET if matters(name, drawn) and not self._neutral(name)
        }
        loud |= set(unheeded(dialect.owner, drawn))
        quiet = ({name for name in dialect.settings.omit if name in fields} | dialect.refused) - loud

        unknown = set(unconfirmed(dialect.owner, drawn, self._form)) - loud - quiet
        over = {
            name
            for name, value in dialect.settings.extra_body.items()
            if self._wanted.get(name, {value}) != {value}
        }

        kinds = {
            "server_defaults": loud,
            "server_defaults_harmless": quiet,
            "sampling_unconfirmed": unknown,
            "sampling_overridden": over,
        }
        return [
            Finding(kind, values={"fields": ", ".join(sorted(names))})
            for kind, names in kinds.items()
            if names
        ]

    def _neutral(self, name: str) -> bool:
        return all(is_neutral(name, value) for value in self._wanted.get(name, ()))

    def _answers(self) -> list[Finding]:
        counts, findings = self._counts, []
        if self._models:
            names = ", ".join(name for name, _ in self._models.most_common(3))
            findings.append(
                Finding(
                    "other_model_answered", self._models.total(), counts["answers"], {"name": names[:200]}
                )
            )

        if self._size is not None:
            counted, sent = self._size
            findings.append(
                Finding(
                    "prompt_changed", counts["other size"], counts["sized"], {"read": counted, "sent": sent}
                )
            )
        if counts["uncounted"]:
            findings.append(Finding("tokens_untold", counts["uncounted"], counts["answers"]))
        if counts["refusals"]:
            findings.append(Finding("refusal_field", counts["refusals"], counts["generated"]))
        return findings


def same_model(asked: str, answered: str) -> bool:
    """Whether an answer comes from the model asked for.

    Case, folder, ``:latest``, and a date that one of the two leaves out do not count.
    """
    first, second = _bare(asked), _bare(answered)
    if first == second:
        return True
    dated = _DATE.search(first), _DATE.search(second)
    return not all(dated) and _DATE.sub("", first) == _DATE.sub("", second)


def _bare(name: str) -> str:
    last = PurePosixPath(name.strip().lower()).name
    return last.removesuffix(":latest").removesuffix("-latest").removesuffix(".gguf").removesuffix(":free")
