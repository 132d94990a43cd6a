"""The predicates of likes and downloads on lists made by hand: three outcomes, what is missing,
what a user's snapshot changes.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.hub import Hub, model

from harness.adoption import HubModel, Snapshot
from harness.adoption.client import HubClient, Manners
from harness.adoption.snapshot import Query, take
from harness.errors import ConfigError
from harness.studies.data import Data
from harness.studies.finding import StatementFinding
from harness.studies.predicates import ask_predicate


@dataclass(frozen=True)
class Made(Data):
    """Lists made by hand instead of the packaged ones."""

    lists: list[Snapshot] = field(default_factory=list)

    @property
    def adoption(self) -> list[Snapshot]:
        return self.lists


def listed(day: str, *rows: tuple[str, int, int], selection: str = "top300", exact: bool = True) -> Snapshot:
    made = tuple(
        HubModel(name, likes, loads, pipeline="text-generation", exact=exact) for name, likes, loads in rows
    )
    return Snapshot(datetime.date.fromisoformat(day), "x", selection, made)


def asked(predicate: str, *lists: Snapshot, **given: Any) -> StatementFinding:
    return ask_predicate(predicate, given, Made(lists=list(lists)))


@pytest.mark.parametrize(
    ("cn", "us", "open_", "outcome"),
    [
        (100, 50, 49, "holds"),
        (100, 50, 50, "unclear"),  # could be equal
        (100, 50, 60, "unclear"),
        (50, 100, 60, "unclear"),
        (50, 100, 49, "fails"),
        (50, 50, 0, "unclear"),
    ],
)
def test_downloads_whoever_the_unlisted_are(cn: int, us: int, open_: int, outcome: str) -> None:
    one = listed("2026-01-01", ("Qwen/a", 0, cn), ("openai/b", 0, us), ("nobody-knows/c", 0, open_))
    found = asked("downloads", one, one="CN", other="US")
    assert (found.outcome, found.kind) == (outcome, "published")
    assert (found.why is not None) == (outcome == "unclear")
    assert "denominator decides" in found.measured.en
    assert "分母决定结论" in found.measured.zh


def test_downloads_of_no_list_or_one_that_is_not_wide() -> None:
    some = listed("2026-01-01", ("Qwen/a", 0, 5), selection="organizations")
    for lists in ([], [some]):
        found = asked("downloads", *lists, one="CN", other="US")
        assert (found.outcome, found.kind, found.command) == ("missing", "none", "harness adoption snapshot")


def test_the_last_wide_list_up_to_a_day() -> None:
    lists = [listed("2026-01-01", ("Qwen/a", 0, 9)), listed("2026-02-01", ("openai/b", 0, 9))]
    assert asked("downloads", *lists, one="CN", other="US").outcome == "fails"
    assert asked("downloads", *lists, one="CN", other="US", date="2026-01-31").outcome == "holds"


def test_likes_take_the_last_exact_figure() -> None:
    """A later figure that was rounded does not hide the exact one before it."""
    span = {"begin": "2026-01-01", "end": "2026-01-31"}
    lists = [
        listed("2026-01-01", ("Qwen/a", 90, 0), ("openai/b", 50, 0)),
        listed("2026-01-10", ("Qwen/a", 101, 0)),
        listed("2026-01-20", ("Qwen/a", 80, 0), exact=False),
        listed("2026-02-20", ("Qwen/a", 10, 0), ("openai/b", 50, 0)),
    ]
    found = asked("most_liked", *lists, one="Qwen", other="openai", times=2, **span)
    assert (found.outcome, found.figures["one"], found.figures["other"]) == ("holds", 101, 50)
    today = asked("most_liked", *lists, one="Qwen", other="openai", times=2)
    assert "On 2026-02-20: Qwen/a has 10 likes and openai/b 50, a ratio of 0.20" in today.measured.en
    assert (today.outcome, today.figures["date"]) == ("fails", "2026-02-20")
    assert asked("most_liked", *lists, one="Qwen", other="openai", times=2.1, **span).outcome == "fails"
    rank = asked("liked_rank", *lists, organization="openai", rank=2, **span)
    assert (rank.outcome, rank.figures["rank"]) == ("holds", 2)
    assert "is number 1 of 2" in asked("liked_rank", *lists, organization="openai", rank=1).measured.en
    assert asked("liked_rank", *lists, organization="openai", rank=1, **span).outcome == "fails"


def test_an_organisation_on_no_list_names_the_command() -> None:
    span = {"begin": "2026-01-01", "end": "2026-01-31"}
    one = listed("2026-01-01", ("Qwen/a", 90, 0))
    found = asked("most_liked", one, one="Qwen", other="openai", **span)
    assert (found.outcome, found.command) == ("missing", "harness adoption snapshot --org openai")
    found = asked("liked_rank", one, organization="meta-llama", rank=1, **span)
    assert (found.outcome, found.command) == ("missing", "harness adoption snapshot --org meta-llama")


@pytest.mark.parametrize(("times", "outcome"), [(2.0, "holds"), (2.03, "unclear"), (2.06, "fails")])
def test_printed_figures_are_as_sure_as_their_rounding(times: float, outcome: str) -> None:
    """12,800 and 6,300, rounded to hundreds: 2.008 to 2.056 times."""
    keys = {
        "one": "c9-deepseek-r1-2025-10-likes",
        "other": "c9-meta-llama-3-8b-2025-10-likes",
        "times": times,
    }
    assert ask_predicate("printed", keys, Data(folder=None)).outcome == outcome


@pytest.mark.parametrize(
    ("one", "said"),
    [("c9-nothing", "unknown published figure"), ("c12-china-over-usa-2025-when", "is a date")],
)
def test_a_figure_that_cannot_be_asked(one: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ask_predicate("printed", {"one": one, "other": one}, Data(folder=None))


def test_a_snapshot_of_one_s_own_is_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `harness adoption snapshot` keeps is the newest wide list of the studies."""
    monkeypatch.chdir(tmp_path)
    before = Data(folder=tmp_path).adoption
    with (
        Hub([model("openai/x", 5, 90), model("Qwen/y", 4, 10)]) as hub,
        HubClient(hub.url, manners=Manners(pause=0)) as client,
    ):
        take(client, Query(top=5), tmp_path / "results" / "adoption" / "hub.jsonl")
    after = Data(folder=tmp_path)
    assert len(after.adoption) == len(before) + 1
    assert len(Data(folder=None).adoption) == len(before)
    found = ask_predicate("downloads", {"one": "CN", "other": "US"}, after)
    assert found.outcome == "fails"
    assert "the hub's 5 most liked and 5 most downloaded models" in found.measured.en


@pytest.mark.parametrize("name", ["C9", "C12"])
def test_every_list_and_figure_shown_says_where_it_was_read(name: str) -> None:
    """In both languages, no text of the source tables is left in English on the Chinese page but
    names and addresses.
    """
    from harness.adoption.published import figures, list_sources
    from harness.studies.answer import answer
    from harness.studies.claims import find_claim
    from harness.texts import catalogue

    found = answer(find_claim(name), Data(folder=None))
    for one in found.exhibits:
        if one.kind in ("downloads", "liked", "likes"):
            assert any("https://github.com/" in line.en for line in one.lines), one.title.en
    for figure in figures().values():
        assert figure.what in catalogue("adoption")
        assert figure.kind in catalogue("adoption")
    assert all(source.title in catalogue("adoption") for source in list_sources().values())
