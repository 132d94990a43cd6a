"""The HTML report: one file, in two languages, small whatever the runs hold."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import runs
from support.pages import Parsed
from support.runs import ROOT, harness

from harness.analysis.comparison import compare
from harness.analysis.published import PublishedFigure, matches
from harness.errors import ConfigError
from harness.reporting.costs import CostAxis
from harness.reporting.html import page
from harness.reporting.html.charts import cost_charts
from harness.reporting.html.items import _answer, item_data, stated
from harness.reporting.html.tables import published_grid
from harness.reporting.inert import embedded
from harness.reporting.plots.forms import clipped
from harness.reporting.plots.frontier import frontier
from harness.reporting.plots.theme import ON_PAGE
from harness.reporting.scopes import main_scopes
from harness.results.query import read_run
from harness.texts import Words

SMOKE = ROOT / "results" / "recorded" / "smoke"


@pytest.fixture(scope="module")
def smoke() -> Parsed:
    return Parsed(page([read_run(SMOKE)]))


def test_the_page_is_whole_and_well_formed(smoke: Parsed) -> None:
    assert smoke.open == []
    ids = [attrs["id"] for _, attrs in smoke.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {"finding", "ranking", "heat", "gap", "pairs", "cost", "items", "manifest"} <= set(ids)
    anchors = {attrs["href"] for attrs in smoke.attributes("a")}
    assert anchors <= {f"#{name}" for name in ids}
    svgs = smoke.attributes("svg")
    assert len(svgs) == 9  # two rankings, the gap, size, FLOPs and speed for each language
    assert all(attrs["role"] == "img" for attrs in svgs)


def test_the_figures_are_those_of_the_comparison(smoke: Parsed) -> None:
    comparison = compare([read_run(SMOKE)])
    shown = " ".join(text for texts in smoke.texts.values() for text in texts)
    for scope in comparison.scopes:
        for score in scope.scores.values():
            assert f"{score.value:.3f}" in shown
        for pair in scope.pairs.values() if scope.kind == "average" else ():
            assert f"{pair.value:+.3f}".replace("-", "−") in shown
    assert "Chinese average: tiny-deepseek-distill leads with 0.782" in shown
    assert "tiny-llama differs most: −0.223" in shown


def test_the_viewer_holds_every_item_with_its_score(smoke: Parsed) -> None:
    data = smoke.data
    comparison = compare([read_run(SMOKE)])
    assert (
        sum(len(task["items"]) for task in data["tasks"])
        == sum(task["total"] for task in data["tasks"])
        == 1160
    )
    for task in data["tasks"]:
        contest = next(one for one in comparison.contests if one.task == task["name"])
        for place in contest.cells:
            mean = sum(item[3][place][2] for item in task["items"]) / len(task["items"])
            assert mean == pytest.approx(contest.row(place).value, abs=1e-4)
    assert data["tasks"][0]["items"][0][1]


def test_nothing_is_loaded_and_only_this_script_and_style_may_run(smoke: Parsed) -> None:
    for _, attrs in smoke.elements:
        assert not {"src", "srcset", "style", "action", "data", "poster"} & set(attrs)
        assert not any(name.startswith("on") for name in attrs)
    assert not smoke.attributes("link")
    policy = next(
        attrs["content"]
        for attrs in smoke.attributes("meta")
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    script, style = smoke.texts["script"][1], smoke.texts["style"][0]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; base-uri "
        "'none'; form-action 'none'"
    )
    assert [attrs.get("type") for attrs in smoke.attributes("script")] == ["application/json", None]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|fetch\(|XMLHttp|import\(",
        script,
    )
    assert not re.search(r"url\(|@import", style)


def test_the_chinese_page_is_chinese() -> None:
    parsed = Parsed(page([read_run(SMOKE)], "zh"))
    assert parsed.attributes("html") == [{"lang": "zh-CN"}]
    assert parsed.texts["h2"] == [
        "排名",
        "各项任务",
        "中文与英文",
        "成对差异",
        "得分与规模、计算量、速度",
        "说明",
        "题目与回答",
        "运行记录",
    ]
    assert not any(
        re.fullmatch(r"[A-Za-z ]+", text) for text in parsed.texts["button"] + parsed.texts["summary"] if text
    )
    with pytest.raises(ConfigError, match="en or zh"):
        page([read_run(SMOKE)], "fr")


def test_items_beyond_the_budget_are_sampled_and_that_is_said() -> None:
    comparison, words = compare([read_run(SMOKE)]), Words("en")
    few = item_data(comparison, words, most_answers=1200)
    assert [len(task["items"]) for task in few["tasks"]] == [
        50
    ] * 8  # 1,200 answers over 8 tasks and 3 models
    docs = [item[0] for item in few["tasks"][0]["items"]]
    assert docs == sorted(docs)
    assert docs != list(range(50))
    assert few == item_data(comparison, words, most_answers=1200)
    assert stated(few, words).startswith("400 of 1,160 questions are here")
    small = item_data(comparison, words, most_bytes=40_000)
    assert 30_000 < len(embedded(small["tasks"]).encode()) < 42_000
    assert len(small["tasks"]) == 8
    assert stated(item_data(comparison, words), words) == "All 1,160 questions are here."


def test_a_run_without_samples_still_has_its_page(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes((SMOKE / "results.json").read_bytes())
    parsed = Parsed(page([read_run(tmp_path)]))
    assert parsed.open == []
    assert parsed.data["tasks"] == []
    assert "no difference could be tested" in " ".join(parsed.texts["p"])
    assert not [attrs for attrs in parsed.attributes("section") if attrs["id"] in ("pairs", "gap")]


def test_the_frontier_holds_what_none_beats() -> None:
    points = [(7.0, 0.6), (1.0, 0.4), (8.0, 0.5), (1.0, 0.3)]
    assert frontier(points, more_is_better=False) == [(1.0, 0.4), (7.0, 0.6)]
    assert frontier(points, more_is_better=True) == [(7.0, 0.6), (8.0, 0.5)]


def test_speed_is_compared_on_the_same_hardware_only(tmp_path: Path) -> None:
    comparison, words = compare([read_run(SMOKE)]), Words("en")
    drawn = cost_charts(comparison, main_scopes(comparison), words)
    assert [chart.title.rpartition(" against ")[2] for chart in drawn] == [
        "parameters",
        "parameters",
        "FLOPs",
        "FLOPs",
        "speed",
        "speed",
    ]
    assert drawn[0].legend[0] == ("tiny-deepseek-distill", "772.4k · 0.782")
    other = tmp_path / "other"
    shutil.copytree(SMOKE, other)
    results = json.loads((other / "results.json").read_text(encoding="utf-8"))
    for row in results["models"]:
        row["model_id"] += "x"  # other weights: other contestants
    (other / "results.json").write_text(json.dumps(results | {"name": "other"}), encoding="utf-8")
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    (other / "manifest.json").write_text(
        json.dumps(manifest | {"hardware": {"cpu": "another"}}), encoding="utf-8"
    )
    both = compare([read_run(SMOKE), read_run(other)])
    drawn = cost_charts(both, main_scopes(both), words)
    assert [chart.drawing is None for chart in drawn] == [False, False, False, False, True]
    assert "same hardware" in drawn[-1].reason


def test_published_figures_stand_beside_the_measured_ones() -> None:
    comparison, words = compare([read_run(SMOKE)]), Words("en")
    facts = {
        "setting": "2-shot, acc",
        "fewshot": 2,
        "how": "lm-eval",
        "source": "https://example.org/report",
        "date": "2025-01-01",
    }
    claims = tuple(
        PublishedFigure.model_validate(
            {"model": f"bundled/{model}", "task": "zh_letters", "value": 0.7} | facts | more
        )
        for model, more in (("tiny-qwen", {}), ("tiny-llama", {"fewshot": 5}))
    )
    grid = published_grid(comparison, matches(comparison, claims), words)
    rows = [[cell.text for cell in row] for row in grid.rows]
    assert rows[0][:3] + rows[0][4:7] == ["tiny-qwen", "zh_letters", "0.769", "0.700", "+0.069", "yes"]
    assert rows[0][7:] == ["2-shot, acc", "https://example.org/report, 2025-01-01"]
    assert rows[1][5:7] == ["−0.200", "no: examples 2 here, 5 there"]
    assert len(grid.headers) == len(rows[0])


def test_long_manifests_share_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.reporting.html.assemble.LONGEST_MANIFEST", 1000)
    parsed = Parsed(page([read_run(SMOKE), read_run(SMOKE)]))
    assert [len(text) < 600 and "left out" in text for text in parsed.texts["pre"]] == [True, True]


def test_charts_have_colours_in_both_schemes_and_names_in_full(smoke: Parsed) -> None:
    """Every colour of the charts has its rule in the style, so that none is dark on dark."""
    drawn = [attrs for tag, attrs in smoke.elements if tag in ("g", "path", "line", "circle", "text")]
    used = {attrs[name] for attrs in drawn for name in ("fill", "stroke") if name in attrs} - {"none"}
    assert used
    assert used <= set(ON_PAGE)
    for colour in ON_PAGE:
        assert f'[fill="{colour}"]' in smoke.texts["style"][0]
    assert "tiny-deepseek-distill: 0.782 (0.746 … 0.815)" in smoke.texts["title"]
    assert "0.782" in smoke.texts["text"]


def test_names_are_clipped_by_width() -> None:
    assert clipped("模" * 30, 10) == "模" * 5 + "…"
    assert clipped("short", 10) == "short"
    assert [CostAxis("size", {}).text(value) for value in (7_615_616_512, 771_968, 42.0)] == [
        "7.616B",
        "772k",
        "42",
    ]
    assert CostAxis("flops", {}).text(7.6e9) == "7.6G"
    assert [CostAxis("usd", {}).text(value) for value in (1.797e-6, 9.741e-7)] == ["1.797µ", "974.1n"]


def test_the_command_writes_the_page_and_imports_nothing_heavy(tmp_path: Path) -> None:
    done = harness("report", SMOKE, "--html", tmp_path / "r.html", "--lang", "zh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    refused = harness("report", SMOKE, "--html", "r.html", "--out", "t.md", cwd=tmp_path)
    assert refused.returncode == 2
    assert "choose one of --html" in refused.stderr
    heavy = "{'torch', 'transformers', 'lm_eval', 'vllm', 'datasets', 'pandas'}"
    code = "import sys\nfrom harness.results.query import read_run\nfrom harness.reporting.html import page\n"
    code += f"page([read_run({str(SMOKE)!r})])\n"
    code += f"print({heavy} & set(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=runs.test_env(),
        cwd=tmp_path,
    )
    assert said.stdout.strip() == "set()"


def test_the_viewer_says_how_an_answer_was_read() -> None:
    sample = {
        "answer": "B",
        "responses": ["答案：【B】"],
        "truncated": False,
        "empty": False,
        "unparsable": False,
        "reading": "答案: 答案：【B",
    }
    assert _answer(sample, 1.0, Words("en")) == ["B", ["答案：【B】"], 1.0, 0, "答案: 答案：【B"]
    assert _answer(sample | {"reading": None}, 1.0, Words("en")) == ["B", ["答案：【B】"], 1.0, 0]
