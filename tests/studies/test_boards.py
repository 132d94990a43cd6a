"""Boards: methods are never mixed, what has no interval is never sure, and the newest board is
today's.
"""

from __future__ import annotations

import dataclasses
import datetime
import math

import pytest
from studies.test_studies import MODELS, Made

from harness.errors import ConfigError
from harness.published import PublishedRating
from harness.published.ratings import METHODS, RatingMethod
from harness.published.scoreboards import analysed, open_llm
from harness.studies import gap
from harness.studies.board import Board, BoardEntry, BoardSnapshot, Side
from harness.studies.data import Data
from harness.studies.exhibits import exhibit
from harness.studies.predicates import ask_predicate
from harness.studies.scoreboards import NAMES, half_width, scoreboard

CN, US = Side(country="CN"), Side(country="US")
PAIR = {"one": {"country": "CN"}, "other": {"country": "US"}}


def rated(
    day: str, name: str, value: float, half: float | None, method: RatingMethod, style: str = "default"
) -> PublishedRating:
    low, high = (value - half, value + half) if half is not None else (None, None)
    date = datetime.date.fromisoformat(day)
    return PublishedRating(date, "lmarena-text", "full", style, name, value, low, high, "name", method)


def board(method: RatingMethod, half: float | None, *days: str, gap_of: float = 100) -> list[PublishedRating]:
    return [
        one
        for day in days
        for one in (
            rated(day, "cn-7b", 1000 + gap_of, half, method),
            rated(day, "us-70b", 1000, half, method),
        )
    ]


def test_a_series_has_one_method_and_the_default_is_bradley_terry() -> None:
    data = Data(folder=None)
    for method in METHODS:
        assert {one.method for one in data.board.series(method=method)} <= {method}
    assert {one.method for one in data.board.series()} == {"bradley-terry"}
    assert min(one.date for one in data.board.series()) == datetime.date(2023, 12, 6)
    early = [one for one in data.board.snapshots if one.date < datetime.date(2023, 12, 6)]
    assert {one.method for one in early} == {"online-elo", "elo-bootstrap-median"}
    assert not any(entry.low for one in early for entry in one.entries)


def test_methods_cannot_stand_in_one_window() -> None:
    made = Board.of(
        [*board("online-elo", None, "2024-01-10"), *board("bradley-terry", 5, "2024-02-10")], MODELS
    )
    with pytest.raises(ConfigError, match="never compared in one window"):
        gap.leads(made.snapshots, CN, US)
    given = PAIR | {
        "early": {"begin": "2024-01-01", "end": "2024-01-31", "method": "online-elo"},
        "late": {"begin": "2024-02-01", "end": "2024-02-28"},
    }
    with pytest.raises(ConfigError, match=r"online-elo.*bradley-terry|bradley-terry.*online-elo"):
        ask_predicate("narrowed", given, Made(made))
    styled = Board.of(
        [
            rated("2024-01-10", "cn-7b", 1, 1, "bradley-terry"),
            rated("2024-02-10", "cn-7b", 1, 1, "bradley-terry", "style_control"),
        ],
        MODELS,
    )
    with pytest.raises(ConfigError, match="style_control"):
        gap.leads(styled.snapshots, CN, US)


def test_online_elo_is_never_sure() -> None:
    """A lead of 100 points says nothing, neither as a lead nor as a share nor as a lag."""
    data = Made(Board.of(board("online-elo", None, "2024-01-10", "2024-02-10"), MODELS))
    given = {"begin": "2024-01-01", "end": "2024-12-31", "method": "online-elo"}
    found = ask_predicate("lead", PAIR | given, data)
    assert found.outcome == "unclear"
    assert "no error can be given" in found.measured.en
    leads = gap.leads(data.board.series(method="online-elo"), CN, US)
    assert [one.sure for one in leads] == [0, 0]
    assert [one.sign for one in leads] == [1, 1]
    with pytest.raises(ConfigError, match="no known error"):
        ask_predicate("share", given | {"side": {}, "country": "CN", "top": 1, "least": 1}, data)


@pytest.mark.parametrize(
    ("method", "day", "margin"),
    [
        ("elo-bootstrap-median", "2023-09-01", 20),
        ("bradley-terry", "2023-12-20", 20),
        ("bradley-terry", "2024-04-03", 8),
    ],
)
def test_without_an_interval_one_is_assumed_and_said(method: RatingMethod, day: str, margin: float) -> None:
    data = Made(Board.of(board(method, None, day, gap_of=margin + 1), MODELS))
    given = PAIR | {"begin": "2023-01-01", "end": "2024-12-31", "method": method}
    found = ask_predicate("lead", given, data)
    assert (found.outcome, f"±{margin} points assumed" in found.measured.en) == ("holds", True)
    data = Made(Board.of(board(method, None, day, gap_of=margin - 1), MODELS))
    assert ask_predicate("lead", given, data).outcome == "unclear"


