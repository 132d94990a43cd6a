"""A constant answer is told apart from knowledge: per cell, in every task form, and by the plan."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.runs import harness, results, write_config

from harness.evaluation.answer_checks import pick_rows
from harness.evaluation.picks import picks_of
from harness.evaluation.plan_keys import key_warnings
from harness.evaluation.plan_tasks import TaskPlan
from harness.results.sanity import sanity_lines
from harness.results.schema import ModelRow, Picks, Row
from harness.tasks.api import SampleMark
from harness.tasks.keys import option_labels, picked_labels, plain_label, right_labels


def marks(pairs: list[tuple[str | None, str]], metric: str = "acc") -> list[SampleMark]:
    """One document per (picked, right)."""
    return [
        SampleMark(
            doc_id=number,
            filter="none",
            prompt="",
            target=right,
            answer=pick or "",
            metrics={metric: float(pick == right)},
            keys=(str(number),),
            picks=(pick,) if pick is not None else (),
            right=(right,),
        )
        for number, (pick, right) in enumerate(pairs)
    ]


def found(pairs: list[tuple[str | None, str]], metric: str = "acc") -> tuple[Picks, list[str]]:
    picks = picks_of(metric, marks(pairs, metric))
    assert picks is not None
    value = sum(pick == right for pick, right in pairs) / len(pairs)
    row = Row(
        cell_id="c",
        model="m",
        task="zh_x",
        metric=metric,
        filter="none",
        value=value,
        n=len(pairs),
        picks=picks,
        status="ok",
    )
    rows = pick_rows([row], [ModelRow(model="m", id="m", status="ok")])
    return picks, [row.kind for row in rows]


KEYS = ["B"] * 21 + ["A"] * 7 + ["C"] * 6 + ["D"] * 6
"""The case that was seen: always B scores 0.525 of 40, guessing 0.250."""


def test_b_34_times_of_40_is_no_knowledge() -> None:
    given = ["B"] * 17 + ["A"] * 4 + ["B"] * 17 + ["C"] * 2
    picks, kinds = found(list(zip(given, KEYS, strict=True)))
    assert (picks.commonest, picks.given, picks.right) == ("B", 34, 21)
    assert (picks.constant, picks.constant_score) == ("B", 0.525)
    assert picks.keys == {"A": 7, "B": 21, "C": 6, "D": 6}
    assert kinds == ["constant_answers"]


def test_a_model_that_knows_is_not_suspected() -> None:
    wrong = {"A": "B", "B": "C", "C": "D", "D": "A"}
    pairs = [(key if number % 7 else wrong[key], key) for number, key in enumerate(KEYS)]
    assert found(list(pairs))[1] == []


def test_short_answers_and_yes_and_no_are_looked_at_too() -> None:
    numbers = [str(number) for number in range(12)] + ["0"] * 12
    assert found([("0", key) for key in numbers], "exact_match")[1] == ["constant_answers"]
    yes = ["yes"] * 10 + ["no"] * 14
    assert found([("yes", key) for key in yes])[1] == ["constant_answers"]


def test_answers_that_cannot_be_read_are_no_pick() -> None:
    picks, _ = found([(None, "A")] * 5 + [("B", "B")] * 10)
    assert (picks.commonest, picks.given, picks.of) == ("B", 10, 15)
    assert picks_of("acc", marks([(None, "A")] * 5)) is None
    assert picks_of("f1", marks([("A", "A")] * 5, "f1")) is None


def test_tasks_of_one_answer_share_a_line_others_have_their_own() -> None:
    rows = []
    for task, letter in (("zh_x", "B"), ("zh_y", "B"), ("zh_z", "C")):
        pairs = [(letter, "BCAD"[number % 4]) for number in range(40)]
        row = Row(
            cell_id=task,
            model="m",
            task=task,
            metric="acc",
            filter="none",
            value=0.25,
            n=40,
            picks=picks_of("acc", marks(list(pairs))),
            status="ok",
        )
        rows.append(row)
    lines = sanity_lines(pick_rows(rows, [ModelRow(model="m", id="m", status="ok")]))
    assert [line.tasks for line in lines] == [("zh_x", "zh_y"), ("zh_z",)]
    assert lines[0].text("en").startswith("80 of 80 answers are B, which is right for 20; the score 0.250")
    assert "一律回答 B 的 0.250" in lines[0].text("zh")
    random = [ModelRow(model="m", id="m", weights="random", status="ok")]
    assert pick_rows(rows, random) == []


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        (["one", "two", "three"], ("A", "B", "C")),
        ([" yes", " no"], ("yes", "no")),
        (["A", "B"], ("A", "B")),
    ],
)
def test_options_are_called_by_their_place_or_their_word(options: list[str], labels: tuple[str, ...]) -> None:
    assert option_labels(options) == labels


def test_labels_of_answers() -> None:
    assert [plain_label(text) for text in ("(b)", " B. ", "Yes", "42。")] == ["B", "B", "yes", "42"]
    assert picked_labels(["a", "bbbbbbbb"], [-2.0, -3.0]) == ("A", "B")
    assert picked_labels(["a"], [-2.0]) == ()
    config = SimpleNamespace(doc_to_choice="x")
    task = SimpleNamespace(config=config, doc_to_target=lambda doc: 1, doc_to_choice=lambda doc: ["x", "y"])
    assert right_labels(task, {}, choice=True) == ("B",)
    assert right_labels(task, {}, choice=False) == ("Y",)
    assert right_labels(SimpleNamespace(config=config), {}, choice=True) == ()


def plan_of(keys: dict[str, int], chance: float | None = 0.25) -> list[str]:
    task = TaskPlan(
        "zh_x", None, "zh", "choice", 0, sum(keys.values()), None, False, None, "", keys=keys, chance=chance
    )
    return key_warnings([task])


def test_the_plan_warns_of_one_sided_keys() -> None:
    assert "the right answer of all 24 questions is B" in plan_of({"B": 24})[0]
    assert "always saying B scores 0.525" in plan_of({"B": 21, "A": 7, "C": 6, "D": 6})[0]
    assert plan_of({"A": 12, "B": 10, "C": 9, "D": 9}) == []
    assert plan_of({"B": 5}) == []
    assert plan_of({"yes": 22, "no": 18}, 0.5) == []


def test_an_own_file_of_one_letter_from_plan_to_table(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {
            "question": f"第 {number} 题",
            "choices": [f"甲{number}", f"乙{number}", f"丙{number}"],
            "answer": "B",
        }
        for number in range(24)
    ]
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "own.jsonl").write_text("\n".join(lines), encoding="utf-8")
    models = [
        {"id": "mock/one", "engine": "mock"},
        {"id": "mock/two", "engine": "mock", "name": "two-chat", "chat_template": True},
    ]
    config = write_config(tmp_path, ["own.jsonl"], models)
    plan = harness("plan", config, cwd=tmp_path)
    assert "the right answer of all 24 questions is B" in plan.stderr
    assert "two-chat: asked through the chat template, one without" in plan.stderr

    done = harness("run", config, cwd=tmp_path)
    assert "B is right for 24 of 24 questions" in " ".join(done.stdout.split())
    (row, _) = results(tmp_path / "results" / "test")["rows"]
    assert row["picks"]["constant_score"] == 1.0
    assert sum(row["picks"]["answers"].values()) == 24
