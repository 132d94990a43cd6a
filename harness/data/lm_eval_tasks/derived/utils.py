"""The letter that a free answer states, for the generative forms of C-Eval, CMMLU and MMLU.

The rules: docs/tasks.md.
"""

from typing import Any

from harness.tasks.reading import ReadAnswer, options_of, read_letter


def letters(resps: list[list[str]], docs: list[dict[str, Any]]) -> list[list[str]]:
    """An lm-eval filter: each response's letter among its document's options, or "[invalid]"."""
    return [
        [ReadAnswer.of(read_letter(text, options_of(doc))) for text in texts]
        for texts, doc in zip(resps, docs, strict=True)
    ]
