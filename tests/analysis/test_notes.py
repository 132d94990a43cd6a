"""Notes in two languages: the text is the English one, and the Chinese says every part."""

from __future__ import annotations

import pickle

import pytest

from harness.analysis.notes import Note, listed, named, note, translated


def test_a_note_is_its_english_text() -> None:
    made = note("examples", theirs=0, ours=5)
    assert made == "examples 0 instead of 5"
    assert {str(made): 1}["examples 0 instead of 5"] == 1
    assert pickle.loads(pickle.dumps(made)) == made
    assert named(["a", "b"], 3) == "a, b"
    assert named(["a", "b", "c"], 2) == "a, b and 1 more"


def test_notes_inside_notes_are_translated() -> None:
    why = listed(
        [
            note("instead", part=note("part_chat"), theirs=note("on"), ours=note("off")),
            note("another", part=note("part_data")),
        ]
    )
    said = note("asked_otherwise", model="qwen", tasks="c3", why=why)
    assert said == (
        "qwen was not asked the same on c3: chat template on instead of off; another data; its"
        " score stands (†), but is paired only with models asked as it was."
    )
    assert translated(said, "en") == said
    assert (
        translated(said, "zh") == "qwen 在 c3 上的提问方式不同：对话模板为 开，而不是 关；数据不同；"
        "得分照列（†），但只与提问方式相同的模型配对。"
    )


def test_what_a_run_said_stays_as_it_is() -> None:
    assert translated("{no} blank: CUDA out of memory", "zh") == "{no} blank: CUDA out of memory"
    assert (
        translated(note("not_paired", why="{x}.parquet: gone", more=""), "zh") == "未配对：{x}.parquet: gone"
    )


def test_an_unknown_note_is_an_error() -> None:
    with pytest.raises(KeyError):
        note("no such text")
    assert isinstance(note("none"), Note)
