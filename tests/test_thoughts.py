"""Thoughts that nobody announced are recognised by their markers, and never read as answers."""

from __future__ import annotations

import pytest

from harness.items import ThinkTags
from harness.thoughts import KNOWN, closed_by, opened_by, read, recognise, told_in

THINK = ThinkTags("<think>", "</think>")
INVENTED = [
    ThinkTags("<Think>", "</Think>"),
    ThinkTags("<step_by_step_reasoning>", "</step_by_step_reasoning>"),
    ThinkTags("<|thinking|>", "<|/thinking|>"),
    ThinkTags("<思考>", "</思考>"),
    ThinkTags("【思考】", "【/思考】"),
    ThinkTags("<cot>", "</cot>"),
    ThinkTags("<internal_monologue>", "</internal_monologue>"),
    ThinkTags("＜think＞", "＜/think＞"),
]


@pytest.mark.parametrize("tags", [*KNOWN, *INVENTED], ids=lambda tags: tags.open)
def test_each_pair_is_recognised_ended_or_not_and_where_the_template_opened_it(tags: ThinkTags) -> None:
    ended = read(f"\n{tags.open}\nB? No.\n{tags.close}\n\nA", None)
    assert (ended.answer, ended.unannounced, ended.tags) == ("A", True, tags)
    unended = read(f"{tags.open}\nThe answer is B, or", None)
    assert unended.answer is None
    assert unended.unannounced
    assert read(tags.open, None).answer is None  # what a stop text such as a line break leaves
    opened = read(f"B? No.{tags.close}A", None, f"User: which?\n{tags.open}\n")
    assert (opened.answer, opened.unannounced) == ("A", True)
    assert read("The answer is B, or", None, f"which?\n{tags.open}\n").answer is None
    assert opened_by(f"which? {tags.open}\n") == ThinkTags(tags.open, tags.close, opened=True)


@pytest.mark.parametrize("tags", [*KNOWN[:-1], *INVENTED], ids=lambda tags: tags.open)
def test_a_closing_marker_alone_tells_of_a_thought_that_the_server_opened(tags: ThinkTags) -> None:
    found = read(f"B? No.\n{tags.close}\nA", None)
    assert (found.answer, found.unannounced) == ("A", True)
    assert closed_by(f"which?{tags.open}\n\n{tags.close}\n\n") == tags


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "",
        "The answer is B.",
        "<b>A</b>",
        "<answer>B</answer>",
        "[A]",
        "I think B",
        "analysis of the text: B",
        "【答案】B",
        "a < think > b",
    ],
)
def test_an_answer_without_a_thought_is_left_alone(text: str) -> None:
    assert read(text, None).answer == text
    assert recognise(text, "Question: what is <think>?\nAnswer:") is None


def test_harmony_without_its_special_tokens_is_still_known() -> None:
    assert read("analysisWe need B? No.assistantfinalA", None).answer == "A"
    assert read("analysisWe need B, or", None).answer is None


def test_markers_that_the_config_names_come_first_and_wrong_ones_are_told() -> None:
    assert read("<think>x</think>A", THINK) == read("<think>x</think>A", THINK).__class__("A", THINK, True)
    wrong = read("<thought>B</thought>A", THINK)
    assert (wrong.answer, wrong.unannounced) == ("A", True)
    assert read("B</think>A", THINK).announced


def test_a_thought_ends_at_its_first_closing_marker_and_thoughts_right_behind_belong_to_it() -> None:
    assert THINK.split("<think>a</think>b</think>c")[1] == "b</think>c"
    assert THINK.split("<think>a</think>\n<think>b</think>\nc")[1] == "c"
    assert THINK.split("<think>a</think>\n<think>b")[1] is None
    assert THINK.split("</think>A")[1] == "A"
    assert THINK.split("<think>a</think>")[1] == ""


