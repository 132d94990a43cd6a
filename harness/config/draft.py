"""The commented YAML that `harness init` writes, in either language."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.texts import Words

INDENT = "  "


@dataclass(frozen=True)
class Draft:
    """The answers to the four questions."""

    models: Sequence[str]
    tasks: Sequence[str]
    limit: int | None = None
    device: str = "auto"
    base_url: str | None = None
    api_key_env: str | None = None

    def to_yaml(self, file: Path, language: str) -> str:
        """The YAML of a config that is to be written to ``file``.

        Paths in it are relative to that file's folder, as a config's are.
        """
        words = Words(language, "init")
        parts = [
            self._head(file, words),
            self._models(file.parent, words),
            self._tasks(file.parent, words),
            self._limit(words),
            self._rest(words),
        ]
        return "\n".join(parts)

    def _head(self, file: Path, words: Words) -> str:
        steps = [
            (f"harness plan {file}", words("c_plan")),
            (f"harness run {file}", words("c_run")),
            (f"harness report {file.stem}", words("c_report")),
        ]
        wide = max(len(step) for step, _ in steps) + 3
        lines = [f"#     {step.ljust(wide)}# {what}" for step, what in steps]
        name = f"name: {_plain(file.stem)}  # {words('c_name', name=file.stem)}\n"
        return "\n".join([f"# {words('c_head')}", "#", *lines, name])

    def _models(self, folder: Path, words: Words) -> str:
        if self.base_url is None:
            comments = [words("c_models")]
            entries = [_plain(_relative(model, folder)) for model in self.models]
            example = "{id: Qwen/Qwen3-8B, dtype: bfloat16, thinking: false}"
        else:
            key = self.api_key_env
            comments = [words("c_endpoint", key=key or "OPENAI_API_KEY")]
            own = {"engine": "openai", "base_url": self.base_url} | ({"api_key_env": key} if key else {})
            entries = [_flow({"id": model, **own}) for model in self.models]
            example = (
                "{id: …, engine: openai, base_url: …, price: {input: 0.27, output: 1.10}, "
                "engine_args: {concurrency: 8}}"
            )
        return _block("models", comments, entries, f"{words('c_more_models')}{example}")

    def _tasks(self, folder: Path, words: Words) -> str:
        files = [task for task in self.tasks if Path(task).is_file()]
        comments = [words("c_tasks"), *([words("c_own")] if files else [])]
        # An endpoint is asked to write its answer: a chat says nothing of options' probabilities.
        form = {} if self.base_url is None else {"form": "generated"}
        entries = [
            _flow({"file": _relative(task, folder)} | form)
            if task in files and not task.endswith((".yaml", ".yml"))
            else _plain(_relative(task, folder))
            for task in self.tasks
        ]
        example = '{task: "ceval-valid_*", fewshot: 5, limit: 200}'
        return _block("tasks", comments, entries, f"{words('c_more_tasks')}{example}")

    def _limit(self, words: Words) -> str:
        if self.limit is None:
            return f"# {words('c_no_limit')}\n# limit: 20\n"
        return f"# {words('c_limit')}\nlimit: {self.limit}\n"

    def _rest(self, words: Words) -> str:
        lines = [] if self.base_url is not None else [f"device: {self.device}  # {words('c_device')}", ""]
        lines += [f"# {words('c_mirror')}", "# mirror: ~/mirror", "", f"# {words('c_expect')}", "# expect:"]
        return "\n".join([*lines, "#   - {task: gsm8k, model: NAME, metric: exact_match, min: 0.5}", ""])


def _block(key: str, comments: Sequence[str], entries: Sequence[str], example: str) -> str:
    lines = [f"{key}:", *(f"{INDENT}# {comment}" for comment in comments)]
    return "\n".join([*lines, *(f"{INDENT}- {entry}" for entry in entries), f"{INDENT}# {example}", ""])


def _relative(name: str, folder: Path) -> str:
    """A path that is there, seen from the config's folder; any other name as it is."""
    if not os.path.exists(name) or os.path.isabs(name):  # noqa: PTH110, PTH117
        return name
    relative = Path(os.path.relpath(name, folder)).as_posix()
    return relative if relative.startswith("../") or Path(name).is_file() else f"./{relative}"


def _plain(value: str) -> str:
    """A text as YAML, quoted where it would be read as something else."""
    return yaml.safe_dump(value, allow_unicode=True, width=10_000).split("\n")[0]


def _flow(value: dict[str, Any]) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10_000)
    return text.strip()
