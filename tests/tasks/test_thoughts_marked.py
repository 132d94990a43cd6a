"""Answers with thoughts that nobody announced, and with thoughts that never ended, are marked and
told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from harness.items import Finish, Generation, ThinkTags
from harness.results.sanity import sanity_lines, sanity_row
from harness.tasks import PromptStyle, Task
from harness.tasks.api import Marks
from harness.thought_markers import KNOWN

PLAIN = PromptStyle()
THINK = PromptStyle(think=ThinkTags("<think>", "</think>"))


def marked(task: Task, given: Sequence[tuple[str, Finish]], style: PromptStyle = PLAIN) -> Marks:
    """Marks of answers (text, finish) to the first documents."""
    items = list(task.items(style, len(given)))
    answers = {
        item.key: Generation(item.key, text, finish)
        for item, (text, finish) in zip(items, given, strict=True)
    }
    return task.mark(answers, style, len(given))


@pytest.mark.parametrize("tags", KNOWN, ids=lambda tags: tags.open)
def test_an_unannounced_thought_is_left_out_and_told(sums: Callable[..., Task], tags: ThinkTags) -> None:
    """Document n asks for n + 1; every thought names the right number and every answer a wrong one,
    or none.
    """
    given: list[tuple[str, Finish]] = [
        (f"{tags.open}1{tags.close}1", "eos"),
        (f"{tags.open}2{tags.close}7", "eos"),
        (f"{tags.open}3", "length"),
        (f"{tags.open}4", "stop"),
    ]
    marks = marked(sums(), given)
    assert [sample.metrics["exact_match"] for sample in marks.samples] == [1, 0, 0, 0]
    assert [sample.truncated for sample in marks.samples] == [False, False, True, True]
    found = {finding.kind: finding for finding in marks.findings}
    assert (found["unannounced_thoughts"].count, found["unannounced_thoughts"].of) == (4, 4)
    assert str(found["unannounced_thoughts"].values["tags"]).startswith(f'["{tags.open}"')
    assert (found["cut_thoughts"].count, found["cut_thoughts"].of) == (1, 4)


def test_a_thought_that_the_prompt_opened_is_known_though_no_marker_was_written(
    sums: Callable[..., Task],
) -> None:
    style = PromptStyle(chat=lambda messages, _: f"{messages[-1]['content']}<think>\n")
    marks = marked(sums(), [("First, 1.", "stop"), ("Then 2.", "eos"), ("so 9</think>3", "eos")], style)
    assert [sample.metrics["exact_match"] for sample in marks.samples] == [0, 0, 1]
    found = {finding.kind: finding.count for finding in marks.findings}
    assert (found["unannounced_thoughts"], found["cut_thoughts"]) == (3, 1)


def test_announced_thoughts_are_no_finding(sums: Callable[..., Task]) -> None:
    marks = marked(sums(), [("<think>9</think>1", "eos"), ("2", "eos")], THINK)
    assert marks.findings == ()
    assert [sample.metrics["exact_match"] for sample in marks.samples] == [1, 1]


def test_thoughts_that_never_end_are_told_with_the_score_over_the_finished(sums: Callable[..., Task]) -> None:
    marks = marked(
        sums(),
        [
            ("<think>9</think>1", "eos"),
            ("<think>2", "length"),
            ("<think>9</think>3", "eos"),
            ("<think>4", "length"),
        ],
        THINK,
    )
    (found,) = marks.findings
    assert (found.kind, found.count, found.of) == ("truncated_thoughts", 2, 4)
    (line,) = sanity_lines([sanity_row("m", task, found) for task in ("a", "b")])
    assert line.text().startswith("4 of 8 answers are thoughts that never ended")
    assert "exact_match is 0.500, over the 4 finished ones 1.000" in line.text()
    assert "exact_match 为 0.500，仅计已完成的 4 个则为 1.000" in line.text("zh")


def test_no_warning_where_no_score_moves_and_one_where_nothing_was_finished(
    sums: Callable[..., Task],
) -> None:
    assert marked(sums(), [("<think>9</think>8", "eos"), ("<think>2", "length")], THINK).findings == ()
    (found,) = marked(sums(), [("<think>1", "length"), ("<think>2", "length")], THINK).findings
    assert "over the 0 finished ones –" in sanity_lines([sanity_row("m", "a", found)])[0].text()
