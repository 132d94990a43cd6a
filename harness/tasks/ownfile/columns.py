"""Which columns of an own file hold the question, the options and the answer.

They are what the config says, or one of the usual layouts.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.config.schema import TaskEntry
from harness.errors import ConfigError
from harness.tasks.ownfile.extras import Extras, find_extras
from harness.tasks.ownfile.headers import absent, key_of, listed, same
from harness.tasks.ownfile.marks import NUMERALS, STEMS

SYNONYMS = {
    "question": (
        *("题目", "问题", "题干", "试题", "题目内容", "试题内容"),
        *("problem", "prompt", "query", "stem", "question_stem", "question_text"),
    ),
    "answer": (
        *(
            "答案",
            "正确答案",
            "标准答案",
            "参考答案",
            "正确选项",
            "answerkey",
            "answer_key",
            "correct",
            "correct_answer",
        ),
        *("correct_option", "correct_choice", "right_answer", "label", "target", "gold"),
        *("answers", "gold_answer", "correct_answer_num", "正确项", "标准答案选项"),
    ),
}
"""Names of a column where the config names none and the file has no ``question`` or ``answer``."""
LISTS = ("choices", "options", "candidates", "alternatives", "endings", "选项", "候选项", "备选项")
"""Names of one column that holds all options."""
_PREFIX = "options?|opt|op|choices?|candidate|alternative|(?:mc_)?answer|ans|ending|sol|选项|备选|候选"
_MARKS = {"letter": "abcdefghij", "stem": STEMS, "numeral": NUMERALS}
_FAMILY = re.compile(
    rf"(?P<before>{_PREFIX}|)[\s_.-]*[(\[【]?(?P<mark>[a-j{STEMS}{NUMERALS}]"
    rf"|\d{{1,2}})[)\]】]?[\s_.-]*(?P<after>选项|options?|choices?|)"
)
_WRONG = re.compile(
    r"(distractor|incorrect|wrong|false)s?[\s_-]*(answer|option|choice)?s?[\s_-]*\d*|干扰项\d*"
)
"""Columns of wrong options only, which do not say where the right one stands."""


@dataclass(frozen=True)
class Columns:
    """Where a row's parts are.

    ``choices``: the columns of the options, or the one that holds their list; empty where answers
    are generated. ``answer_is`` None: the answers themselves show it.
    """

    question: str
    choices: tuple[str, ...]
    answer: str
    answer_is: str | None = None
    keep_words: bool = False
    """Texts such as None and null are meant as written."""
    extras: Extras = field(default_factory=Extras)
    encoding: str | None = None
    sheet: str | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    def as_kwargs(self) -> dict[str, Any]:
        """For ``dataset_kwargs``, which leaves out what is None."""
        plain = dataclasses.asdict(self) | {"choices": list(self.choices), "notes": None}
        return {name: value for name, value in plain.items() if value is not None}

    @classmethod
    def of_kwargs(cls, kwargs: dict[str, Any]) -> Columns:
        """What `as_kwargs` wrote."""
        names = {field.name for field in dataclasses.fields(cls)} - {"choices", "extras"}
        plain = {name: value for name, value in kwargs.items() if name in names}
        return cls(**plain, choices=tuple(kwargs["choices"]), extras=Extras(**kwargs.get("extras", {})))


def find_columns(entry: TaskEntry, names: Sequence[str], empty: Collection[str] = ()) -> Columns:
    """The columns that the entry means in a file with these.

    In those of ``empty`` no row has a value. Raises ConfigError (without the file's name) where
    that is not clear.
    """
    question = _column("question", entry.question, names)
    answer = _column("answer", entry.answer, names, empty)
    if question == answer:
        raise ConfigError(f"column {question!r} cannot be question and answer at once")

    extras, extra_notes = find_extras(entry, [name for name in names if name not in (question, answer)])
    others = [name for name in names if name not in (question, answer, *extras.names)]
    entries = (("question", entry.question, question), ("answer", entry.answer, answer))
    notes = [f"the {key} is read from column {column!r}" for key, name, column in entries if column != name]

    choices: tuple[str, ...] = ()
    if entry.answer_is != "generated":
        choices = _choices(entry.choices, others)
        if choices and choices != _said(entry.choices):
            notes.append(f"options are read from {listed(choices)}")

    # Without options an index points at nothing; those of letters may stand in the question.
    if not choices and entry.answer_is in ("index", "number"):
        raise ConfigError(
            f"answer_is: {entry.answer_is} needs options, and there is no such column; it has:"
            f" {', '.join(names)}"
        )
    return Columns(
        question,
        choices,
        answer,
        entry.answer_is,
        entry.missing_words == "text",
        extras,
        entry.encoding,
        entry.sheet,
        (*notes, *extra_notes),
    )


def _said(choices: str | list[str]) -> tuple[str, ...]:
    return (choices,) if isinstance(choices, str) else tuple(choices)


def _column(key: str, name_in_task: str, names: Sequence[str], empty: Collection[str] = ()) -> str:
    """The column of that name, or of that name but for case and width.

    Where the name is the default, a usual one will do.
    """
    column = same(name_in_task, names)
    if column is not None and column not in empty:
        return column

    # Only the default name may stand for another: a person who names a column means that column.
    # AGIEval has the letter in "label" beside an "answer" that no row fills.
    if name_in_task == key:
        usual = [name for name in names if key_of(name) in SYNONYMS[key] and name not in empty]
        if len(usual) == 1:
            return usual[0]
        if usual and column is None:
            raise ConfigError(
                f"{key}: {listed(usual)} may be meant; name one in the task, as {key}: {usual[0]}"
            )
    if column is not None:
        return column
    raise ConfigError(absent(key, name_in_task, names))


def _choices(entry: str | list[str], others: Sequence[str]) -> tuple[str, ...]:
    families = _families(others)
    if entry == "choices":
        return _detected(others, families)
    # A comma-separated text is what a list becomes on a command line (--set).
    names_in_task = [entry] if isinstance(entry, str) else entry
    if isinstance(entry, str) and same(entry, others) is None and "," in entry:
        names_in_task = [part.strip() for part in entry.split(",")]

    columns = []
    for name in names_in_task:
        column = same(name, others)
        if column is None:
            raise ConfigError(absent("choices", name, others))
        columns.append(column)
    if len(set(columns)) < len(columns):
        raise ConfigError(f"choices: names a column twice: {', '.join(columns)}")

    # An option left out would leave a question whose right answer may not be shown.
    for members in families.values():
        others_alike = [name for name in members.values() if name not in columns]
        if others_alike and set(columns) & set(members.values()):
            raise ConfigError(
                f"{listed(others_alike)} look{'s' if len(others_alike) == 1 else ''} like an"
                f" option and is not in choices: {', '.join(columns)}"
            )
    return tuple(columns)


def _families(names: Sequence[str]) -> dict[str, dict[int, str]]:
    """Columns that are named alike but for a letter or a number, by that position.

    Examples: A, B, C; option_a, option_b; choice1, choice2; 甲, 乙.
    """
    families: dict[str, dict[int, str]] = {}
    for name in names:
        match = _FAMILY.fullmatch(key_of(name))
        if match is None:
            continue

        mark = match["mark"]
        kind = next((kind for kind, marks in _MARKS.items() if mark in marks), "number")
        position = int(mark) if kind == "number" else _MARKS[kind].index(mark)
        families.setdefault(f"{match['before']}|{match['after']}|{kind}", {})[position] = name

    # A lone column A or 1 may be anything, so bare marks need company.
    ordered = {key: dict(sorted(members.items())) for key, members in families.items()}
    return {
        key: members for key, members in ordered.items() if not key.startswith("||") or _likely(key, members)
    }


def _likely(key: str, members: dict[int, str]) -> bool:
    """Whether columns that are named by bare marks are options.

    Letters are where there are two, others in a whole row only.
    """
    return len(members) > 1 if key == "||letter" else _whole(key, members)


def _whole(key: str, members: dict[int, str]) -> bool:
    places = list(members)
    begins = (0, 1) if key.endswith("number") else (0,)
    return (
        len(places) > 1 and places[0] in begins and places == list(range(places[0], places[0] + len(places)))
    )


def _detected(others: Sequence[str], families: dict[str, dict[int, str]]) -> tuple[str, ...]:
    lists = [name for name in others if key_of(name) in LISTS]
    ways = [(name,) for name in lists] + [
        tuple(members.values()) for key, members in families.items() if _whole(key, members)
    ]
    if len(ways) > 1:
        names = " or ".join(listed(way) for way in ways)
        example = "[" + ", ".join(ways[0]) + "]"
        raise ConfigError(f"the options may be in {names}; say which, as choices: {example}")

    # A row with a gap (A, B, D), or wrong options alone, cannot be shown as it is and must not be
    # dropped silently.
    broken = [
        name for key, members in families.items() if not _whole(key, members) for name in members.values()
    ]
    broken += [name for name in others if _WRONG.fullmatch(key_of(name))]
    if broken:
        raise ConfigError(
            f"{listed(broken)} look like options and would not be shown: name the options'"
            f" columns (choices: [A, B]), "
            "or say answer_is: generated where there are none"
        )
    return ways[0] if ways else ()
