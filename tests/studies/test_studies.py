"""The parts of a study on boards made by hand, the packaged claims, and what is refused."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import ConfigError, DataError
from harness.published import PublishedRating, RatedModel
from harness.studies import document, gap
from harness.studies.answer import answer
from harness.studies.board import Board, BoardEntry, Side, difference
from harness.studies.claims import FOLDER, Claim, Text, claims, find_claim, read_claim
from harness.studies.costs import dominated
from harness.studies.data import Data
from harness.studies.finding import StatementFinding, verdict
from harness.studies.predicates import PREDICATES, ask_predicate
from harness.studies.predicates.chips import Chips, ratio

CN, US = Side(country="CN", open=True), Side(country="US", open=True)


def model(name: str, country: str | None, released: str | None = None, **more: Any) -> RatedModel:
    facts: dict[str, Any] = dict.fromkeys(
        ("maker", "licence", "made_from", "base_country", "base_source", "note")
    )
    day = datetime.date.fromisoformat(released) if released else None
    facts |= {
        "open": True,
        "source": "name",
        "released": day,
        "released_source": "name" if day else None,
        "also": (),
    } | more
    return RatedModel(name=name, country=country, **facts)


MODELS = {
    one.name: one
    for one in (
        model("cn-7b", "CN", "2024-01-10"),
        model("us-70b", "US", "2023-01-10"),
        model("us-8b", "US", "2023-07-10", open=False),
        model("fr", "FR"),
        model("mixed", "US", base_country="CN", made_from="cn-7b", base_source="name"),
    )
}


def board(*rows: tuple[str, str, float, float | None]) -> Board:
    """Rows of (day, model, rating, half width of its interval)."""
    ratings = [
        PublishedRating(
            date=datetime.date.fromisoformat(day),
            board="lmarena-text",
            category="full",
            style="default",
            model=name,
            rating=value,
            lower=value - half if half is not None else None,
            upper=value + half if half is not None else None,
            source="name",
        )
        for day, name, value, half in rows
    ]
    return Board.of(ratings, MODELS)


class Made(Data):
    """Data with a board made by hand."""

    def __init__(self, made: Board) -> None:
        super().__init__(folder=None)
        self.__dict__["board"] = made


def test_a_difference_and_its_interval() -> None:
    one, other = (
        BoardEntry(name, rating, rating - down, rating + up, MODELS[name])
        for name, rating, down, up in (("cn-7b", 1100, 3, 5), ("fr", 1090, 12, 4))
    )
    found = difference(one, other)
    assert (found.value, found.low, found.high, found.published) == (
        10,
        5,
        23,
        True,
    )  # √(3² + 4²) down, √(5² + 12²) up
    assert difference(one, BoardEntry("x", 1090, None, None, MODELS["fr"])).low == 2


def test_sides() -> None:
    entries = {name: BoardEntry(name, 1000, None, None, facts) for name, facts in MODELS.items()}
    fits = {
        key: [name for name, entry in entries.items() if side.holds(entry)]
        for key, side in {
            "us": Side(country="US"),
            "open": US,
            "own": Side(country="US", open=True, own=True),
            "small": Side(at_most=10),
            "name": Side(name="^us"),
        }.items()
    }
    assert fits == {
        "us": ["us-70b", "us-8b", "mixed"],
        "open": ["us-70b", "mixed"],
        "own": ["us-70b"],
        "small": ["cn-7b", "us-8b"],
        "name": ["us-70b", "us-8b"],
    }
    sizes = {
        name: BoardEntry(name, 0, None, None, MODELS["fr"]).size
        for name in (
            "mixtral-8x7b",
            "llama-4-17b-128e-instruct",
            "gemma-3n-e4b-it",
            "yi-1.5-34b-chat",
            "qwen3-30b-a3b",
            "glm-4",
        )
    }
    assert list(sizes.values()) == [None, None, None, 34, 30, None]


def test_the_lead_changes_hands_in_brackets() -> None:
    days = ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-09-01"]
    values = [-30, 5, 30, 30, -30]
    made = board(
        *(
            row
            for day, value in zip(days, values, strict=True)
            for row in ((day, "cn-7b", 1000 + value, None), (day, "us-70b", 1000, None))
        )
    )
    found = gap.leads(made.series(), CN, US)
    said = [
        [(str(one.after), str(one.by), one.to) for one in gap.brackets(found, sure=sure)]
        for sure in (False, True)
    ]
    assert said[0] == [("2024-01-01", "2024-02-01", 1), ("2024-04-01", "2024-09-01", -1)]
    assert said[1] == [
        ("2024-01-01", "2024-03-01", 1),
        ("2024-04-01", "2024-09-01", -1),
    ]  # +5 ± 20 cannot be told
    assert gap.holes(made.series()) == [(datetime.date(2024, 4, 1), datetime.date(2024, 9, 1))]


def test_the_lag_in_months() -> None:
    """Behind since the first model at least as good; with intervals that leave open whether the
    older one was, from which to which.
    """
    made = board(
        ("2024-07-10", "cn-7b", 1000, 10),
        ("2024-07-10", "us-8b", 1030, 10),
        ("2024-07-10", "us-70b", 995, 10),
    )
    found = gap.lag(made, made.snapshots[0], Side(country="CN"), Side(country="US"))
    assert found is not None
    assert found.first is not None
    assert (found.first.name, found.dated) == ("us-8b", True)
    assert [round(value or 0) for value in (found.least, found.months, found.most, found.release)] == [
        12,
        12,
        18,
        6,
    ]
    ahead = gap.lag(made, made.snapshots[0], Side(country="US"), Side(country="CN"))
    assert ahead is not None
    assert (ahead.first, ahead.months) == (None, None)
    undated = gap.lag(made, made.snapshots[0], Side(country="CN"), Side(country="FR"))
    assert undated is not None
    assert undated.first is None


def test_a_share_and_its_interval() -> None:
    sure = board(
        ("2024-07-10", "cn-7b", 1100, 5), ("2024-07-10", "us-70b", 1000, 5), ("2024-07-10", "fr", 900, 5)
    )
    assert gap.share_range(sure.snapshots[0], 1, Side(open=True), "CN") == (1, 1, 1)
    even = board(("2024-07-10", "cn-7b", 1001, 50), ("2024-07-10", "us-70b", 1000, 50))
    assert gap.share_range(even.snapshots[0], 1, Side(open=True), "CN") == (0, 1, 1)
    assert gap.shares(sure.snapshots[0], 2, Side(open=True)) == {"CN": 0.5, "US": 0.5}


@pytest.mark.parametrize(
    ("outcomes", "kinds", "said"),
    [
        (["holds", "holds"], "pp", "supported"),
        (["holds", "fails", "missing"], "ppp", "partly supported"),
        (["fails", "missing"], "pp", "not supported"),
        (["holds", "fails"], "jp", "not supported"),
        (["holds", "unclear"], "pp", "cannot tell"),
        (["holds", "missing"], "pp", "cannot tell"),
        (["holds", "holds"], "pj", "cannot tell"),
        (["holds", "fails"], "pj", "cannot tell"),
    ],
)
def test_the_verdict(outcomes: list[Any], kinds: str, said: str) -> None:
    found = [
        StatementFinding(one, "published" if kind == "p" else "projected", Text(en="x", zh="x"))
        for one, kind in zip(outcomes, kinds, strict=True)
    ]
    assert verdict(found) == said


def test_predicates_tell_three_outcomes_and_what_is_missing() -> None:
    def asked(*rows: tuple[str, float, float | None], predicate: str = "lead", **more: Any) -> str:
        given = {
            "one": {"country": "CN"},
            "other": {"country": "US"},
            "begin": "2024-01-01",
            "end": "2024-12-31",
            **more,
        }
        return ask_predicate(predicate, given, Made(board(*(("2024-07-10", *row) for row in rows)))).outcome

    us = ("us-70b", 1000.0, 5.0)
    assert [asked(("cn-7b", value, 5.0), us) for value in (1020, 1005, 980)] == ["holds", "unclear", "fails"]
    assert [asked(("cn-7b", value, 5.0), us, predicate="close", points=50) for value in (980, 951, 900)] == [
        "holds",
        "unclear",
        "fails",
    ]
    assert [asked(("cn-7b", 900.0, 5.0), us, predicate="lag", months=months) for months in (12, 24)] == [
        "holds",
        "fails",
    ]
    assert asked(us) == "missing"
    found = ask_predicate(
        "lead", {"one": {}, "other": {}, "begin": "1999-01-01", "end": "1999-01-02"}, Data(folder=None)
    )
    assert (found.outcome, found.command) == ("missing", "harness published import FILE")


def test_what_is_dominated() -> None:
    rows = [
        (BoardEntry(name, rating, None, None, MODELS["fr"]), price)
        for name, rating, price in (("a", 10, 1.0), ("b", 9, 2.0), ("c", 12, 3.0), ("d", 12, 3.0))
    ]
    assert dominated(rows) == {"b": "a"}


def test_the_chips_are_the_catalogues() -> None:
    """H20 against H100: 989.4/148 of the arithmetic; writing is bound by memory, 3.35/4.0."""
    assert ratio(Chips(chips=("H20",), what="arithmetic"), "H20") == pytest.approx(989.4 / 148)
    assert ratio(Chips(chips=("H20",), what="writing"), "H20") == pytest.approx(3.35 / 4.0)
    assert ratio(Chips(chips=("H20",), what="reading"), "H20") == pytest.approx(989.4 / 148)


def test_every_packaged_claim_is_answered_and_said_in_both_languages() -> None:
    data = Data(folder=None)
    named = {f"C{number}" for number in range(1, 17)}
    assert named == set(claims())
    assert list(claims()) == sorted(claims(), key=lambda name: int(name[1:]))
    for claim in claims().values():
        found = answer(claim, data)
        for one in found.findings:
            assert one.outcome != "missing" or one.command
            assert one.kind == "none" or one.outcome != "missing"
        for language in ("en", "zh"):
            assert claim.claim[language] in document.text(found, language)
        assert found.as_data()["verdict"] == found.verdict


def test_a_new_claim_needs_no_code(tmp_path: Path) -> None:
    both = {"en": "In 2025 a French model leads.", "zh": "2025 年法国模型领先。"}
    part = {
        "says": both,
        "predicate": "lead",
        "given": {
            "one": {"country": "FR"},
            "other": {"country": "US"},
            "begin": "2025-03-01",
            "end": "2025-12-31",
        },
    }
    raw = {"id": "F1", "claim": both, "sources": [{"title": both, "date": "2025-01"}], "parts": [part]}
    path = tmp_path / "french.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    assert answer(find_claim(str(path)), Data(folder=None)).verdict == "not supported"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sources": []}, "sources"),
        ({"claim": {"en": "x"}}, "claim.zh"),
        ({"parts": [{"says": {"en": "x", "zh": "x"}, "predicate": "leed"}]}, "did you mean 'lead'"),
        (
            {"parts": [{"says": {"en": "x", "zh": "x"}, "predicate": "lead", "given": {"won": {}}}]},
            "predicate lead",
        ),
        ({"shown": [{"kind": "gapp", "title": {"en": "x", "zh": "x"}}]}, "did you mean 'gap'"),
        ({"shown": [{"kind": "gap", "title": {"en": "x", "zh": "x"}, "given": {}}]}, "plot gap: one"),
    ],
)
def test_a_broken_claim_is_one_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    raw = yaml.safe_load((FOLDER / "C6.yaml").read_text(encoding="utf-8")) | change
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(said)) as error:
        answer(read_claim(path), Data(folder=None))
    assert "\n" not in str(error.value)


def test_tokenizer_counts_of_another_kind_or_none(tmp_path: Path) -> None:
    absent = Data(folder=None, tokenizers=tmp_path / "none.json")
    found = answer(find_claim("C11"), absent)
    assert [
        part.predicate
        for part, one in zip(found.claim.parts, found.findings, strict=True)
        if one.outcome == "missing"
    ] == ["tokens"]
    broken = tmp_path / "x.json"
    broken.write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="not what"):
        answer(find_claim("C11"), Data(folder=None, tokenizers=broken))


def test_predicates_are_all_used_by_a_claim() -> None:
    used = {part.predicate for claim in claims().values() for part in (*claim.parts, *claim.today)}
    assert set(PREDICATES) - used <= {
        "index",
        "needs_run",
    }  # these two wait for runs, and for a user's own claims
    assert all(isinstance(claim, Claim) for claim in claims().values())
