"""What it takes to be asked the same, and in what two cells were asked differently."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.contestants import Cell
from harness.analysis.notes import listed, note
from harness.results.query import Run
from harness.texts import catalogue
from harness.wording import shorten

LONGEST = 40
"""Characters of a value that are shown."""
CHAT = {"multiturn", "date"}
"""Parts of a prompt's identity that only a chat template has."""
IMPORTED = "lm-eval-"
"""How the prompt_ids of runs begin that were imported from lm-eval.

lm-eval keeps no such identity itself.
"""


def identity(run: Run, task: str, prompt_id: str | None) -> Mapping[str, Any] | None:
    """What a prompt_id was made of, from the run's manifest; None where it does not say."""
    prompts = run.manifest.get("tasks", {}).get(task, [])
    return next((prompt for prompt in prompts if prompt.get("prompt_id") == prompt_id), None)


def how_they_differ(one: Cell, other: Cell) -> str:
    """In one line what ``other`` was asked differently.

    Such as ``examples 0 instead of 5; chat template on instead of off``.
    """
    row, twin = one.rows[0], other.rows[0]
    ours, theirs = identity(one.run, row.task, row.prompt_id), identity(other.run, twin.task, twin.prompt_id)

    # Old runs and imports have no manifest of their prompts.
    if ours is None or theirs is None:
        if row.fewshot != twin.fewshot:
            return note("examples", theirs=twin.fewshot, ours=row.fewshot)
        return note("unknown_difference")
    differ: list[str] = []

    # What only a chat template is told (turns, the day) differs wherever the template does.
    without = {"prompt_id", "task"} | (CHAT if ours.get("chat") != theirs.get("chat") else set())
    for key in dict.fromkeys([*ours, *theirs]):
        if key in without or ours.get(key) == theirs.get(key):
            continue
        # The same data may come from a mirror and from the hub.
        if key == "data" and _fingerprints(ours) == _fingerprints(theirs):
            continue
        differ += _in_words(key, ours.get(key), theirs.get(key))
    return listed(differ) if differ else note("some_difference")


def _fingerprints(prompt: Mapping[str, Any]) -> Any:
    data = prompt.get("data")
    return data.get("fingerprint") if isinstance(data, Mapping) else data


def _in_words(key: str, value: Any, theirs: Any) -> list[str]:
    """Parts of a prompt's identity in words.

    Those without a text keep their own names (seed, repeats).
    """
    name = note(f"part_{key}") if f"part_{key}" in catalogue("notes") else key
    if key in ("data", "prompt_config"):
        return [note("another", part=name)]

    if isinstance(value, Mapping) and isinstance(theirs, Mapping):
        parts = [part for part in dict.fromkeys([*value, *theirs]) if value.get(part) != theirs.get(part)]
        return [
            note("instead", part=part, theirs=_short(theirs.get(part)), ours=_short(value.get(part)))
            for part in parts
        ]
    return [note("instead", part=name, theirs=_short(theirs), ours=_short(value))]


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return note("on" if value else "off")
    if value is None:
        return note("none")

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shorten(text, LONGEST)


def same_texts(one: Cell, other: Cell, filters: Sequence[str]) -> bool:
    """Whether two cells asked the very same texts on shared documents.

    One of them was imported and so has no comparable prompt_id. Prompts and right answers are
    compared. Generation settings are not: an import names its own in the manifest.
    """
    ids = [cell.rows[0].prompt_id or "" for cell in (one, other)]
    if sum(name.startswith(IMPORTED) for name in ids) != 1:
        return False
    return all(_texts_agree(one, other, column, filters) for column in ("target", "prompt"))


def _texts_agree(one: Cell, other: Cell, column: str, filters: Sequence[str]) -> bool:
    from harness.results.samples import read_texts

    mine, theirs = (
        read_texts(cell.run.folder.samples(cell.rows[0].model, cell.rows[0].task), column, filters[0])
        for cell in (one, other)
    )
    both = mine.keys() & theirs.keys()
    return bool(both) and all(mine[doc].strip() == theirs[doc].strip() for doc in both)
