"""The verdicts: dated, decided, with today's value beside them; false ones and false words of
before are gone.
"""

from __future__ import annotations

import datetime
import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from studies.test_studies import MODELS

from harness.errors import ConfigError
from harness.published.scoreboards import analysed
from harness.studies import document, overview
from harness.studies.answer import ClaimAnswer, answer, months
from harness.studies.board import BoardEntry
from harness.studies.claims import Claim, Text, claims
from harness.studies.data import Data
from harness.studies.families import family, newest_of_family
from harness.studies.finding import signed, together
from harness.studies.predicates import ask_predicate
from harness.studies.predicates.counts import release_days, trained
from harness.studies.predicates.sizes import ratio_of_medians, regression
from harness.studies.predicates.speed import speeds
from harness.texts import catalogue

OURS = tuple(f"C{number}" for number in (1, 2, *range(5, 17)))
SAID = {
    "C1": "supported",
    "C2": "supported",
    "C3": "not yet measured",
    "C4": "not yet measured",
    "C5": "supported",
    "C6": "partly supported",  # "supported" before, from online Elo
    "C7": "partly supported",
    "C8": "supported",
    "C9": "supported",
    "C10": "supported",
    "C11": "partly supported",
    "C12": "supported",
    "C13": "not supported",
    "C14": "partly supported",
    "C15": "partly supported",
    "C16": "cannot tell",
}


@functools.cache
def answers() -> dict[str, ClaimAnswer]:
    return {name: answer(claim, Data(folder=None)) for name, claim in claims().items()}


def test_every_verdict_is_dated_and_has_todays_value_beside_it() -> None:
    assert {name: answers()[name].verdict for name in SAID} == SAID
    for name in OURS:
        one = answers()[name]
        assert one.claim.when is not None
        assert re.search(r"20\d\d", one.claim.when.en), name
        assert one.today, name
        assert all(finding.brief is not None for finding in (*one.findings, *one.today)), name
        assert one.basis.en != "–"


def test_at_most_two_cannot_tell_and_each_names_the_datum() -> None:
    undecided = [one for name, one in answers().items() if one.verdict == "cannot tell" and name in OURS]
    assert len(undecided) <= 2
    for one in undecided:
        assert one.datum is not None
        assert len(one.datum.en) > 40


@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        ("C6", "partly supported (1 of 2 definitions)", "部分得到支持（2 种定义中 1 种成立）"),
        ("C7", "partly supported (1 of 3 statements)", "部分得到支持（3 项陈述中 1 项成立）"),
        ("C11", "partly supported (1 of 4 statements)", "部分得到支持（4 项陈述中 1 项成立）"),
        ("C15", "partly supported (1 of 2 definitions)", "部分得到支持（2 种定义中 1 种成立）"),
        ("C8", "supported", "得到支持"),
    ],
)
def test_a_verdict_counts_what_holds(name: str, en: str, zh: str) -> None:
    assert answers()[name].said == Text(en=en, zh=zh)
    assert answers()[name].as_data()["verdict"] == en.partition(" (")[0]


@pytest.mark.parametrize(
    ("outcomes", "one"),
    [
        (["holds", "fails"], "fails"),
        (["holds", "unclear"], "unclear"),
        (["unclear", "fails"], "fails"),
        (["missing", "holds"], "unclear"),
        (["holds", "holds"], "holds"),
    ],
)
def test_parts_of_one_topic_are_one_statement(outcomes: list[Any], one: str) -> None:
    assert together(outcomes) == one


def test_the_table_of_verdicts_says_what_each_figure_is() -> None:
    rows = {row.id: row for row in overview.overview(list(answers().values()), "en")}
    assert set(rows) == set(claims())
    assert (rows["C6"].when, rows["C6"].verdict) == ("In March 2024", "partly supported (1 of 2 definitions)")
    assert rows["C6"].then == (
        "✓ to the day of the board: 12.5 months",
        "✗ from release to release: 10.8 months",
    )
    assert rows["C6"].today[0] == "✗ to the day of the board: 6.4 months"
    assert rows["C10"].basis == ("Artificial Analysis, index v2.2, 2025-08",)
    assert rows["C1"].then[0].endswith("−47 points (−51 to −42)")
    assert rows["C8"].then[2].endswith("10 of 10 Chinese")
    assert (
        rows["C5"].then[0].endswith("2.6 to 8.3 times the H100's time")
    )  # the best variant of the 910B, too
    assert rows["C9"].today[2] == "✗ OpenAI: number 3 (5,116 likes)"
    assert rows["C12"].today[0].endswith("52.1 against 27.9 % of downloads")
    for row in rows.values():
        assert len(row.then) == len(answers()[row.id].claim.parts)
        assert len(row.today) == len(answers()[row.id].claim.today)
        assert all(len(phrase) < 90 for phrase in (*row.then, *row.today))
        assert all(": " in phrase for phrase in (*row.then, *row.today))
        assert all(len(basis) < 170 for basis in row.basis)
    for one in answers().values():
        assert all(part.short is not None for part in (*one.claim.parts, *one.claim.today)), one.claim.id


