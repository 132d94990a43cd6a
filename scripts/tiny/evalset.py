"""The held-out items: test and few-shot splits of every bundled task, and the keys training must
refuse.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random

from tiny.items import LETTERS, MAKERS, Item
from tiny.world import LANGUAGES

SEED = 20240601
# Items per split and kind.
SIZES = {
    "arithmetic": {"test": 160, "train": 8},
    "reading": {"test": 160, "train": 8},
    "letters": {"test": 160, "train": 8},
    "word_problems": {"test": 100, "train": 8},
    "passages": {"test": 20, "train": 4},
}


def _draw(kind: str, keys: set[str], barred: set[str]) -> dict[str, list[Item]]:
    """Items of one kind for every split, none of them in `seen` or using a sum in `barred`."""
    rng = Random(f"{SEED}-{kind}")
    items_of: dict[str, list[Item]] = {}
    for split, size in SIZES[kind].items():
        items_of[split] = []
        while len(items_of[split]) < size:
            item = MAKERS[kind](rng, False)
            if item.key not in keys and barred.isdisjoint(item.steps):
                keys.add(item.key)
                items_of[split].append(item)
    return items_of


@cache
def held_out() -> dict[str, dict[str, list[Item]]]:
    """kind -> split -> items; no key occurs twice, so no few-shot item is a test item."""
    keys: set[str] = set()
    items_of = {"arithmetic": _draw("arithmetic", keys, set())}
    # Story sums use only sums that training may show: they test the story, not the sum.
    barred = {step for items in items_of["arithmetic"].values() for item in items for step in item.steps}
    for kind in SIZES:
        if kind != "arithmetic":
            items_of[kind] = _draw(kind, keys, barred)
    return items_of


@cache
def held_out_sums() -> frozenset[str]:
    """The sums of the arithmetic tasks; no training text may work one of them out."""
    return frozenset(
        step for items in held_out()["arithmetic"].values() for item in items for step in item.steps
    )


@cache
def held_out_keys() -> frozenset[str]:
    """Keys of all held-out items."""
    return frozenset(
        item.key for splits in held_out().values() for items in splits.values() for item in items
    )


def allowed(item: Item) -> bool:
    """Whether training may see the item: neither it nor a sum inside it is held out."""
    return item.key not in held_out_keys() and held_out_sums().isdisjoint(item.steps)


def record(item: Item, lang: str) -> dict[str, object]:
    """The item as one line of a task's JSONL."""
    row: dict[str, object] = dict(item.fields[lang])
    if item.kind == "letters":
        row["answer"] = LETTERS[item.gold]
    elif item.kind == "word_problems":
        row["answer"] = "".join(c for c in item.answer(lang) if c.isdigit())
    elif item.choices and item.kind != "passages":
        row["choices"] = item.choices[lang]
        row["answer"] = item.gold
    return row


def task_files() -> dict[str, str]:
    """Relative path -> text of every data file of the bundled tasks."""
    files = {}
    for kind, splits in held_out().items():
        for lang in LANGUAGES:
            for split, items in splits.items():
                lines = [json.dumps(record(item, lang), ensure_ascii=False) for item in items]
                files[f"{lang}_{kind}/{split}.jsonl"] = "\n".join(lines) + "\n"
    return files


def write_tasks(folder: Path) -> None:
    """Write the data files of the bundled tasks under `folder`."""
    for name, text in task_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
