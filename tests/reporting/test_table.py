"""The results table to the character, and in every form."""

from __future__ import annotations

import csv
import io
import json
import random
import subprocess
import sys
from typing import Any

import pytest
from support.tables import group, row

from harness.errors import ConfigError
from harness.reporting import make_table, render
from harness.reporting.folding import balanced
from harness.reporting.score_document import number, rate_text
from harness.results.schema import ModelRow, Results

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


def test_numbers() -> None:
    assert [number(value) for value in (0.12345, 12.3456, 1234.5, 1234567.0)] == [
        "0.123",
        "12.35",
        "1234",
        "1.23e+06",
    ]
    assert [rate_text(value) for value in (None, 1.234, 12.34, 12345.6)] == ["", "1.23", "12.3", "12,346"]
    assert balanced("DeepSeek-R1-Distill-Qwen-7B", 14).splitlines() == ["DeepSeek-", "R1-Distill-", "Qwen-7B"]


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
