"""Small words for people."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from harness.wording import (
    clipped,
    first_line,
    first_problem,
    gibibytes,
    list_first,
    list_some,
    named_line,
    one_line,
    plural,
    quoted,
    reason_of,
    shorten,
    size_text,
)


def test_one_line_and_what_is_cut_off() -> None:
    assert one_line(" a\n\tb  c ") == "a b c"
    assert one_line("a b c", 3) == "a b"
    assert shorten("a\nb c", 4) == "a b…"
    assert shorten("a\nb c", 5) == "a b c"
    assert clipped("a\nbc", 3) == "a\n…"
    assert quoted("it's\n\x1b[31m red", 9) == repr("it's \x1b[3…")


def test_reasons() -> None:
    error = ValueError("the reason\nand\nadvice")
    assert reason_of(error) == "the reason and advice"
    assert reason_of(error, 5, named=True) == "ValueError: the r"
    assert first_line(error) == "the reason"
    assert named_line(error) == "ValueError: the reason"
    for silent in (ValueError(), ValueError(" \n ")):
        assert {reason_of(silent), first_line(silent), named_line(silent)} == {"ValueError"}


def test_the_first_problem_of_a_validation() -> None:
    class Inner(BaseModel):
        count: int

    class Outer(BaseModel):
        inner: Inner
        name: str

    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": {"count": "many"}})
    text = first_problem(caught.value, shown=80)
    assert text.startswith("inner.count: Input should be a valid integer")
    assert text.endswith("; got 'many' (and 1 more)")
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(3)
    assert first_problem(caught.value, root="entry").startswith("entry: Input should be")
    assert first_problem(caught.value).startswith("Input should be")


def test_lists() -> None:
    names = ["a", "b", "c", "d"]
    assert list_some(names, 4) == "a, b, c, d"
    assert list_some(iter(names), 2) == "a, b and 2 more"
    assert list_some(names, 3, "tasks") == "a, b, c and 1 more tasks"
    assert (list_first(names, 4), list_first(names, 3), list_first(names, 1, ", …")) == (
        "a, b, c, d",
        "a, b, c …",
        "a, …",
    )
    assert (plural(1, "run"), plural(0, "run"), plural(1200, "entry", "entries")) == (
        "1 run",
        "0 runs",
        "1,200 entries",
    )


def test_sizes() -> None:
    assert [size_text(size) for size in (None, 12, 2048, 3 << 20, 1.5 * 2**30)] == [
        "?",
        "12 B",
        "2.0 KiB",
        "3.0 MiB",
        "1.5 GiB",
    ]
    assert (gibibytes(80 << 30), gibibytes(1.25 * 2**30)) == ("80 GiB", "1.2 GiB")
