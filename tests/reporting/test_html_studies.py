"""Studies as a section of the page: in its language, and inert."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.pages import Parsed
from support.runs import ROOT, harness

from harness.reporting.html import page
from harness.reporting.html.study import Plate, StatementView, Studies, Study
from harness.reporting.html.tables import Grid, GridCell
from harness.results.query import read_run
from harness.studies.claims import find_claim

SMOKE = ROOT / "results" / "recorded" / "smoke"


def hostile_studies() -> Studies:
    """A study whose every text would do harm if it were read as markup, and whose plot holds a
    script.
    """
    bad, svg = (
        "<script>window.hacked = 1</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>parent.hacked = 1</script></svg>',
    )
    statement = StatementView(
        f"says {bad}", f"outcome {bad}", "holds", f"measured {bad}", f"rests {bad}", f"command {bad} && x"
    )
    plate = Plate(f"plot {bad}", svg, (f"line {bad}",), Grid((f"head {bad}",), ((GridCell(f"cell {bad}"),),)))
    study = Study(
        f"C{bad}",
        f"claim {bad}",
        f"origin {bad}",
        f"verdict {bad}",
        "supported",
        ("a",) * 4,
        (statement,),
        (plate,),
        (f"note {bad}",),
    )
    return Studies((study,), ((f"title {bad}", f"javascript:{bad}"),))


def test_a_section_of_studies_is_inert() -> None:
    parsed, plain = Parsed(page([read_run(SMOKE)], "en", hostile_studies())), Parsed(page([read_run(SMOKE)]))
    assert parsed.open == []
    assert len(parsed.attributes("script")) == len(plain.attributes("script")) == 2
    shown = [text for texts in parsed.texts.values() for text in texts]
    for part in (
        "says",
        "outcome",
        "measured",
        "rests",
        "command",
        "line",
        "head",
        "cell",
        "claim",
        "origin",
        "verdict",
        "note",
        "title",
    ):
        assert any(f"{part} <script>window.hacked = 1</script>" in text for text in shown), part
    assert len(parsed.attributes("svg")) == len(plain.attributes("svg")) + 1
    assert "plot <script>window.hacked = 1</script>" in parsed.texts["title"]
    assert "parent.hacked" not in "".join(shown)
    assert not any(name in ("img", "image", "a:x", "use", "foreignobject") for name, _ in parsed.elements)
    assert {attrs["href"] for attrs in parsed.attributes("a")} - {
        attrs["href"] for attrs in plain.attributes("a")
    } == {"#studies"}
    policies = [
        one["content"] or ""
        for made in (parsed, plain)
        for one in made.attributes("meta")
        if "http-equiv" in one
    ]
    assert policies[0] == policies[1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_studies_stand_in_the_page_in_its_language(language: str, tmp_path: Path) -> None:
    done = harness(
        "report",
        SMOKE,
        "--html",
        tmp_path / "r.html",
        "--lang",
        language,
        "--study",
        "c5",
        "--study",
        "C5",
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    parsed, claim = Parsed((tmp_path / "r.html").read_text(encoding="utf-8")), find_claim("C5")
    assert {"en": "What articles claim", "zh": "报道所言与数据所示"}[language] in parsed.texts["h2"]
    assert [text for text in parsed.texts["h3"] if text.startswith("C5")] == [f"C5 · {claim.claim[language]}"]
    assert {part.says[language] for part in claim.parts} <= set(parsed.texts["th"])
    assert {"en": "In 2024 and 2025: supported", "zh": "2024 至 2025 年：得到支持"}[language] in parsed.texts[
        "span"
    ]
    today = {"en": f"Today: {claim.today[0].says.en}", "zh": f"如今：{claim.today[0].says.zh}"}[language]
    assert today in parsed.texts["th"]
    assert any("H20" in text for text in parsed.texts["text"])
    assert parsed.open == []


def test_studies_are_refused_without_a_page_and_by_a_wrong_name(tmp_path: Path) -> None:
    bare = harness("report", SMOKE, "--study", "C8", cwd=tmp_path)
    assert bare.returncode == 2
    assert "--study C8: only the page has studies; add --html FILE" in bare.stderr
    wrong = harness("report", SMOKE, "--html", "r.html", "--study", "C88", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "unknown study 'C88'" in wrong.stderr
    assert not (tmp_path / "r.html").exists()
