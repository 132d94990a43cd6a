"""What a model said can do nothing in the page: no element, no script, no hidden character."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.hostile import ANSWERS, LABEL, hostile_run
from support.pages import Parsed
from support.runs import ROOT

from harness.reporting.html import page
from harness.reporting.html.items import LONGEST
from harness.reporting.inert import embedded, shortened, visible

SMOKE = ROOT / "results" / "recorded" / "smoke"


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[str, Parsed]:
    text = page([hostile_run(tmp_path)])
    return text, Parsed(text)


def test_a_hostile_run_adds_no_element(hostile: tuple[str, Parsed]) -> None:
    text, parsed = hostile
    assert parsed.open == []
    assert len(parsed.attributes("script")) == 2
    assert len(parsed.attributes("style")) == 1
    assert not {"img", "b", "i", "u"} & {name for name, _ in parsed.elements}
    assert "<script>window" not in text
    assert parsed.texts["title"][0].startswith("Report: <b>run</b>")


def test_hostile_answers_are_kept_as_text(hostile: tuple[str, Parsed]) -> None:
    items = hostile[1].data["tasks"][0]["items"]
    said = dict(zip([*ANSWERS, "invalid"], (item[3][0][0] for item in items), strict=True))
    for name in ("script", "ending", "quotes", "empty"):
        assert said[name] == ANSWERS[name]
    assert said["lines"] == "one⟦U+2028⟧two⟦U+2029⟧three"
    assert said["turned"] == "abc ⟦U+202E⟧dcba⟦U+202C⟧ ⟦U+2066⟧x⟦U+2069⟧ ⟦U+200F⟧y ⟦U+001B⟧[31m⟦U+0000⟧"
    assert said["chinese"] == "答案是：«四»\n第二行\t完"
    assert said["invalid"] == "caf\ufffd \ufffd\ufffd <b>"
    assert said["long"].startswith("x" * 100)
    assert said["long"].endswith("<b>end</b>")
    assert "980,010 characters left out" in said["long"]
    assert len(said["long"]) < LONGEST + 100
    assert items[0][1:3] == ["prompt 0 <u>", "<i>yes</i>"]
    assert hostile[1].data["models"] == [visible(LABEL), "plain"]


def test_no_turning_character_is_left_anywhere(hostile: tuple[str, Parsed]) -> None:
    assert not re.search("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", hostile[0])


@pytest.mark.parametrize(
    "text", ["</script>", "<!--", "]]>", "a\u2028b\u2029c", '"\\&amp;', "汉字 \U0001f600"]
)
def test_embedded_data_reads_back_and_closes_nothing(text: str) -> None:
    made = embedded({"said": text})
    assert json.loads(made) == {"said": text}
    assert not re.search("[<>&\u2028\u2029]", made)


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        embedded(float("nan"))


def test_hidden_characters_are_made_visible_and_others_left() -> None:
    assert visible("a\u200bb\ufeff\ud800\U000e0041") == "a⟦U+200B⟧b⟦U+FEFF⟧\ufffd⟦U+E0041⟧"
    assert visible("家\u200d人\n\té 👩\u200d🚀") == "家\u200d人\n\té 👩\u200d🚀"
    assert shortened("abcdef", 6, "{n}") == "abcdef"
    assert shortened("abcdefg", 4, "-{n}-") == "ab⟦-3-⟧fg"
