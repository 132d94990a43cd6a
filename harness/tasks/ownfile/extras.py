"""The columns that a file need not have: what a question is about, its category, other right"
" answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.tasks.ownfile.headers import absent, key_of, listed, same

USUAL = {
    "context": (
        *("context", "passage", "article", "paragraph", "story", "background", "flores_passage"),
        *("材料", "阅读材料", "文章", "短文", "背景", "背景材料", "上下文", "资料", "篇章"),
    ),
    "category": (
        *("category", "categories", "subject", "topic", "domain", "discipline", "subcategory"),
        *("类别", "分类", "种类", "学科", "科目", "领域", "主题", "所属学科", "知识点", "专业"),
    ),
    "aliases": (
        *(
            "aliases",
            "alias",
            "answer_aliases",
            "alternatives_answers",
            "acceptable_answers",
            "other_answers",
        ),
        *("别名", "其他答案", "同义答案", "可接受答案", "备选答案", "其它答案"),
    ),
}
"""Names of these columns where the task names none."""


@dataclass(frozen=True)
class Extras:
    """The columns of a text before the question, of categories, and of other right answers.

    None where there is no such column.
    """

    context: str | None = None
    category: str | None = None
    aliases: str | None = None
    detected: bool = False
    """The category's column was found by its name, not named by the task."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that there are."""
        return tuple(name for name in (self.context, self.category, self.aliases) if name is not None)


def find_extras(entry: TaskEntry, others: Sequence[str]) -> tuple[Extras, list[str]]:
    """(the columns, notes of those that were found by their names).

    Raises ConfigError where the task names one that is not there.
    """
    columns: dict[str, str | None] = {}
    notes: list[str] = []
    for key, usual in USUAL.items():
        name = getattr(entry, key)
        columns[key] = _one(key, name, usual, others)
        if name is None and columns[key] is not None and key == "context":
            notes.append(f'column {columns[key]!r} is shown before the question (context: "" leaves it out)')
        if name is None and columns[key] is not None and key == "aliases":
            notes.append(f'column {columns[key]!r} holds other right answers (aliases: "" leaves it out)')
    return Extras(**columns, detected=entry.category is None and columns["category"] is not None), notes


def _one(key: str, name: str | None, usual: Sequence[str], others: Sequence[str]) -> str | None:
    """The column that the task names, "" meaning none, else the only usual one."""
    if name is not None:
        if not name:
            return None
        column = same(name, others)
        if column is None:
            raise ConfigError(absent(key, name, others))
        return column

    candidates = [column for column in others if key_of(column) in usual]
    if len(candidates) > 1 and key == "context":
        raise ConfigError(
            f"{listed(candidates)} may both be what the questions are about: name one, as"
            f" context: {candidates[0]},"
            ' or say context: ""'
        )
    return candidates[0] if candidates else None
