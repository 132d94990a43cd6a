"""The table to the character, and the rules behind its figures."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import subprocess
import sys
from typing import Any

import pytest

from harness.analysis.primary import primary
from harness.errors import ConfigError
from harness.reporting import make_table, render
from harness.reporting.score_document import number, rate_text
from harness.reporting.table import ScoreTable
from harness.reporting.writers.terminal import wrapped
from harness.results.schema import GroupRow, ModelRow, Results, Row

FULL = """\
sample

task             metric               n             a    bad             b    bad
─────────────────────────────────────────────────────────────────────────────────
zh_one           acc                100  0.600 ±0.050         0.700 ±0.050
zh_two           acc                100  0.800 ±0.050         0.900 ±0.050
zh_text          word_perplexity ↓  100         12.35                12.35
Chinese average  mean of 2               0.700 ±0.035         0.800 ±0.035

en_one           acc                100  0.500 ±0.050         0.600 ±0.050
en_two           acc                100  0.700 ±0.050  3t 1u  0.700 ±0.050  3t 1u
English average  mean of 2               0.600 ±0.035         0.650 ±0.035

items/s                                          10.0                 10.0
tokens/s                                          100                  100

± is half the 95 % interval; n counts marked documents; 0-shot unless said.
items/s and tokens/s: documents and logical tokens (prompt + output) by engine seconds.
Averages: unweighted over the tasks of a language; perplexities are left out.
Answers: t truncated, e empty, u unparsable.
"""


def line(table: ScoreTable, name: str) -> Any:
    return next(one for one in table.lines if one.name == name)


def row(model: str, task: str, value: float | None, **more: Any) -> Row:
    fields: dict[str, Any] = {
        "cell_id": f"{model}-{task}",
        "model": model,
        "task": task,
        "language": task[:2],
        "status": "ok",
    }
    fields |= (
        {"metric": "acc", "filter": "none", "value": value, "higher_is_better": True, "n": 100}
        if value is not None
        else {}
    )
    return Row(**(fields | more))


def test_the_score_of_blind_guessing_has_a_column(make: Any) -> None:
    rows = [
        row(model, task, 0.5, chance=chance)
        for model in "ab"
        for task, chance in (("zh_one", 0.25), ("zh_two", None))
    ]
    lines = render(make_table([make(rows)]), "rich").splitlines()
    assert next(text for text in lines if text.startswith("task")).split() == [
        "task",
        "metric",
        "n",
        "chance",
        "a",
        "b",
    ]
    assert next(text for text in lines if text.startswith("zh_one")).split() == [
        "zh_one",
        "acc",
        "100",
        "0.250",
        "0.500",
        "0.500",
    ]
    assert next(text for text in lines if text.startswith("zh_two")).split() == [
        "zh_two",
        "acc",
        "100",
        "0.500",
        "0.500",
    ]
    assert "| zh_one | acc | 100 | 0.250 |" in render(make_table([make(rows)]), "markdown")
    many = [row(model, "zh_one", 0.5, chance=0.25) for model in "abc"]
    assert "chance 0.250" in " ".join(render(make_table([make(many)]), "markdown").split())


def group(
    model: str, value: float, tasks: list[str], missing: list[str] | None = None, name: str = "zh_group"
) -> GroupRow:
    kept = {
        "group": name,
        "model": model,
        "language": "zh",
        "metric": "acc",
        "filter": "none",
        "value": value,
        "stderr": 0.01,
        "n": 200,
    }
    return GroupRow(**kept, tasks=tasks, missing=missing or [])


def test_the_whole_table_to_the_character(full: Results) -> None:
    assert render(make_table([full]), "rich", width=100) == FULL


def test_three_models_on_ten_tasks_fit_a_hundred_columns(make: Any) -> None:
    names = [
        f"{language}_{task}"
        for language in ("zh", "en")
        for task in ("arithmetic", "reading", "letters", "word_problems", "passages")
    ]
    rows = []
    for model in ("tiny-qwen", "tiny-llama", "tiny-deepseek-distill"):
        for name in names:
            more = (
                {"metric": "exact_match", "filter": "last-number", "n_truncated": 12}
                if "word" in name
                else {"fewshot": 2}
            )
            rows.append(row(model, name, 0.5, ci95=(0.4, 0.6), **more))
    text = render(make_table([make(rows)]), "rich", width=100)
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("zh_reading") == 1


def test_markdown_to_the_character(make: Any) -> None:
    results = make([row("a|b", "zh_x", 0.5, ci95=(0.4, 0.6)), row("c", "zh_x", 0.25)])
    head = render(make_table([results]), "markdown").split("\n\n")
    assert head[1].splitlines() == [
        "| model | zh_x acc n 100 |",
        "|:---|---:|",
        "| a\\|b | 0.500 ±0.100 |",
        "| c | 0.250 |",
    ]


def test_averages_keep_languages_apart_and_leave_perplexity_out(full: Results) -> None:
    table = make_table([full])
    chinese, english = line(table, "Chinese average"), line(table, "English average")
    assert [figure.value for figure in chinese.figures] == pytest.approx([0.7, 0.8])
    assert [figure.value for figure in english.figures] == pytest.approx([0.6, 0.65])
    assert chinese.figures[0].half == pytest.approx(math.sqrt(2 * 0.05**2) / 2)
    assert [one.name for one in table.lines] == [
        "zh_one",
        "zh_two",
        "zh_text",
        "Chinese average",
        "en_one",
        "en_two",
        "English average",
    ]


def test_an_average_that_lacks_values_says_how_many(make: Any) -> None:
    rows = [
        row("a", "zh_x", 0.5),
        row("a", "zh_y", 0.7),
        row("b", "zh_x", 0.5),
        row("b", "zh_y", None, status="oom", reason="too big"),
    ]
    table = make_table([make(rows)])
    whole, lacking = line(table, "Chinese average").figures
    assert whole.value == pytest.approx(0.6)
    assert lacking.value is None
    text = render(table, "rich")
    assert "1 missing" in text
    assert "oom" in text
    assert "b: zh_y: oom: too big" in table.failures


def test_partial_cells_are_marked_and_not_averaged(make: Any) -> None:
    rows = [
        row("a", "zh_x", 0.5, status="partial", reason="interrupted"),
        row("a", "zh_y", 0.7),
        row("b", "zh_x", 0.5),
        row("b", "zh_y", 0.1),
    ]
    text = render(make_table([make(rows)]), "rich")
    assert "0.500*" in text
    assert "1 missing" in text


def test_metrics_above_one_are_not_averaged(make: Any) -> None:
    table = make_table(
        [make([row("a", "zh_x", 0.5), row("a", "zh_y", 0.7), row("a", "zh_z", 63.0, metric="bleu")])]
    )
    assert line(table, "Chinese average").figures[0].value == pytest.approx(0.6)


def test_random_weights_have_speed_but_no_accuracy(make: Any) -> None:
    rows = [
        row(model, task, 0.5, seconds=2.0) for model in ("real", "noise") for task in ("zh_x", "zh_y", "zh_z")
    ]
    table = make_table([make(rows, noise="random")])
    real, noise = line(table, "zh_x").figures
    assert real.value == 0.5
    assert noise.value is None
    assert table.columns[1].items_per_second == 50
    assert "noise: random weights: no accuracy." in render(table, "rich")
    assert render(table, "markdown").splitlines()[2].endswith("| noise (random weights: no accuracy) |")


def test_a_group_stands_for_its_subjects(make: Any) -> None:
    rows = [row(model, f"zh_{subject}", 0.5, group="zh_group") for model in "ab" for subject in "xyz"]
    groups = [group("a", 0.5, ["zh_x", "zh_y", "zh_z"]), group("b", 0.6, ["zh_x", "zh_y"], ["zh_z"])]
    table = make_table([make(rows, groups)])
    assert [one.name for one in table.shown()] == ["zh_group"]
    assert [one.name for one in table.shown(every=True)] == ["zh_group", "zh_x", "zh_y", "zh_z"]
    whole, lacking = line(table, "zh_group").figures
    assert (whole.status, lacking.status, lacking.missing) == ("ok", "partial", 1)
    assert whole.half == pytest.approx(1.96 * 0.01, rel=1e-3)


def test_a_group_inside_a_group_shows_only_with_all(make: Any) -> None:
    rows = [row("a", f"zh_{subject}", 0.5, group="zh_group") for subject in "xyz"]
    groups = [group("a", 0.5, ["zh_x", "zh_y"], name="zh_inner"), group("a", 0.5, ["zh_x", "zh_y", "zh_z"])]
    table = make_table([make(rows, groups)])
    assert [one.name for one in table.shown()] == ["zh_group"]
    assert "zh_inner" in [one.name for one in table.shown(every=True)]


def test_subjects_that_a_mirror_lacks_are_one_line_not_fifty(make: Any) -> None:
    rows = [row("a", f"zh_{place}", 0.5, group="zh_group") for place in range(3)]
    rows += [
        row("a", f"zh_{place}", None, group="zh_group", status="skipped", reason=f"no file {place}")
        for place in range(3, 50)
    ]
    one = [*rows[:3], *rows[3:]]
    table = make_table(
        [make(one, [group("a", 0.5, ["zh_0", "zh_1", "zh_2"], [f"zh_{p}" for p in range(3, 50)])])]
    )
    assert table.failures == ("a: zh_group: 47 of 50 subjects: skipped: no file 3 (and 46 other reasons)",)
    without_score = make_table([make(one)])
    assert [shown.name for shown in without_score.shown()] == ["zh_0", "zh_1", "zh_2", "Chinese average"]


def test_a_model_that_cannot_load_is_one_line(make: Any) -> None:
    tasks = [f"zh_{place}" for place in range(10)]
    rows = [row("bad", task, None, status="failed", reason="not\nfound") for task in tasks] + [
        row("good", task, 0.5) for task in tasks
    ]
    assert make_table([make(rows)]).failures == ("bad: all 10 tasks: failed: not found",)


def test_a_group_whose_every_subject_failed_is_one_line(make: Any) -> None:
    rows = [
        row("a", f"zh_{p}", None, group="zh_group", status="failed", reason="no data") for p in range(5)
    ] + [row("a", "zh_ok", 0.5)]
    table = make_table([make(rows)])
    assert [one.name for one in table.shown()] == ["zh_group", "zh_ok"]
    assert "failed" in render(table, "rich")


def test_joined_runs_tell_equal_names_apart(full: Results) -> None:
    other = full.model_copy(update={"name": "later"})
    table = make_table([full, other, other])
    assert [column.label for column in table.columns] == [
        "a (sample)",
        "b (sample)",
        "a (later)",
        "b (later)",
        "a (later) #2",
        "b (later) #2",
    ]
    assert table.name == "sample, later"


def test_prompts_that_differ_are_named(make: Any) -> None:
    rows = [
        row("a", "zh_x", 0.5, prompt_id="1"),
        row("b", "zh_x", 0.5, prompt_id="2"),
        row("a", "zh_y", 0.5),
        row("b", "zh_y", 0.5),
    ]
    notes = make_table([make(rows)]).notes
    assert "Models were not asked the same (template, shots, data or settings) on zh_x." in notes


@pytest.mark.parametrize("form", ["rich", "markdown"])
def test_names_are_data_not_markup(make: Any, form: str) -> None:
    name = "[red]x[/red] \x1b[2J<b>|\n*y*"
    text = render(
        make_table([make([row(name, "zh_x", None, status="failed", reason=name), row("b", "zh_x", 0.5)])]),
        form,
    )
    assert "\x1b" not in text
    assert ("[red]" in text) == (form == "rich")
    if form == "markdown":
        assert "\\[red\\]x\\[/red\\]" in text
        assert "&lt;b&gt;\\|" in text
        rows = [one for one in text.splitlines() if one.startswith("| ")]
        assert len({one.count("|") - one.count("\\|") for one in rows}) == 1


def test_csv_reads_back(full: Results) -> None:
    read = list(csv.DictReader(io.StringIO(render(make_table([full]), "csv"))))
    assert len(read) == len(full.rows)
    for line_read, kept in zip(read, full.rows, strict=True):
        assert (line_read["model"], line_read["task"], line_read["metric"]) == (
            kept.model,
            kept.task,
            kept.metric,
        )
        assert float(line_read["value"]) == kept.value
        assert int(line_read["tokens_prompt"]) == kept.tokens.prompt
        assert line_read["primary"] == str(kept.metric != "f1")


def test_json_reads_back(full: Results) -> None:
    read = json.loads(render(make_table([full]), "json"))
    assert [model["label"] for model in read["models"]] == ["a", "b"]
    assert read["lines"][0]["figures"]["a"]["value"] == 0.6
    assert len(read["rows"]) == len(full.rows)


def test_an_unknown_format_is_told(full: Results) -> None:
    with pytest.raises(ConfigError, match="written as csv, html, json, latex, markdown, terminal"):
        render(make_table([full]), "pdf")


def test_a_wide_table_is_cut_into_several(make: Any) -> None:
    rows = [row(f"model-{p}", f"zh_{t}", 0.5, ci95=(0.4, 0.6)) for p in range(12) for t in range(14)]
    text = render(make_table([make(rows)]), "rich", width=100)
    body = text.partition("\n± ")[0]
    assert max(map(len, body.splitlines())) <= 100
    assert body.count("zh_13") > 1
    assert all(body.count(f"model-{p}") == 1 for p in range(12) if p not in (1,))


def test_a_run_without_any_rows_still_has_a_table() -> None:
    model = ModelRow(model="a", id="a", status="failed", reason="boom")
    empty = Results(name="none", harness_version="0", created="", config_hash="", models=[model], rows=[])
    for form in ("rich", "markdown", "csv", "json"):
        assert render(make_table([empty]), form)


def test_the_primary_metric() -> None:
    both = [row("a", "t", 0.5), row("a", "t", 0.6, metric="acc_norm")]
    assert primary("arc_easy", both) == ("acc_norm", "none")
    assert primary("sciq", both) == ("acc", "none")
    texts = [row("a", "t", 9.0, metric="word_perplexity"), row("a", "t", 1.0, metric="bits_per_byte")]
    assert primary("wikitext", texts) == ("bits_per_byte", "none")
    assert primary("t", [row("a", "t", None)]) is None


def test_filters_that_disagree_are_both_shown(make: Any) -> None:
    rows = []
    for model, strict, loose in (("a", 0.167, 0.830), ("b", 0.5, 0.5)):
        rows.append(row(model, "gsm8k", strict, metric="exact_match", filter="strict-match", language="en"))
        rows.append(
            row(model, "gsm8k", loose, metric="exact_match", filter="flexible-extract", language="en")
        )
        rows.append(row(model, "en_one", 0.9, language="en"))
    table = make_table([make(rows)])
    assert [(line.name, line.kind, line.filter) for line in table.lines][:2] == [
        ("gsm8k", "task", "strict-match"),
        ("gsm8k", "filter", "flexible-extract"),
    ]
    average = next(line for line in table.lines if line.kind == "average")
    assert average.figures[0].value == pytest.approx((0.167 + 0.9) / 2)  # the headline only
    for form in ("rich", "markdown"):
        text = render(table, form, width=400)
        assert "0.167" in text
        assert "0.830" in text
        assert "exact_match (flexible-extract)" in text
        assert (
            "strict-match is the headline (averages and comparisons use it) because the task defines it first"
            in text
        )


def test_filters_that_agree_take_one_line(make: Any) -> None:
    rows = [
        row("a", "gsm8k", 0.5, metric="exact_match", filter=name)
        for name in ("strict-match", "flexible-extract")
    ]
    table = make_table([make(rows)])
    assert [line.filter for line in table.lines] == ["strict-match"]
    assert not any("headline" in note for note in table.notes)


def test_numbers() -> None:
    assert [number(value) for value in (0.12345, 12.3456, 1234.5, 1234567.0)] == [
        "0.123",
        "12.35",
        "1234",
        "1.23e+06",
    ]
    assert [rate_text(value) for value in (None, 1.234, 12.34, 12345.6)] == ["", "1.23", "12.3", "12,346"]
    assert wrapped("DeepSeek-R1-Distill-Qwen-7B").splitlines() == ["DeepSeek-R1-", "Distill-Qwen-", "7B"]


def test_any_results_render(make: Any) -> None:
    """Whatever mixture of statuses, groups and metrics a run leaves, every format renders and
    counts agree.
    """
    chance = random.Random(0)
    for _ in range(30):
        rows, groups = [], []
        for model in "abc"[: chance.randint(1, 3)]:
            for place in range(chance.randint(0, 6)):
                value = chance.choice([None, 0.0, 0.5, 1.0, 50.0])
                status = (
                    chance.choice(["ok", "partial"])
                    if value is not None
                    else chance.choice(["failed", "oom", "skipped"])
                )
                task = chance.choice(["zh", "en", "xx"]) + f"_{place}"
                rows.append(row(model, task, value, status=status, group=chance.choice([None, "zh_group"])))
            mine = [one.task for one in rows if one.model == model and one.value is not None]
            if mine and chance.random() < 0.5:
                groups.append(group(model, 0.5, mine))
        table = make_table([make(rows, groups)])
        for form in ("rich", "markdown", "csv", "json"):
            render(table, form, every=chance.random() < 0.5)
        assert len(table.records) == len(rows) + len(groups)


def test_a_report_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'lm_eval', 'pandas', 'yaml'}"
    code = f"import sys, harness.reporting, harness.results.query; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
