"""The documents: self-contained, escaped, with a policy, in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.chromium import Browser, find_chromium
from typer.testing import CliRunner

from harness.cli.main import app
from harness.published import rated_models
from harness.reporting.writers.markdown import code
from harness.studies import document, plots
from harness.studies import page as studies_page
from harness.studies.answer import ClaimAnswer, answer
from harness.studies.claims import Text, find_claim
from harness.studies.data import Data
from harness.studies.finding import country_name
from harness.studies.overview import hung

NASTY = "<script>alert(1)</script>|*x*\u202e"


class Seen(HTMLParser):
    """Which elements there are, and the addresses they would load."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "srcset", "data")]


def hostile() -> ClaimAnswer:
    claim = find_claim("C6")
    return answer(claim.model_copy(update={"claim": Text(en=NASTY, zh=NASTY)}), Data(folder=None))


def test_the_page_is_inert_and_names_its_caution() -> None:
    made = hostile()
    pictures = document.plots(made, "en")
    page = studies_page.html([made], Data(folder=None), "en", pictures)
    seen = Seen()
    seen.feed(page)
    assert "script" not in seen.names
    assert seen.loaded == []
    assert seen.names.count("svg") == len(pictures) == 3
    assert "default-src 'none'" in unescape(page)
    assert "2504.20879" in page
    assert "⟦U+202E⟧" in page
    assert "\u202e" not in page
    text = document.markdown([made], Data(folder=None), "zh")
    assert "<script>" not in text
    assert "2504.20879" in text
    assert all(b"<script" not in svg for svg in pictures.values())


def test_commands_can_be_copied_from_markdown(tmp_path: Path) -> None:
    data = Data(folder=None, tokenizers=tmp_path / "none.json")
    text = document.markdown([answer(find_claim("C11"), data)], data, "en")
    assert "To produce it: `harness tokenizers moonshotai/Kimi-K2-Instruct " in text
    assert "&amp;" not in text
    assert [code("a | b\n"), code("say `x`")] == ["`a \\| b `", "`` say `x` ``"]


def test_tables_name_every_country() -> None:
    for country in {facts.country for facts in rated_models(None).values()} - {None}:
        name = country_name(country)
        assert name.en != country
        assert re.search("[\u4e00-\u9fff]", name.zh)
    assert country_name("ZZ").en == "ZZ"
    assert country_name(None).zh == "?"
    ranks = answer(find_claim("C14"), Data(folder=None)).exhibits[0]
    countries = [row[3] for row in ranks.rows]
    assert {Text(en="Canada", zh="加拿大"), Text(en="China", zh="中国"), Text(en="France", zh="法国")} <= set(
        countries
    )


def test_names_on_a_frontier_do_not_stand_on_each_other() -> None:
    rated = (("c", 1100.0, 64), ("b", 1001.0, 2), ("a", 1000.0, 1))
    best = [{"model": name, "rating": value, "size": size, "frontier": True} for name, value, size in rated]
    others = [{"model": "d", "rating": 900.0, "size": 3, "frontier": False}]
    assert [(row["model"], row["label"]) for row in plots._labels(best + others, "size")] == [
        ("a", 1000.0),
        ("b", 1007.0),
        ("c", 1100.0),
    ]
    assert [row["first"] for row in plots._labels(best + others, "size")] == [
        True,
        False,
        False,
    ]  # to the right of their dots

    long = {"model": "a-name-of-many-characters", "rating": 1000.0, "size": 2, "frontier": True}
    assert [row["first"] for row in plots._labels([long, *others, *best[:1]], "size")] == [True, False]


def test_documents_are_written_with_their_plots(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["study", "C16", "C5", "--out", str(tmp_path / "o")])
    assert done.exit_code == 0, done.stderr
    for language in ("en", "zh"):
        text = (tmp_path / "o" / f"studies.{language}.md").read_text(encoding="utf-8")
        named = re.findall(r"\((plots/[^)]+)\)", text)
        assert len(named) == 1
        assert all((tmp_path / "o" / name).is_file() for name in named)
    assert "cannot tell" in done.stdout
    assert "cannot tell" in (tmp_path / "o" / "studies.en.html").read_text(encoding="utf-8")
    assert "尚无定论" in (tmp_path / "o" / "studies.zh.html").read_text(encoding="utf-8")


def test_the_commands_forms_and_refusals() -> None:
    assert "C8" in CliRunner().invoke(app, ["study", "--list", "--lang", "zh"]).stdout
    assert '"verdict": "supported"' in CliRunner().invoke(app, ["study", "c8", "--json"]).stdout
    for arguments, said in ((["study"], "--list"), (["study", "C99"], "unknown study 'C99'")):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2
        assert said in done.stderr


def test_a_study_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'lm_eval', 'vllm', 'datasets'}"
    code = (
        "from harness.studies.answer import answer; from harness.studies.claims import claims;"
        " from harness.studies.data import Data\n"
    )
    code += (
        f"import sys\n[answer(one, Data(folder=None)) for one in claims().values()]\nprint({heavy}"
        f" & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    if find_chromium() is None:
        pytest.skip("no chromium")
    made = [answer(find_claim("C6"), Data(folder=None)), hostile()]
    file = tmp_path / "x.html"
    file.write_text(
        studies_page.html(made, Data(folder=None), "zh", document.plots(made[0], "zh")), encoding="utf-8"
    )
    with Browser(tmp_path) as browser:
        browser.look(390)
        browser.open(file)
        assert browser.complaints == []
        assert all(one.startswith(("file:", "data:")) for one in browser.requests)
        assert browser.run("document.documentElement.scrollWidth") == 390
        assert browser.run("[...document.querySelectorAll('svg.chart')].every(one => one.clientWidth > 300)")
        # On a phone a row is a block, each cell below its own label.
        assert browser.run("getComputedStyle(document.querySelector('.parts td')).display") == "block"
        label = "getComputedStyle(document.querySelector('.parts td:nth-child(3)'), '::before').content"
        assert browser.run(label) == '"测量与不确定性"'
        browser.look(1300)
        assert browser.run("getComputedStyle(document.querySelector('.parts td')).display") == "table-cell"


def test_prose_is_folded_below_its_own_words() -> None:
    assert hung("title of it\n\n- one two three\n  four five six\n", 10) == (
        "title of\nit\n\n- one two\n  three\n  four\n  five six\n"
    )
    assert hung("- 一二三四五六\n", 8) == "- 一二三\n  四五六\n"
