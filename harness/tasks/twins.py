"""The generative twin of a multiple-choice task.

The same documents, answered in writing, the letter of the answer read. C-Eval, CMMLU and MMLU have
templates of their own (``lm_eval_tasks/derived``, names like ``ceval-valid-gen_law``). Any other
task whose options are listed by letters, and a file of one's own with choices, gets ``NAME-gen``
made from its own YAML here.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from harness.tasks.letters import LETTERS

SUFFIX = "-gen"
INSTRUCTIONS = {
    "zh": "下面是一道单项选择题。请先逐步分析，再在最后一行按“答案：X”的格式写出正确选项的字母。\n\n",
    "en": (
        "The following is a multiple-choice question. Think step by step, then write the letter of"
        " the right"
        ' option on the last line in the form "Answer: X".\n\n'
    ),
}
_CUE = re.compile(r"\s*(?:Answer|答案|答)\s*[:：]\s*(?:\{\{\s*\w+\s*\}\})?\s*$")
_LISTED = re.compile(r"(?:^|\n)\s*\(?A\s*[).．、:：]")
_COLUMN = re.compile(r"\w+")
_DROPPED = ("doc_to_choice", "fewshot_config", "fewshot_split", "target_delimiter")


def lettered(config: dict[str, Any]) -> int | None:
    """How many options a task's config lists by their letters, A first.

    None where its options are other texts, or not known before.
    """
    if config.get("output_type") != "multiple_choice" or config.get("process_results") or config.get("class"):
        return None

    text, choices = config.get("doc_to_text"), _listed(config.get("doc_to_choice"))
    if (
        not isinstance(text, str)
        or text.startswith("!function")
        or _LISTED.search(text) is None
        or choices is None
    ):
        return None

    bare = [choice.strip(" ().") if isinstance(choice, str) else "" for choice in choices]
    return len(bare) if len(bare) > 1 and bare == list(LETTERS[: len(bare)]) else None


def _listed(choices: Any) -> list[Any] | None:
    if isinstance(choices, str):
        try:
            choices = ast.literal_eval(choices.strip().removeprefix("{{").removesuffix("}}").strip())
        except (ValueError, SyntaxError):
            return None
    return choices if isinstance(choices, list) else None


def twin_config(
    config: dict[str, Any], name: str, language: str | None, template: dict[str, Any], chance: float | None
) -> dict[str, Any]:
    """What the twin's lm-eval config says instead of the task's.

    ``template``: the settings that every generative form shares.
    """

    text = str(config["doc_to_text"])
    target = config.get("doc_to_target")
    metadata = config.get("metadata")
    twin_metadata = dict(metadata) if isinstance(metadata, dict) else {}
    twin_metadata |= {"chance": chance} if chance is not None else {}

    # The task's cue ("Answer:") goes, since the instruction asks for reasoning before the answer.
    return {
        **dict.fromkeys(key for key in _DROPPED if key in config),
        **template,
        "task": name,
        "doc_to_text": INSTRUCTIONS["zh" if language == "zh" else "en"]
        + "{% set asked %}"
        + _CUE.sub("", text)
        + "{% endset %}{{ asked|trim }}",
        "doc_to_target": _letter(target),
        "metadata": twin_metadata,
    }


def _letter(target: Any) -> str:
    """A template that writes the right option's letter.

    The task's own target names the letter, or its index from 0.
    """
    if isinstance(target, int):
        return LETTERS[target]
    inner = f"{{{{{target}}}}}" if _COLUMN.fullmatch(str(target)) else str(target)

    bare = (
        "{% set right %}"
        + inner
        + "{% endset %}{% set right = right|trim|replace('(', '')|replace(')', '') %}"
    )
    return bare + "{{ '" + LETTERS + "'[right|int] if right.isdigit() else right }}"