def test_what_is_missing_stands_below_the_table_and_not_in_it() -> None:
    made = list(answers().values())
    lines = overview.below(made, "en")
    assert [line.partition(" · ")[0] for line in lines[1:]] == ["C3", "C4", "C16"]
    assert "creation dates" in lines[3]
    assert "Lineage between two checkpoints" in lines[1]
    assert "creation dates" not in str(overview.overview(made, "en"))
    for language in ("en", "zh"):
        text = document.markdown(made, Data(folder=None), language)
        assert text.count("\n## ") == len(claims()) + 1


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 100, 127, 128, 130, 200])
def test_the_table_fits_every_terminal(width: int, language: str) -> None:
    """No line is wider, nothing is left out, and no line of Chinese begins with a mark that ends
    one.
    """
    made = list(answers().values())
    shown = overview.terminal(made, language, width)
    assert max(cell_len(line) for line in shown.split("\n")) <= width
    for row in overview.overview(made, language):
        for phrase in (*row.then, *row.today):
            assert phrase[:4] in shown
    assert not re.search(r"(?m)^ *[，。；：、）]|[（]$", shown)
    if width < overview.WIDE:
        flat = re.sub(r"\s+", "", shown)
        for row in overview.overview(made, language):
            assert all(re.sub(r"\s+", "", phrase) in flat for phrase in (*row.then, *row.today, *row.basis))


def test_months_of_spans_that_overlap_are_one() -> None:
    day = datetime.date
    spans = [
        (day(2024, 4, 18), day(2024, 7, 10)),
        (day(2023, 12, 6), day(2024, 7, 31)),
        (day(2025, 3, 21), day(2025, 3, 21)),
    ]
    assert months(spans) == ["2023-12 – 2024-07", "2025-03-21"]
    assert months([(day(2025, 8, 13), day(2025, 8, 14))]) == ["2025-08"]


def test_chinese_has_full_width_marks() -> None:
    """No half-width mark after a Han character, no blank between two, no blank beside a full-width
    mark; pairs of quotes are whole.
    """
    said = [text for both in catalogue("studies").values() for text in [both["zh"]]]
    for one in answers().values():
        claim = one.claim
        texts = [
            claim.claim,
            *claim.notes,
            *(part.says for part in (*claim.parts, *claim.today)),
            *(show.title for show in claim.shown),
        ]
        texts += [
            text
            for finding in (*one.findings, *one.today)
            for text in (finding.measured, finding.why, finding.limits)
            if text
        ]
        texts += [line for exhibit in one.exhibits for line in (*exhibit.lines, *exhibit.headers)]
        said += [text.zh for text in texts]
    han = "[\u4e00-\u9fff]"
    for text in said:
        for wrong in (
            rf"{han}[,;:!?()]",
            rf"[,;!?(]{han}",
            rf"{han} {han}",
            r"[，。；：、（）] \S",
            r"\S [，。；：、（）]",
            r"\d %",
            '"',
        ):
            assert not re.search(wrong, text), (wrong, text)
        assert text.count("“") == text.count("”")


def test_a_claim_has_parts_or_says_what_would_measure_it() -> None:
    raw = claims()["C3"].model_dump()
    with pytest.raises(ValueError, match="pending"):
        Claim.model_validate(raw | {"pending": None})


def test_the_old_false_words_are_gone() -> None:
    """Each was printed before and is not true."""
    said = [text for both in catalogue("studies").values() for text in both.values()]
    for one in answers().values():
        texts = [
            one.claim.claim,
            *one.claim.notes,
            *(finding.measured for finding in (*one.findings, *one.today)),
        ]
        said += [text[language] for text in texts for language in ("en", "zh")]
    for false in (
        "votes without ties",
        "不计平局",
        "makers' list prices",
        "制造商标价",
        "no intervals were published",
        "no published score with a source",
        "无有来源",
        "surely ahead",
        "first side",
        "前一方",
        "No snapshot is at hand from 25 May to 5 August 2025",
        "article's own month has none",
    ):
        assert not [text for text in said if false in text], false


def test_no_statement_rests_on_online_elo() -> None:
    for one in answers().values():
        for part in (*one.claim.parts, *one.claim.today):
            assert "online-elo" not in str(part.given)
        assert "online" not in one.basis.en


def test_the_page_of_c8_names_the_experimental_maverick() -> None:
    notes = " ".join(note.en for note in answers()["C8"].claim.notes)
    assert "experimental" in notes
    assert "never released" in notes


