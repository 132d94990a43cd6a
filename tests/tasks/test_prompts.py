"""What a chat template does to a task's instruction: it stands in the prompt, and the task tells
how it got there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from engines.test_folding import FORGETFUL, GEMMA, MISTRAL, SILENT, TOKENS

from harness.engines.folding import FoldedMessages, adapt
from harness.engines.template import TemplateFile
from harness.items import Completion
from harness.tasks import PromptStyle, Task

INSTRUCTION = "Write the sum in words."


class Template:
    """A chat template as the engine's, without a tokenizer."""

    def __init__(self, source: str) -> None:
        self.template, self.adapted = TemplateFile(source, TOKENS), FoldedMessages()

    def __call__(self, messages: Sequence[dict[str, str]], add_generation_prompt: bool) -> str:
        """The prompt."""
        text, self.adapted = adapt(
            messages, lambda tried: self.template.render(tried, add_generation_prompt=add_generation_prompt)
        )
        return text


def asked(
    task: Task, source: str, system: str | None = None
) -> tuple[str, dict[str, tuple[int | None, int | None]]]:
    style = PromptStyle(chat=Template(source), system_prompt=system)
    first, *_ = list(task.items(style))
    assert isinstance(first, Completion)
    return first.prompt, {finding.kind: (finding.count, finding.of) for finding in task.findings(style)}


@pytest.mark.parametrize("source", [GEMMA, MISTRAL, SILENT], ids=["gemma", "mistral", "silent"])
def test_the_tasks_instruction_and_the_users_system_prompt_reach_the_model(
    source: str, sums: Callable[..., Task]
) -> None:
    prompt, found = asked(sums({"description": INSTRUCTION}), source, "Be brief.")
    assert INSTRUCTION in prompt
    assert "Be brief." in prompt
    assert prompt.index("Be brief.") < prompt.index("0 + 1 =")
    assert found == {"system_folded": (4, 4)}


def test_nothing_is_told_where_the_template_takes_it(sums: Callable[..., Task]) -> None:
    plain = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    prompt, found = asked(sums({"description": INSTRUCTION}), plain)
    assert f"<system>{INSTRUCTION}" in prompt
    assert found == {}


def test_what_is_lost_is_a_warning(sums: Callable[..., Task]) -> None:
    rows = {"num_fewshot": 2, "fewshot_split": "test", "description": INSTRUCTION}
    _, found = asked(sums(rows), FORGETFUL)
    assert found["instruction_lost"] == (4, 4)
