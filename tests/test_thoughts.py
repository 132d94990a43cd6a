"""Thoughts that nobody announced are recognised by their markers, and never read as answers."""

from __future__ import annotations

import pytest

from harness.engines.stopping import cut
from harness.items import ThinkTags
from harness.thought_markers import KNOWN, closed_by, opened_by, recognise, told_in
from harness.thoughts import answer_start, read, scan, thought_words

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


REAL = [
    # (what a model wrote, its answer; None: still inside the thought)
    ("<think>a</think>b", "b"),
    ("<think>a</think>", ""),
    ("</think>A", "A"),
    ("A", "A"),
    # it mentions the closing marker in its answer
    ("<think>a</think>The tag </think> ends a thought. B", "The tag </think> ends a thought. B"),
    ("<think>a</think>Write `<think>` first, then `</think>`. B", "Write ``. B"),
    # it closes its answer as if it were a thought
    ("<think>a</think>The answer is B.</think>", "The answer is B."),
    ("<think>a</think>The answer is B.\n</think>\n", "The answer is B.\n"),
    # it closes twice
    ("<think>a</think>\n\n</think>\n\nB", "B"),
    # several thoughts, with words between and without
    ("<think>a</think>\n<think>b</think>\nc", "c"),
    ("<think>a</think>\n<think>b", None),
    ("<think>a</think>b<think>A?</think>B", "bB"),
    ("<think>a</think>B<think>or A", "B"),
    # a thought within a thought
    ("<think>a<think>A?</think>still A</think>B", "B"),
    # it speaks of the opening marker while it thinks
    ("<think>They want <think> tags. A?</think>B", "B"),
    ("<think>a", None),
    ("<think>a<think>b", None),
]


@pytest.mark.parametrize(("text", "answer"), REAL)
def test_marking_and_the_stop_watch_follow_one_rule(text: str, answer: str | None) -> None:
    assert read(text, THINK).answer == answer
    result = scan(text, THINK)
    assert (result.start is None) == (answer is None)
    spans = "".join(text[begin:end] for begin, end in result.spans)
    assert spans == (answer or "")
    # A stop text that stands in the answer cuts it there, one in a thought cuts nothing.
    for stop in ("A?", "B", " ends"):
        where = next((text.find(stop, b, e) for b, e in result.spans if text.find(stop, b, e) >= 0), None)
        assert cut(text, [stop], THINK) == ((text, False) if where is None else (text[:where], True))


@pytest.mark.parametrize(("text", "answer"), [(t, a) for t, a in REAL if t.startswith("<think>")])
def test_a_thought_that_the_template_opened_follows_it_too(text: str, answer: str | None) -> None:
    opened = ThinkTags("<think>", "</think>", opened=True)
    bare = text.removeprefix("<think>")
    assert read(bare, opened).answer == answer
    assert read(text, opened).answer == answer  # the model repeats the marker


@pytest.mark.parametrize(
    "text", [text for text, _ in REAL] + ["<thi", " <think>a", "abc", "<think>a</think>\n</th"]
)
def test_what_is_said_while_a_text_grows_is_never_taken_back(text: str) -> None:
    """The stop watch sees the text token by token; what it calls the answer's start must be what
    marking finds in the whole text.
    """
    starts = [answer_start(text[:size], THINK) for size in range(len(text) + 1)]
    settled = {start for start in starts if start is not None}
    assert len(settled) <= 1
    assert not settled or scan(text, THINK).start == settled.pop()


def test_harmony_opens_several_channels_and_closes_them_once() -> None:
    tags = KNOWN[-1]
    text = f"{tags.open}a<|end|><|start|>assistant{tags.open}b{tags.close}B"
    assert (read(text, tags).answer, answer_start(text, tags)) == ("B", len(text) - 1)


def test_words_of_thoughts() -> None:
    assert thought_words("<think>a</think>b<think>c</think>", THINK) == "ac"
    assert thought_words("<think>\n\n</think>\n\nb", THINK) == ""
    assert thought_words("<think>a", THINK) == "a"
    assert thought_words("b", THINK) == ""


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
    if tags is KNOWN[-1] and "more" in said:
        answer = f"still A{tags.close}B"  # channels follow one another, they are not nested
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
