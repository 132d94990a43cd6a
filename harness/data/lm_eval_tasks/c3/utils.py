"""C3: a document holds a passage or dialogue and several questions; lm-eval wants one row a
question.
"""

from typing import Any


def process_docs(dataset: Any) -> Any:
    """One row a question: passage (lines joined), question, choices, gold (index)."""
    return dataset.map(_questions, batched=True, batch_size=500, remove_columns=dataset.column_names)


def _questions(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {"passage": [], "question": [], "choices": [], "gold": []}
    for lines, asked in zip(batch["documents"], batch["questions"], strict=True):
        for question, answer, choices in zip(
            asked["question"], asked["answer"], asked["choice"], strict=True
        ):
            rows["passage"].append("\n".join(lines))
            rows["question"].append(question)
            rows["choices"].append(choices)
            rows["gold"].append(choices.index(answer))
    return rows
