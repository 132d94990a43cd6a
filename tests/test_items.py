"""What an item asks, as a digest."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from harness.items import Choice, Completion, Passage, Sampling, ThinkTags, asked_digest

COMPLETION = Completion("k", "prompt", ("\n",), 10, Sampling(0.5, 0.9, 5, 1.1, 7), ThinkTags("<t>", "</t>"))
CHANGES: dict[str, Any] = {
    "prompt": "prompt ",
    "stop": ("\n", "。"),
    "max_tokens": 11,
    "sampling": replace(COMPLETION.sampling, seed=8),
    "think": None,
    "prompt_ids": (1, 2),
    "ignore_eos": True,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Completion)])
def test_everything_that_a_completion_asks_counts(name: str) -> None:
    if name in ("key", "arrival"):
        other: dict[str, Any] = {name: "9" if name == "key" else 9.0}
        assert asked_digest(replace(COMPLETION, **other)) == asked_digest(COMPLETION)
    else:
        assert asked_digest(replace(COMPLETION, **{name: CHANGES[name]})) != asked_digest(COMPLETION)


def test_texts_do_not_run_into_each_other() -> None:
    digests = {
        asked_digest(item)
        for item in (
            Choice("k", (("ab", "c"),)),
            Choice("k", (("a", "bc"),)),
            Choice("k", (("a", "b"), ("a", "c"))),
            Choice("k", (("a", "c"), ("a", "b"))),
            Choice("k", (("a", "b"), ("c", ""))),
            Passage("k", "abc"),
            Passage("k", "ab\ud800"),
        )
    }
    assert len(digests) == 7


def test_equal_texts_are_equal_whether_or_not_they_are_one_object() -> None:
    context = "".join(["a", "b"])
    same = Choice("k", ((context, "x"), (context, "y")))
    other = Choice("other", (("ab", "x"), ("".join(["a", "b"]), "y")))
    assert asked_digest(same) == asked_digest(other)
