"""Which items share a source, and what names an item in two languages."""

from __future__ import annotations

import pytest
import yaml

from harness.tasks.origin import SOURCES, Fields, fields_of


def test_every_entry_says_why_and_what() -> None:
    for entry in yaml.safe_load(SOURCES.read_text(encoding="utf-8")):
        assert entry["tasks"]
        assert entry["why"]
        assert entry.get("cluster") or entry.get("item")
        assert set(entry) <= {"tasks", "cluster", "item", "why"}


@pytest.mark.parametrize(
    ("task", "fields"),
    [
        ("belebele_zho_Hans", Fields(("link",), ("link", "question_number"))),
        ("c3_dialog", Fields(("passage",))),
        ("xquad_en", Fields(("context",), ("id",))),
        ("mmlu_anatomy", Fields()),
        ("global_mmlu_zh_stem", Fields((), ("sample_id",))),
    ],
)
def test_tasks_in_the_table(task: str, fields: Fields) -> None:
    assert fields_of(task) == fields


def test_a_tasks_own_metadata_comes_first() -> None:
    assert fields_of("c3", {"cluster": "book", "version": 1}) == Fields(("book",))


def test_labels_are_equal_where_the_fields_are() -> None:
    fields = Fields(("link",), ("link", "number"))
    one, other = {"link": "a", "number": 1}, {"link": "a", "number": 2}
    assert fields.cluster_of(one) == fields.cluster_of(other) != fields.cluster_of({"link": "b"})
    assert fields.item_of(one, 0) != fields.item_of(other, 1)
    assert fields.item_of({**one, "text": "其他语言"}, 9) == fields.item_of(one, 0)


def test_a_missing_field_leaves_items_alone() -> None:
    assert Fields(("passage",)).cluster_of({"text": "x"}) is None
    assert Fields((), ("id",)).item_of({}, 7) == "7"