@pytest.mark.parametrize(
    "text",
    [
        "<think>a</think>\n\n<think>b</think> cd",
        "</think>x",
        "abc",
        "<think>a</think>b</think>c",
        "<thi",
        " <think>a",
    ],
)
def test_what_is_said_while_a_text_grows_is_never_taken_back(text: str) -> None:
    """The stop watch sees the text token by token; what it calls the answer's start must be what
    marking finds in the whole text.
    """
    starts = [THINK.answer_start(text[:size]) for size in range(len(text) + 1)]
    said = {start for start in starts if start is not None}
    assert len(said) <= 1
    answer = THINK.split(text)[1]
    if said:
        assert answer == text[said.pop() :]


def test_files_tell_the_markers() -> None:
    assert told_in(["{% if '</think>' in content %}"]) == THINK
    assert told_in(["<|channel|>analysis"]) is KNOWN[-1]
    assert told_in(["[THINK]", "[/THINK]"]) == ThinkTags("[THINK]", "[/THINK]")
    assert told_in(["hello", "<tool_call>"]) is None


PAIRS = (
    ("<思考>", "</思考>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<analysis>", "</analysis>"),
    ("<THINK>", "</THINK>"),
    ("<|thought_start|>", "<|thought_end|>"),
    ("<|begin_of_reasoning|>", "<|end_of_reasoning|>"),
    ("＜think＞", "＜/think＞"),
    ('<think time="3">', "</think>"),
)
WORDS = "Hmm, the answer is A. Answer: A\n"


@pytest.mark.parametrize("tags", [*KNOWN, *(ThinkTags(*pair) for pair in PAIRS)], ids=lambda tags: tags.open)
@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("{o}{w}{c}B", "B"),
        ("{w}{c}B", "B"),
        ("{o}{w}{c}\n{o}{w}{c}\nB", "B"),
        ("{o}{w}{o}more{c}still A{c}B", "B"),
        ("Let me see.\n{o}{w}{c}\nB", "Let me see.\n\nB"),
        ("B\n{o}{w}{c}", "B"),
        ("{o}{w}{c}B\n{o}{w}{c}", "B"),
        ("{o}\n\n{c}\n\nB", "B"),
        ("{o}{w}", None),
    ],
)
def test_a_thought_is_found_wherever_it_stands(tags: ThinkTags, said: str, answer: str | None) -> None:
    found = read(said.format(o=tags.open, c=tags.close, w=WORDS), None)
    assert (None if found.answer is None else found.answer.strip(), found.unannounced) == (answer, True)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("<think>A</think>\n<|begin_of_solution|>B<|end_of_solution|>", "B"),
        ("<think>A</think><response>\nB\n</response>", "B"),
        ("<|START_THINKING|>A<|END_THINKING|><|START_RESPONSE|>B<|END_RESPONSE|>", "B"),
        ("Here is my thought process:\nA?\n\nHere is my response:\nB", "B"),
        ("Thinking...\nA?\n...done thinking.\n\nB", "B"),
        ("A? So 2.assistantfinalB", "B"),
        ("B\n<think>A", "B"),
    ],
)
def test_words_around_an_answer_behind_a_thought(said: str, answer: str) -> None:
    found = read(said, None)
    assert (found.answer or "").strip() == answer
    assert found.unannounced


@pytest.mark.parametrize(
    "said",
    [
        "B [reasoning: A is wrong]",
        "【思考】A 不对。【答案】B",
        "[Reasoning] A fails.\n[Answer] B",
        "B. Analysis: <b>A</b> fails.",
        "The <a> tag, [A] and analysis: B",
        "Thinking",
        "Thinking...\nThe answer is B.",
        "Here is my thought process:\n1. A fails.\nAnswer: B",
        "```\nB\n```",
        "```thinking\nB\n```",
    ],
)
def test_other_words_in_brackets_are_no_thoughts(said: str) -> None:
    assert read(said, None).answer == said


def test_an_announced_thought_further_on_is_no_answer() -> None:
    found = read("So.\n<think>A</think>\nB", ThinkTags("<think>", "</think>"))
    assert (found.answer, found.unannounced) == ("So.\n\nB", False)
