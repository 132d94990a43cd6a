"""Frontiers of rating against parameters and FLOPs, and what published scores leave of an index."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from studies.test_studies import Made, board, model

from harness.analysis.index import load_weights
from harness.analysis.published import PublishedFigure
from harness.config.presets import preset_or_none, presets
from harness.errors import ConfigError
from harness.meter import work
from harness.published import rated_models
from harness.published.architectures import names, preset_of
from harness.studies.answer import answer
from harness.studies.board import BoardEntry, BoardSnapshot, Side
from harness.studies.claims import Shown, Text, find_claim
from harness.studies.data import Data
from harness.studies.exhibits import exhibit
from harness.studies.finding import say
from harness.studies.frontier import active, frontier, item_flops, quarterly
from harness.studies.predicates import ask_predicate
from harness.studies.scores import parts_of, published_index, questions

DAY = datetime.date(2025, 1, 1)
TITLE = Text(en="x", zh="x")


def snapshot(*rows: tuple[str, str | None, float, float]) -> BoardSnapshot:
    """Rows of (name, country, rating, half width)."""
    entries = [
        BoardEntry(name, rating, rating - half, rating + half, model(name, country))
        for name, country, rating, half in rows
    ]
    return BoardSnapshot(DAY, "name", "default", "full", tuple(sorted(entries, key=lambda one: -one.rating)))


def test_a_frontier_by_hand() -> None:
    costs = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 3.0}
    made = snapshot(
        ("a", "CN", 1000, 1),
        ("b", "US", 990, 1),
        ("c", "US", 1100, 1),
        ("d", "CN", 1090, 1),
        ("e", "CN", 1200, 1),
    )
    found = frontier(made, Side(open=True), lambda entry: costs.get(entry.name))
    assert [(entry.name, cost) for entry, cost in found.best] == [("a", 1.0), ("c", 3.0)]
    assert found.beaten == {"d": "c", "b": "a"}
    assert [entry.name for entry in found.without] == ["e"]
    assert dict(found.countries) == {"CN": 1, "US": 1}
    assert found.share("CN") == 0.5
    assert found.share_range("CN") == (0.5, 0.5)


def test_a_share_of_the_frontier_that_cannot_be_told() -> None:
    """One cost, ratings that may be either way round: the frontier is one model, of one country or
    the other.
    """
    even = frontier(snapshot(("a", "CN", 1000, 20), ("b", "US", 1000.5, 20)), Side(), lambda _: 1.0)
    assert (even.share("CN"), even.share_range("CN")) == (0.0, (0.0, 1.0))


def test_the_frontier_of_the_recorded_ratings_counted_again() -> None:
    """The slow way, model against model, from presets and ratings alone."""
    last = Data(folder=None).board.series()[-1]
    known = {
        one.name: (one.rating, preset)
        for one in last.entries
        if one.facts.open and (preset := preset_of(one.facts)) is not None
    }
    cost = {name: preset.active_parameters or 0 for name, (_, preset) in known.items()}
    best = {
        name
        for name, (rating, _) in known.items()
        if not any(
            r >= rating and cost[o] <= cost[name] and (r > rating or cost[o] < cost[name])
            for o, (r, _) in known.items()
        )
    }
    found = frontier(last, Side(open=True), active)
    assert {entry.name for entry, _ in found.best} == best
    assert len(found.rows) == len(known)
    shown = exhibit(Shown(kind="frontiers", title=TITLE), Data(folder=None))
    assert shown.rows[-1][0] == str(last.date)
    assert all(name in str(shown.rows[-1][3]) for name in best)
    assert "Chinese share" in [head.en for head in shown.headers]


def test_rated_models_find_the_architecture_they_have() -> None:
    rated = rated_models(None)
    facts = {
        name: preset_of(rated[name])
        for name in ("llama-3-70b-instruct", "deepseek-v3.1-thinking", "athene-v2-chat", "qwen3-30b-a3b")
    }
    assert [one.id if one else None for one in facts.values()] == [
        "meta-llama/Meta-Llama-3-70B-Instruct",
        "deepseek-ai/DeepSeek-V3.1",
        "Qwen/Qwen2.5-72B-Instruct",
        "Qwen/Qwen3-30B-A3B",
    ]
    assert [
        preset_of(rated[name])
        for name in ("llama-3.3-nemotron-49b-super-v1", "deepseek-v3.2", "gpt-4o-2024-05-13")
    ] == [None] * 3
    said = names()
    for name, hub in (said.renamed | said.modes).items():
        assert name in rated
        assert preset_or_none(hub) is not None, hub
    assert said.reshaped <= set(rated)
    assert len([one for one in presets().values() if one.arch is not None]) > 100


def test_active_parameters_and_flops_are_those_of_the_architecture() -> None:
    """gpt-oss-120b: 5.7 billion active with both embeddings (OpenAI counts 5.1, without the
    input's); a dense model's FLOPs by hand.
    """
    rated = rated_models(None)
    entry = BoardEntry("gpt-oss-120b", 0, None, None, rated["gpt-oss-120b"])
    embeddings = 201_088 * 2880 / 1e9
    assert (active(entry) or 0) - embeddings == pytest.approx(5.1, abs=0.05)
    dense = BoardEntry("llama-3.1-8b-instruct", 0, None, None, rated["llama-3.1-8b-instruct"])
    body, head, layers, width = 6_979_321_856, 128_256 * 4096, 32, 4096
    tokens = 1000 + 299
    by_hand = 2 * body * tokens + 2 * head * 300 + 4 * layers * width * (tokens * (tokens + 1) // 2)
    assert item_flops(1000, 300)(dense) == pytest.approx(by_hand / 1e12)
    arch = presets()["llama-3.1-8b-instruct"].arch
    assert arch is not None
    assert work.generation(arch, 1000, 300).flops == by_hand


def test_quarters_keep_their_last_snapshot_and_unknown_costs_are_named() -> None:
    made = board(
        ("2024-01-10", "cn-7b", 1000, 1), ("2024-03-10", "cn-7b", 1000, 1), ("2024-04-10", "us-70b", 1000, 1)
    )
    assert [str(one.date) for one in quarterly(made.series())] == ["2024-03-10", "2024-04-10"]
    shown = exhibit(Shown(kind="flops", title=TITLE), Made(made))
    assert not shown.points
    assert "us-70b" in " ".join(line.en for line in shown.lines)
    assert exhibit(Shown(kind="frontiers", title=TITLE), Made(made)).rows == ()
    assert exhibit(Shown(kind="flops", title=TITLE), Made(board())).rows == ()


def figure(task: str, value: float, year: int = 2024, **more: Any) -> PublishedFigure:
    given = {
        "model": "Org/A",
        "task": task,
        "value": value,
        "setting": "zero-shot",
        "source": "https://example.org",
    } | more
    return PublishedFigure(date=datetime.date(year, 1, 1), **given)


def test_an_index_from_published_scores_by_hand() -> None:
    """(knowledge (0.625 − 0.25)/0.75 = 50, maths 80, code 60, reasoning (80 + 40)/2 = 60) / 4 =
    62.5; the newest figure counts.
    """
    known = [
        figure("mmlu", 0.625),
        figure("mmlu", 0.3, 2023),
        figure("gsm8k", 0.8),
        figure("humaneval", 0.6),
        figure("arc_challenge", 0.85),
    ]
    lacking = published_index("org/a", "bilingual", "en", known)
    assert (lacking.value, lacking.missing) == (None, ("reasoning (hellaswag)",))
    whole = published_index("org/a", "bilingual", "en", [*known, figure("hellaswag", 0.55)])
    assert whole.value == pytest.approx(62.5)
    assert whole.parts == pytest.approx({"knowledge": 50, "maths": 80, "code": 60, "reasoning": 60})
    assert published_index("org/b", "bilingual", "en", known).parts == {}
    with pytest.raises(ConfigError, match="no language 'fr'"):
        parts_of("bilingual", "fr")
    tasks = {
        task
        for name in ("bilingual", "open-llm-v2")
        for part in load_weights(name).languages["en"].values()
        for task in part.tasks
    }
    assert set(questions()) <= tasks


@pytest.mark.parametrize(
    ("weights", "models", "lacks"),
    [
        (
            "open-llm-v2",
            ("Qwen/Qwen2-72B-Instruct", "meta-llama/Meta-Llama-3-70B-Instruct"),
            "leaderboard_bbh",
        ),
        ("bilingual", ("openai/gpt-oss-120b", "deepseek-ai/DeepSeek-R1-0528"), "gsm8k"),
    ],
)
def test_what_published_scores_lack_is_said_beside_what_was_not_run(
    weights: str, models: tuple[str, str], lacks: str
) -> None:
    given = {
        "weights": weights,
        "one": [models[0]],
        "other": [models[1]],
        "config": "configs/studies/open-models-2024.yaml",
    }
    finding = ask_predicate("index", given, Data(folder=None))
    assert finding.outcome == "missing"
    assert finding.command is not None
    assert finding.why is not None
    for language in ("en", "zh"):
        assert lacks in finding.why[language]


def test_no_cell_says_that_there_is_no_score_where_the_leaderboard_has_one() -> None:
    """All 24 of C1: four models, six parts, as the Open LLM Leaderboard 2 measured them; and
    Llama's own card beside its rival's.
    """
    shown = answer(find_claim("C1"), Data(folder=None)).exhibits[-1]
    assert shown.kind == "scores"
    assert all(str(row[5]).startswith("https://") for row in shown.rows)
    assert not [row for row in shown.rows if row[4] == say("not_published")]
    assert sum("Open LLM Leaderboard 2" in str(row[4]) for row in shown.rows) == 24
    assert any(row[0] == "Meta-Llama-3-70B-Instruct" and "Meta's own" in str(row[4]) for row in shown.rows)
    assert "36.2 (2024-07-13)" in shown.lines[0].en
