"""Findings: in the journal, in results, manifest, table and page, and in an expectation."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.schema import Expectation
from harness.evaluation.expectations import check
from harness.reporting.sanity import sanity_text
from harness.results.journal import Journal
from harness.results.sanity import is_clean, sanity_lines, sanity_row, sanity_section
from harness.results.schema import Results
from harness.sanity import Finding, checks, kinds

LOST = Finding("tokenizer_loses_text", 1, 12, {"text": "'中国'", "back": "''"})
PENALTY = Finding("checkpoint_penalty", values={"penalty": 1.05})


def test_every_kind_belongs_to_a_check_and_speaks_both_languages() -> None:
    assert {kind.check for kind in kinds().values()} <= set(checks())
    for kind in kinds().values():
        assert kind.level in ("warning", "note", "info")
        assert all(text.strip() for text in kind.texts.values())


def test_a_finding_of_no_kind_or_with_an_empty_blank_is_refused() -> None:
    with pytest.raises(KeyError):
        Finding("no such kind")
    with pytest.raises(KeyError):
        Finding("checkpoint_penalty")


def test_the_journal_keeps_what_was_found_last(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.put_findings("m", None, [LOST])
    journal.put_findings("m", "t", [PENALTY])
    journal.put_findings("m", None, [LOST, PENALTY])
    assert journal.findings() == {("m", None): [LOST, PENALTY], ("m", "t"): [PENALTY]}


def test_the_section_names_every_check_with_its_state() -> None:
    section = sanity_section([sanity_row("m", None, LOST), sanity_row("m", "t", PENALTY)])
    assert section["clean"] is False
    states = {name: entry["state"] for name, entry in section["checks"].items()}
    assert states == dict.fromkeys(checks(), "ok") | {"tokenizer": "warning", "defaults": "note"}
    assert sanity_section([])["clean"] is True
    assert is_clean([sanity_row("m", None, PENALTY)])


def test_lines_sum_counts_over_tasks_and_name_equal_models_once() -> None:
    rows = [sanity_row(model, task, LOST) for model in ("a", "b") for task in ("t", "u")] + [
        sanity_row("a", None, PENALTY)
    ]
    first, second = sanity_lines(reversed(rows))
    assert (first.level, set(first.models), set(first.tasks), first.count, first.of) == (
        "warning",
        {"a", "b"},
        {"t", "u"},
        2,
        24,
    )
    assert sanity_text(second).startswith("Note: a: the checkpoint's own repetition penalty of 1.05")
    assert sanity_text(second, "zh").startswith("说明：a：生成时")


def test_a_kind_of_another_version_is_told_by_its_name() -> None:
    row = sanity_row("m", None, PENALTY).model_copy(update={"kind": "of_tomorrow"})
    assert [line.text() for line in sanity_lines([row])] == ["of_tomorrow"]


@pytest.mark.parametrize(
    ("named", "held"),
    [({}, False), ({"model": "a"}, True), ({"model": "m"}, False), ({"model": "m", "task": "other"}, True)],
)
def test_an_expectation_can_demand_a_clean_run(named: dict[str, str], held: bool) -> None:
    rows = [sanity_row("m", "t", LOST), sanity_row("a", None, PENALTY)]
    results = Results(
        name="r", harness_version="", created="", config_hash="", models=[], rows=[], sanity=rows
    )
    (met,) = check(Expectation(sanity="clean", **named), results)
    assert met.held is held
    assert held or "1 warnings, the first: m: the tokenizer changes 1 of 12" in str(met.value)


def test_an_expectation_says_what_it_wants() -> None:
    with pytest.raises(ValueError, match="two expectations"):
        Expectation(sanity="clean", min=0.5)
    with pytest.raises(ValueError, match=r"task or language \(a score\), figure, or sanity: clean"):
        Expectation(min=0.5)


def test_the_documentation_knows_every_kind() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sanity.md").read_text(encoding="utf-8")
    assert [name for name, kind in kinds().items() if f"| `{name}` | {kind.level} |" not in text] == []
