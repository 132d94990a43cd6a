"""Notes that can be said in another language: English texts that remember which text they are and
what fills its blanks.
"""

from __future__ import annotations

from collections.abc import Sequence

TEXTS = {
    "asked_otherwise": "{model} was not asked the same on {tasks}: {why}; not compared there.",
    "not_paired": "Not paired: {why}{more}",
    "not_paired_more": " (and {n} more)",
    "mixed_group": "{group} has no score of its own: its tasks have different metrics, so its parts stand for themselves.",
    "forms": "{tasks}: asked of the models that think, in the place of the form that compares options; in no pair and no average with it.",
    "marked_otherwise": "{tasks}: not all answers were read and marked by the same rules; harness rescore RUN marks them again.",
    "untested": "No difference can be tested on {tasks}: no score an item.",
    "other_filters": "{task} is compared by {filter}, which the task defines first; the same answers by {others}.",
    "other_filters_more": "{n} more tasks score otherwise by another of their filters.",
    "and_more": "{names} and {n} more",
    "examples": "examples {theirs} instead of {ours}",
    "unknown_difference": "prompt_id differs, and a run's manifest does not say in what",
    "some_difference": "prompt_id differs",
    "another": "another {part}",
    "instead": "{part} {theirs} instead of {ours}",
    "published_examples": "examples {ours} here, {theirs} there",
    "not_said": "not said",
    "own_evaluation": "their own evaluation",
    "not_all_items": "not all items here",
    "part_version": "task version",
    "part_prompt_config": "prompt template",
    "part_data": "data",
    "part_fewshot": "examples",
    "part_generation": "generation settings",
    "part_chat": "chat template",
    "part_multiturn": "examples as turns",
    "part_system_prompt": "system prompt",
    "on": "on",
    "off": "off",
    "none": "none",
}
"""English by key; a page's catalogue has the same keys in its languages (a test holds them to
these).
"""


class Note(str):
    """An English text; ``key`` and ``values`` (texts, numbers or notes) say it again, ``parts`` are
    the notes that it lists, if any.
    """

    __slots__ = ("key", "parts", "values")

    key: str
    values: dict[str, object]
    parts: tuple[str, ...]

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """A copy for another process is the text."""
        return (str, (str(self),))


def note(key: str, **values: object) -> Note:
    """The text of ``key`` with its blanks filled.

    Raises KeyError for an unknown key or an empty blank.
    """
    made = Note(TEXTS[key].format(**values))
    made.key, made.values, made.parts = key, values, ()
    return made


def listed(parts: Sequence[str], separator: str = "; ") -> Note:
    """Several texts or notes as one."""
    made = Note(separator.join(parts))
    made.key, made.values, made.parts = "", {}, tuple(parts)
    return made


def named(names: Sequence[str], most: int) -> str:
    """Names in a row; of many the first ones and how many more there are."""
    shown = ", ".join(names[:most])
    return note("and_more", names=shown, n=len(names) - most) if len(names) > most else shown