def test_where_intervals_are_from_is_said_of_all_snapshots_and_not_of_the_last() -> None:
    rows = [
        *board("bradley-terry", None, "2024-04-10", "2024-05-10"),
        *board("bradley-terry", 5, "2024-06-10"),
    ]
    found = ask_predicate(
        "lead", PAIR | {"begin": "2024-01-01", "end": "2024-12-31"}, Made(Board.of(rows, MODELS))
    )
    assert (
        "published 95 % intervals for 1 of 3 snapshots; ±8 points assumed for the others" in found.measured.en
    )


def test_where_a_limit_decides_the_range_of_limits_is_said() -> None:
    def asked(predicate: str, value: float, **more: object) -> tuple[str, str]:
        data = Made(Board.of(board("bradley-terry", 5 / math.sqrt(2), "2024-07-10", gap_of=value), MODELS))
        found = ask_predicate(predicate, PAIR | {"begin": "2024-01-01", "end": "2024-12-31", **more}, data)
        return found.outcome, found.limits.en if found.limits else ""

    outcome, said = asked("close", -47, points=50)
    assert outcome == "unclear"
    assert "every limit of 52 points or more" in said
    assert "fails for limits below 42 points" in said
    assert asked("close", -47, wins=40)[0] == "holds"  # 40 % of the votes are 70 points
    assert asked("close", -80, wins=40)[0] == "fails"
    assert "up to 15 points" in asked("lead", 20)[1]
    assert "up to" in asked("lag", -100, months=12)[1]
    with pytest.raises(ConfigError, match="points or wins"):
        asked("close", -47)


def test_the_newest_snapshot_that_has_both_sides_is_todays() -> None:
    data = Data(folder=None)
    given = {"style": "style_control", "newest": 1}
    everyone = ask_predicate("lead", PAIR | given, data)
    assert "2026-08-20" in everyone.measured.en
    opened = ask_predicate("lead", {side: {**PAIR[side], "open": True} for side in PAIR} | given, data)
    assert (
        "2026-07-27" in opened.measured.en
    )  # the boards of August list thirty models, no American open one among them
    with pytest.raises(ConfigError, match="begin and end, or newest"):
        ask_predicate("lead", PAIR, data)


def test_versions_of_an_index_are_boards_of_their_own() -> None:
    for name in NAMES[1:]:
        version = name.rpartition("-v")[2]
        days = {row.date for row in analysed() if row.version == version}
        assert {one.date for one in scoreboard(name).snapshots} == days
    with pytest.raises(ConfigError, match="unknown board 'artificial-analysis'"):
        ask_predicate("lead", PAIR | {"board": "artificial-analysis", "newest": 1}, Data(folder=None))
    given = PAIR | {"early": {"board": NAMES[1], "newest": 1}, "late": {"board": NAMES[2], "newest": 1}}
    with pytest.raises(ConfigError, match="never compared"):
        ask_predicate("narrowed", given, Data(folder=None))


def test_the_index_of_version_2_2_is_the_plain_mean_of_its_parts() -> None:
    rows = [
        row
        for row in analysed()
        if row.version == "2.2" and row.recomputed is not None and row.index is not None
    ]
    assert len(rows) > 150
    assert max(abs((row.recomputed or 0) - (row.index or 0)) for row in rows) <= 1


def test_the_error_of_a_leaderboard_average_by_hand() -> None:
    """Qwen2-72B-Instruct, 2024-07-13: six binomial errors, each over its items and its chance,
    their root mean square over six.
    """
    row = next(
        one
        for one in open_llm()
        if one.model == "Qwen/Qwen2-72B-Instruct" and one.date == datetime.date(2024, 7, 13)
    )
    shares = {
        "ifeval": (0.80, 541, 0),
        "bbh": (0.70, 5761, 0.3),
        "math": (0.35, 1324, 0),
        "gpqa": (0.37, 1192, 0.25),
        "musr": (0.46, 756, 0.35),
        "mmlu_pro": (0.54, 12032, 0.1),
    }
    assert row.raw == tuple(p for p, *_ in shares.values())
    by_hand = (
        1.959964 * math.sqrt(sum(1e4 * p * (1 - p) / n / (1 - b) ** 2 for p, n, b in shares.values())) / 6
    )
    assert half_width(row) == pytest.approx(by_hand, rel=1e-5)
    assert 1 < by_hand < 2


def test_only_models_released_by_a_day() -> None:
    given = {
        "board": "open-llm-leaderboard-2",
        "begin": "2025-03-21",
        "end": "2025-03-21",
        "one": {"country": "CN", "official": True},
    }
    early = ask_predicate(
        "lead",
        given | {"other": {"country": "US", "official": True}, "released_by": "2024-03-31"},
        Data(folder=None),
    )
    late = ask_predicate("lead", given | {"other": {"country": "US", "official": True}}, Data(folder=None))
    assert "deepseek-llm-67b" in early.measured.en
    assert "Qwen2.5-72B" in late.measured.en


