"""The report's figures as pictures, from the recorded smoke run: which there are, and that they
show the comparison's own figures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.runs import ROOT, harness

from harness.analysis.comparison import Comparison, compare
from harness.analysis.gap import gaps, overall
from harness.errors import ConfigError, RunFolderError
from harness.reporting.costs import cost_axes
from harness.reporting.html import page
from harness.reporting.plots.draw import draw
from harness.reporting.plots.figures import figures, slug
from harness.reporting.plots.frontier import frontier
from harness.reporting.plots.save import specification
from harness.reporting.scopes import main_scopes
from harness.results.query import read_run
from harness.results.speed import SpeedResults, SpeedRow
from harness.texts import Words

SMOKE = ROOT / "results" / "recorded" / "smoke"


@pytest.fixture(scope="module")
def smoke() -> Comparison:
    return compare([read_run(SMOKE)])


@pytest.fixture(scope="module")
def drawn(smoke: Comparison) -> dict[str, dict[str, Any]]:
    return {name: specification(chart) for name, chart in figures(smoke, Words("en"))}


def values(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """All rows of all data sets of a specification."""
    found: list[dict[str, Any]] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if (
                isinstance(part.get("values"), list)
                and part["values"]
                and isinstance(part["values"][0], dict)
            ):
                found.extend(part["values"])
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(spec)
    return found


def test_every_figure_of_the_page_is_there(drawn: dict[str, dict[str, Any]]) -> None:
    both = ("chinese-average", "english-average")
    kinds = ("ranking", "differences", "size", "flops", "speed")
    assert set(drawn) == {
        "tasks",
        "chinese-english",
        *(f"{kind}-{scope}" for kind in kinds for scope in both),
    }


def test_ranking_shows_scores_and_intervals_best_first(
    smoke: Comparison, drawn: dict[str, dict[str, Any]]
) -> None:
    scope = main_scopes(smoke)[0]
    rows = [row for row in values(drawn["ranking-chinese-average"]) if "model" in row]
    assert [row["model"] for row in rows[: len(scope.order)]] == [
        smoke.models[place].label for place in scope.order
    ]
    best = scope.scores[scope.order[0]]
    assert (rows[0]["value"], (rows[0]["low"], rows[0]["high"])) == (best.value, best.ci95)


def test_the_gap_is_the_paired_difference(smoke: Comparison, drawn: dict[str, dict[str, Any]]) -> None:
    found = gaps(smoke.contests)
    rows = {row["model"]: row for row in values(drawn["chinese-english"]) if "interval" in row}
    for place, model in enumerate(smoke.models):
        pair = overall(found, place)
        assert pair is not None
        assert rows[model.label]["value"] == pair.value


def test_differences_of_the_two_halves_are_opposite(drawn: dict[str, dict[str, Any]]) -> None:
    cells = {(row["row"], row["other"]): row for row in values(drawn["differences-english-average"])}
    assert len(cells) == 6
    for (a, b), cell in cells.items():
        assert cell["shade"] == pytest.approx(-cells[b, a]["shade"])
        assert cell["strong"] == cells[b, a]["strong"]


def test_flops_an_item_are_worked_out_by_hand(smoke: Comparison) -> None:
    axis = next(axis for axis in cost_axes(smoke, main_scopes(smoke)[0]) if axis.kind == "flops")
    place = next(number for number, one in enumerate(smoke.models) if one.label == "tiny-qwen")
    config = json.loads((ROOT / "harness/data/models/tiny-qwen/config.json").read_text())
    d, layers, wide = config["hidden_size"], config["num_hidden_layers"], config["intermediate_size"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    head = d // heads
    matrices = layers * (2 * d * heads * head + 2 * d * groups * head + 3 * d * wide)
    rows = [contest.row(place) for contest in smoke.contests]
    tokens = sum(row.tokens.prompt + row.tokens.output for row in rows)
    outputs, items = sum(row.tokens.output for row in rows), sum(row.n for row in rows)
    assert axis.values[place] == pytest.approx(
        2 * (matrices * tokens + d * config["vocab_size"] * max(outputs, items)) / items
    )


def test_the_broken_line_joins_the_frontier(smoke: Comparison, drawn: dict[str, dict[str, Any]]) -> None:
    rows = values(drawn["speed-chinese-average"])
    points = [(row["x"], row["y"]) for row in rows if "model" in row]
    line = [(row["x"], row["y"]) for row in rows if "model" not in row]
    assert line == frontier(points, more_is_better=True)


def test_chinese_pictures_speak_chinese(smoke: Comparison) -> None:
    for _, chart in figures(smoke, Words("zh")):
        spec = specification(chart)
        title = spec["title"] if isinstance(spec["title"], str) else spec["title"]["text"]
        assert any("\u4e00" <= char <= "\u9fff" for char in title)
        assert spec["usermeta"]["lang"] == "zh"


def test_draw_writes_each_figure_in_each_format(tmp_path: Path) -> None:
    made, said = draw([SMOKE], tmp_path, ["json", "svg"])
    assert said == []
    assert {path.suffix for path in made} == {".json", ".svg"}
    assert sorted(made) == sorted(tmp_path.iterdir())
    assert len(made) == 24


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--format gif: pictures are written as png, svg, html, json"):
        draw([SMOKE], tmp_path, ["gif"])
    with pytest.raises(ConfigError, match="--lang fr"):
        draw([SMOKE], tmp_path, ["svg"], "fr")
    (tmp_path / "speed.json").write_text('{"schema_version": 99, "rows": []}')
    with pytest.raises(RunFolderError, match="schema_version 1, got 99"):
        draw([tmp_path], tmp_path, ["svg"])


def test_two_figures_of_one_name_do_not_meet() -> None:
    assert slug("C-Eval (val) 中文/数学") == "c-eval-val-中文-数学"
    assert slug("///") == "scope"


def test_the_readmes_pictures_are_those_of_the_recorded_run() -> None:
    for name in ("chinese-english", "speed-chinese-average"):
        for suffix, language in (("", "en"), ("-zh", "zh")):
            picture = (ROOT / "docs" / "pictures" / f"{name}{suffix}.svg").read_text(encoding="utf-8")
            chart = dict(figures(compare([read_run(SMOKE)]), Words(language)))[name]
            for row in values(specification(chart)):
                if "model" in row:
                    assert row["model"] in picture


@pytest.mark.slow
def test_from_the_command_line(tmp_path: Path) -> None:
    done = harness(
        "report", SMOKE, "--plots", tmp_path / "out", "--format", "svg,json", "--lang", "zh", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "24 pictures written" in done.stderr
    refused = harness("report", SMOKE, "--plots", tmp_path / "out", "--html", "a.html", cwd=tmp_path)
    assert refused.returncode == 2
    assert "choose one of --html" in refused.stderr
    table = harness("report", SMOKE, "--format", "png", cwd=tmp_path)
    assert table.returncode == 2
    assert "pictures need --plots" in table.stderr


def test_altair_is_imported_only_to_draw() -> None:
    script = (
        "import sys; import harness.reporting, harness.reporting.html, harness.reporting.plots, "
        "harness.reporting.plots.draw; "
        "print({'altair', 'vl_convert', 'torch', 'transformers', 'lm_eval', 'vllm', 'pandas'} & "
        "set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "set()"


def with_speed(folder: Path) -> Path:
    """The smoke run with a speed.json beside its results: two of its models measured in one
    shape.
    """
    copy = folder / "run"
    shutil.copytree(SMOKE, copy)
    rows = []
    for number, model in enumerate(("tiny-qwen", "tiny-llama"), 1):
        rate = {"output_tps": {"median": 100.0 * number, "ci95": (95.0 * number, 105.0 * number)}}
        work = {"mode": "closed", "input": 64, "output": 32, "concurrency": 4}
        facts = {
            "cell_id": model,
            "model": model,
            "shape": "64>32 x4",
            "identity": {"id": f"bundled/{model}"},
            "workload": work,
        }
        rows.append(
            SpeedRow.model_validate(facts | {"rate": rate, "stats": {"gate": "output_tps"}, "status": "ok"})
        )
    kept = SpeedResults(name="bench", harness_version="0", created="", config_hash="", rows=rows)
    (copy / "speed.json").write_text(kept.model_dump_json())
    return copy


def test_measured_throughput_has_intervals_on_both_axes(tmp_path: Path) -> None:
    comparison = compare([read_run(with_speed(tmp_path))])
    axis = next(axis for axis in cost_axes(comparison, main_scopes(comparison)[0]) if axis.kind == "bench")
    places = {one.label: place for place, one in enumerate(comparison.models)}
    assert axis.values == {places["tiny-qwen"]: 100.0, places["tiny-llama"]: 200.0}
    assert axis.intervals[places["tiny-llama"]] == (190.0, 210.0)
    spec = specification(dict(figures(comparison, Words("en")))["bench-chinese-average"])
    row = next(row for row in values(spec) if row.get("model") == "tiny-llama")
    assert (row["left"], row["x"], row["right"]) == (190.0, 200.0, 210.0)
    assert row["low"] < row["y"] < row["high"]
    drawn = page([read_run(tmp_path / "run")], "zh")
    assert "中文平均与实测吞吐量" in drawn


def test_dollars_of_a_language_stand_for_its_average(smoke: Comparison) -> None:
    def cost(model: str, task: str | None, language: str, usd: float | None) -> Any:
        money, energy = SimpleNamespace(usd_per_item=usd), SimpleNamespace(joules_per_item=None)
        names = {"model": model, "task": task, "language": language, "scope": "task" if task else "language"}
        return SimpleNamespace(**names, money=money, energy=energy)

    fresh = compare([read_run(SMOKE)])
    results = next(iter(fresh.models[0].cells.values())).run.results
    rows = [cost(one.label, None, "zh", 0.001 * (place + 1)) for place, one in enumerate(fresh.models)]
    object.__setattr__(results, "costs", [*rows, cost(fresh.models[0].label, None, "en", 9.0)])
    zh, en = main_scopes(fresh)[:2]
    dollars = next(axis for axis in cost_axes(fresh, zh) if axis.kind == "usd")
    assert dollars.values == {place: pytest.approx(0.001 * (place + 1)) for place in range(3)}
    assert all(axis.kind != "usd" for axis in cost_axes(fresh, en))
    assert "usd-chinese-average" in dict(figures(fresh, Words("en")))
    assert all(axis.kind not in ("usd", "joules", "bench") for axis in cost_axes(smoke, zh))
