"""What answers cost, as tables: two that fit a terminal, without columns that say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.reporting.cost_sheet import COST, SPEED, costs_tables
from harness.results.query import read_results
from harness.results.schema import Results

SMOKE = Path(__file__).resolve().parents[2] / "results/recorded/smoke"


@pytest.fixture
def smoke() -> Results:
    return read_results(str(SMOKE))


def test_a_row_a_model_and_language_and_more_with_every_task(smoke: Results) -> None:
    fast, took = costs_tables([smoke])
    languages = [row for row in smoke.costs if row.task is None]
    assert len(fast.rows) == len(took.rows) == len(languages) == 6
    assert len(costs_tables([smoke], every=True)[0].rows) == len(smoke.costs) > 6
    assert fast.headings == ("model", "of", *SPEED)
    first = languages[0]
    assert fast.texts[0][0] == first.model
    assert first.rate.items is not None
    assert fast.texts[0][2] == f"{first.rate.items:,.0f}"


def test_columns_without_a_figure_are_left_out_and_the_notes_say_why(smoke: Results) -> None:
    _, took = costs_tables([smoke])
    empty = [name for name in COST if name not in took.headings]
    assert {"J/item", "J/correct"} <= set(empty)  # recorded on a machine without energy counters
    assert any(note.startswith("joules: ") for note in took.notes)
    assert all(len(row) == len(took.headings) for row in took.rows)


def test_a_priced_run_shows_dollars(smoke: Results) -> None:
    money = smoke.costs[0].money.model_copy(update={"usd_per_item": 0.0025})
    costs = [row.model_copy(update={"money": money}) for row in smoke.costs]
    _, took = costs_tables([smoke.model_copy(update={"costs": costs})])
    place = took.headings.index("$/1k items")
    assert {row[place] for row in took.texts} == {"2.5"}


def test_a_run_without_costs_has_no_table(smoke: Results, tmp_path: Path) -> None:
    bare = smoke.model_copy(update={"costs": []})
    assert costs_tables([bare]) == []
    (tmp_path / "results.json").write_text(bare.model_dump_json(), encoding="utf-8")
    from harness.cli.report import report

    with pytest.raises(ConfigError, match="hold no costs"):
        report([str(tmp_path)], costs=True)
