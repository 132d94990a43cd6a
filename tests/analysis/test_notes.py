"""Notes in two languages: the English of the analysis and of the page's catalogue are one, and the
Chinese says every part.
"""

from __future__ import annotations

import pickle

import pytest

from harness.analysis.notes import TEXTS, Note, listed, named, note
from harness.reporting.html.words import Words, catalogue


def test_the_catalogue_has_every_note_in_the_same_english() -> None:
    known = {key.removeprefix("n_"): both["en"] for key, both in catalogue().items() if key.startswith("n_")}
    assert known == TEXTS


def test_a_note_is_its_english_text() -> None:
    made = note("examples", theirs=0, ours=5)
    assert made == "examples 0 instead of 5"
    assert {made: 1}["examples 0 instead of 5"] == 1
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
        "qwen was not asked the same on c3: chat template on instead of off; another data; not"
        " compared there."
    )
    assert Words("en").translated(said) == said
    assert (
        Words("zh").translated(said)
        == "qwen 在 c3 上的提问方式不同：对话模板为 开，而不是 关；数据不同；这些任务不参与比较。"
    )


def test_what_a_run_said_stays_as_it_is() -> None:
    assert Words("zh").translated("{no} blank: CUDA out of memory") == "{no} blank: CUDA out of memory"
    assert (
        Words("zh").translated(note("not_paired", why="{x}.parquet: gone", more=""))
        == "未配对：{x}.parquet: gone"
    )


def test_an_unknown_note_is_an_error() -> None:
    with pytest.raises(KeyError):
        note("no such text")
    assert isinstance(note("none"), Note)
