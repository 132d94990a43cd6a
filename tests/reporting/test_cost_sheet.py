"""What answers cost, as tables: two that fit a terminal, without columns that say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.reporting.cost_sheet import COST, PERCENTILES, SPEED, costs_document, costs_tables, failure_kinds
from harness.reporting.texts import translated
from harness.results.cost import RequestFigures
from harness.results.query import read_results
from harness.results.schema import Results

SMOKE = Path(__file__).resolve().parents[2] / "results/recorded/smoke"


@pytest.fixture
def smoke() -> Results:
    return read_results(str(SMOKE))


def test_a_row_a_model_and_language_and_more_with_every_task(smoke: Results) -> None:
    fast, latencies, took = costs_tables([smoke])
    languages = [row for row in smoke.costs if row.scope == "language"]
    assert len(fast.rows) == len(took.rows) == len(languages) == 6
    assert latencies.headings == ("model", "of", "latency", *PERCENTILES, "n")
    assert len(costs_tables([smoke], every=True)[0].rows) == len(smoke.costs) > 6
    assert fast.headings == ("model", "of", *SPEED)
    first = languages[0]
    assert fast.texts[0][0] == first.model
    assert first.rate.items is not None
    assert fast.texts[0][2] == f"{first.rate.items:,.0f}"


def test_columns_without_a_figure_are_left_out_and_the_notes_say_why(smoke: Results) -> None:
    *_, took = costs_tables([smoke])
    empty = [name for name in COST if name not in took.headings]
    assert {"J/item", "J/correct"} <= set(empty)  # recorded on a machine without energy counters
    assert any(note.startswith("joules: ") for note in took.notes)
    assert all(len(row) == len(took.headings) for row in took.rows)


def test_a_priced_run_shows_dollars(smoke: Results) -> None:
    paid = {"total": 0.5, "per_1000_items": 2.5, "per_right": 0.004, "currency": "CNY"}
    price = {"basis": "tokens", "price_input": 2.0, "price_cached_input": 0.5, "price_output": 8.0}
    range95 = {"per_right_low": 0.003, "per_right_high": None, "price_source": "own"}
    money = smoke.costs[0].money.model_copy(update=paid | price | range95)
    costs = [row.model_copy(update={"money": money}) for row in smoke.costs]
    *_, took = costs_tables([smoke.model_copy(update={"costs": costs})])
    shown = {name: {row[position] for row in took.texts} for position, name in enumerate(took.headings)}
    assert shown["cost"] == {"¥0.5"}
    assert shown["cost/1k items"] == {"¥2.5"}
    assert shown["cost/1k correct"] == {"¥4 (3–∞)"}
    assert "Price per million tokens: ¥2 in, ¥0.5 in from a cache, ¥8 out (own)." in took.notes
    assert any("每百万词元价格：输入 ¥2" in translated(note, "zh") for note in took.notes)


def test_csv_holds_every_figure_by_its_path_and_the_currency(smoke: Results) -> None:
    document = costs_document([smoke])
    assert document is not None
    assert document.records is not None
    columns, rows = document.records()
    assert {"model", "scope", "money.currency", "money.total", "latency_ms.e2e.p95"} <= set(columns)
    assert len(list(rows)) == len(smoke.costs)


def test_requests_of_an_endpoint_show_what_failed_by_kind(smoke: Results) -> None:
    failed = {"http_429": 3, "timeout": 1}
    requests = RequestFigures(sent=20, answered=16, repeated=4, failed=failed, failures=4, per_second=2.5)
    costs = [row.model_copy(update={"requests": requests}) for row in smoke.costs]
    table = next(
        one for one in costs_tables([smoke.model_copy(update={"costs": costs})]) if "kinds" in one.headings
    )
    assert table.texts[0][2:4] == ("20", "2.5")
    assert table.texts[0][-4:] == ("4", "4", "0", "HTTP 429 ×3, timeout ×1")
    assert translated(failure_kinds(requests), "zh") == "HTTP 429 ×3，超时 ×1"


def test_a_run_without_costs_has_no_table(smoke: Results, tmp_path: Path) -> None:
    bare = smoke.model_copy(update={"costs": []})
    assert costs_tables([bare]) == []
    (tmp_path / "results.json").write_text(bare.model_dump_json(), encoding="utf-8")
    from harness.cli.report import report

    with pytest.raises(ConfigError, match="hold no costs"):
        report([str(tmp_path)], costs=True)