def test_the_tokenizer_statement_counts_gemma_and_says_who_crosses_over() -> None:
    found = next(
        finding
        for part, finding in zip(answers()["C11"].claim.parts, answers()["C11"].findings, strict=True)
        if part.predicate == "tokens"
    )
    assert found.outcome == "fails"
    assert found.why is not None
    assert "Baichuan-7B 379 > gemma-3 367" in found.why.en


def test_the_ascend_910b_is_a_range() -> None:
    assert "Ascend 910B 2.63–3.53×" in answers()["C5"].findings[0].measured.en


def test_speeds_are_published_with_their_input_lengths() -> None:
    """H20 against H100, per node of eight: 16.5 and 5.7 thousand tokens/s against 52.3 and 22.3."""
    by_key = {(one.chip, one.phase): one for one in speeds()}
    assert by_key["H20", "prefill"].per_chip / by_key["H100", "prefill"].per_chip == pytest.approx(
        16.5 / 52.3
    )
    assert by_key["H20", "decode"].per_chip / by_key["H100", "decode"].per_chip == pytest.approx(5.7 / 22.3)
    reading = answers()["C5"].findings[1]
    assert "prompts of 4096 tokens" in reading.measured.en
    assert "prompts of 2000 tokens" in reading.measured.en
    assert (
        ask_predicate("slower", {"chip": "B200", "phase": "decode"}, Data(folder=None)).outcome == "missing"
    )


def test_the_regression_is_that_of_another_library() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    sizes = 2 ** rng.uniform(0, 8, 90)
    mine = rng.random(90) < 0.4
    groups = [f"g{k}" for k in rng.integers(0, 9, 90)]
    shift = {name: rng.normal() for name in sorted(set(groups))}
    scores = (
        5 + 3 * np.log2(sizes) + 2 * mine + np.array([shift[name] for name in groups]) + rng.normal(size=90)
    )
    x = np.column_stack([np.ones(90), np.log2(sizes), mine]).astype(float)
    codes = np.unique(groups, return_inverse=True)[1]
    fit = sm.OLS(scores, x).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    found = regression(list(sizes), list(scores), list(mine), groups)
    assert found == pytest.approx((fit.params[1], fit.params[2], *fit.conf_int()[2]))


def test_a_ratio_of_medians_covers_the_truth() -> None:
    """Of 60 pairs of samples of one distribution at least 54 have an interval with one in it."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(60):
        value, low, high = ratio_of_medians(list(rng.lognormal(size=15)), list(rng.lognormal(size=15)))
        assert low <= value <= high
        held += low <= 1 <= high
    assert held >= 54


def test_families_keep_their_newest_model() -> None:
    names = [
        "Qwen3.5 397B A17B (Reasoning)",
        "Qwen3 235B",
        "gpt-oss-120B (high)",
        "gpt-oss-20b",
        "glm-4.6",
        "GLM-5",
    ]
    entries = [BoardEntry(name, 0, None, None, MODELS["fr"]) for name in names]
    assert [family(one)[1] for one in entries] == ["qwen", "qwen", "gpt-oss", "gpt-oss", "glm", "glm"]
    assert newest_of_family(entries) == []  # no date, no newest


def test_releases_count_days_and_not_sizes() -> None:
    rows = [
        row
        for row in analysed()
        if row.open and row.country == "CN" and row.released is not None and row.released.year == 2026
    ]
    days = {(row.creator, row.released) for row in rows if row.released is not None}
    assert release_days(min(d for _, d in days), max(d for _, d in days))["CN"] == days
    assert len(days) < len(rows) / 3


def test_training_tokens_have_a_source_and_a_country() -> None:
    assert {one.country for one in trained()} == {"CN", "US"}
    assert all(one.source.startswith("https://") for one in trained())
    assert any(not one.unread for one in trained())


def test_signs() -> None:
    assert [signed(value) for value in (-47.2, 3.4, -0.2, 0)] == ["−47", "+3", "0", "0"]
    assert [signed(value, 1) for value in (-0.04, 6.31)] == ["0.0", "+6.3"]


def test_a_speed_or_a_figure_without_a_source_is_refused(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:

    from harness.studies.predicates import counts, speed

    path = Path(str(tmp_path)) / "x.yaml"
    path.write_text(
        "- {model: x, maker: y, country: CN, released: 2024-01-01, trillions: 1}\n", encoding="utf-8"
    )
    for module, read in ((counts, counts.trained), (speed, speed.speeds)):
        monkeypatch.setattr(module, "FILE", path)
        read.cache_clear()
        with pytest.raises(ConfigError, match=r"x\.yaml"):
            read()
        monkeypatch.undo()
        read.cache_clear()