def test_old_elo_boards_are_shown_without_changes_of_the_lead() -> None:
    from harness.studies.claims import Shown, Text

    title = Text(en="x", zh="x")
    shown = exhibit(
        Shown(kind="gap", title=title, given=PAIR | {"method": "elo-bootstrap-median"}), Data(folder=None)
    )
    assert [str(row[0])[:4] for row in shown.rows] == ["2023"] * 3
    assert not any("changed hands" in line.en for line in shown.lines)
    assert [head.en for head in shown.headers][1] == "best Chinese model"


def test_an_estimated_index_is_no_measurement() -> None:
    estimated = {(row.date, row.model) for row in analysed() if row.estimated}
    assert len(estimated) > 900
    measured = {(row.date, row.model) for row in analysed() if not row.estimated}
    for name in NAMES[1:]:
        found = {(one.date, entry.name) for one in scoreboard(name).snapshots for entry in one.entries}
        assert found <= measured


def test_small_models_that_gained_more_by_hand() -> None:
    """Small: −50 to +10, all: −20 to −10.

    The small ones gained 50 points more, ± √(4·5²) with intervals of ±5 on every difference.
    """
    half = 5 / math.sqrt(2)
    rows = []
    for day, small, large in (("2024-01-10", 950, 1280), ("2025-01-10", 1010, 1290)):
        values = {"cn-7b": small, "us-8b": 1000, "cn-big": large, "us-70b": 1300}
        rows += [rated(day, name, value, half, "bradley-terry") for name, value in values.items()]
    models = {name: facts for name, facts in MODELS.items() if name in ("cn-7b", "us-70b", "us-8b")}
    models["cn-big"] = dataclasses.replace(models["cn-7b"], name="cn-big")
    spans = {
        "early": {"begin": "2024-01-01", "end": "2024-12-31"},
        "late": {"begin": "2025-01-01", "end": "2025-12-31"},
    }
    sides = [{"country": "CN"}, {"country": "US"}]
    given = spans | {"small": [side | {"at_most": 10} for side in sides], "all": sides}
    found = ask_predicate("gained", given, Made(Board.of(rows, models)))
    assert found.outcome == "holds"
    assert found.figures["small"] == 60
    assert found.figures["all"] == 10
    assert [found.figures["difference"], *found.figures["range"]] == pytest.approx([50, 40, 60])


def test_who_is_on_a_board_is_counted() -> None:
    rows = [
        rated("2024-03-29", name, value, 5, "bradley-terry")
        for name, value in (("us-70b", 3), ("cn-7b", 2), ("fr", 1))
    ]
    data = Made(Board.of(rows, MODELS))
    span = {"begin": "2024-01-01", "end": "2024-12-31", "country": "CN"}
    asked = [
        ask_predicate("present", span | limit, data)
        for limit in ({"at_most": 0}, {"at_most": 0.4}, {"at_least": 0.5})
    ]
    assert [one.outcome for one in asked] == ["fails", "holds", "fails"]
    assert "1 of 3 models are Chinese" in asked[0].measured.en
    assert "cn-7b, number 2 of the whole board" in asked[0].measured.en


def test_who_is_first_of_all() -> None:
    rows = [
        rated("2024-03-29", name, value, 5, "bradley-terry")
        for name, value in (("cn-7b", 1020), ("us-70b", 1000), ("fr", 990))
    ]
    data = Made(Board.of(rows, MODELS))
    given = {"begin": "2024-01-01", "end": "2024-12-31", "among": {}}
    asked = [
        ask_predicate("top", given | {"one": {"country": country}}, data) for country in ("CN", "US", "FR")
    ]
    assert [one.outcome for one in asked] == ["holds", "fails", "fails"]


class Priced(Data):
    """A board of eight Chinese models at a dollar and one American rival, made by hand."""

    def __init__(self, rival: BoardEntry) -> None:
        super().__init__(folder=None)
        ours = [
            BoardEntry(f"cn-{k}", 1000 + k, 999 + k, 1001 + k, MODELS["cn-7b"], price=1.0) for k in range(8)
        ]
        entries = tuple(sorted([*ours, rival], key=lambda one: -one.rating))
        self.__dict__["made"] = Board(
            (BoardSnapshot(datetime.date(2024, 7, 1), "s", "default", "full", entries, "score", "x"),)
        )

    def board_of(self, name: str) -> Board:
        made: Board = self.__dict__["made"]
        return made


@pytest.mark.parametrize(
    ("rating", "price", "outcome", "free"),
    [(900, 0.5, "holds", 8), (1200, 0.5, "fails", 0), (1200, 1.5, "holds", 8)],
)
def test_cheaper_counts_who_is_beaten_by_nobody_at_its_price(
    rating: float, price: float, outcome: str, free: int
) -> None:
    span = {
        "board": "x",
        "begin": "2024-01-01",
        "end": "2024-12-31",
        "one": {"country": "CN"},
        "other": {"country": "US"},
    }
    found = ask_predicate(
        "cheaper",
        span,
        Priced(BoardEntry("us", rating, rating - 1, rating + 1, MODELS["us-70b"], price=price)),
    )
    assert (found.outcome, len(found.figures["unbeaten"])) == (outcome, free)
