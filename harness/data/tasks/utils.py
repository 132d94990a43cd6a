"""The number that a free answer gives, for the bundled word problems; the rules: docs/tasks.md."""

from typing import Any

from harness.tasks.reading import ReadAnswer, read_number


def numbers(resps: list[list[str]], docs: list[dict[str, Any]]) -> list[list[str]]:
    """An lm-eval filter: the number of every response as plain digits, or nothing."""
    return [[ReadAnswer.of(read_number(text), invalid="") for text in texts] for texts in resps]
