"""The verdicts' figures counted again from the boards' own files, by other code (recount.py) and
with other libraries.
"""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from studies.recount import BOARDS, best, gaps, mask, middle, needs_boards, votes, window

from harness.studies.answer import ClaimAnswer, answer
from harness.studies.claims import find_claim
from harness.studies.data import Data

CN: dict[str, object] = {"country": "CN"}
US: dict[str, object] = {"country": "US"}
OPEN_CN, OPEN_US = CN | {"open": True}, US | {"open": True}


@pytest.fixture(autouse=True)
def _files() -> None:
    needs_boards()


def asked(name: str) -> ClaimAnswer:
    return answer(find_claim(name), Data(folder=None))


def figures(made: ClaimAnswer, place: int) -> list[float]:
    found = made.findings[place].figures
    return [found["median"], *found["ci95"]]


def test_c1() -> None:
    made = asked("C1")
    found = gaps(window("2024-07-01", "2024-07-25"), {"maker": "01 AI"}, US)
    assert figures(made, 0) == pytest.approx(middle(found))
    assert 100 / (1 + 10 ** (-middle(found)[1] / 400)) > 40
    day = window("2024-07-24", "2024-07-24")[0].sort_values("rating", ascending=False)
    assert list(day["key"]).index("yi-large-preview") + 1 == made.findings[0].figures["rank"] == 11

    board = pd.read_csv(BOARDS / "open-llm-leaderboard-2.csv")
    first = board[(board["date"] == "2024-07-13") & (board["official"] == "yes")].nlargest(2, "average")
    assert list(first["model"]) == ["Qwen/Qwen2-72B-Instruct", "meta-llama/Meta-Llama-3-70B-Instruct"]
    assert list(first["average"]) == [42.49, 36.18]
    value, low, _ = made.findings[1].figures["2024-07-13"]
    assert value == pytest.approx(42.49 - 36.18)
    assert low > 0
    assert made.verdict == "supported"


def test_c2() -> None:
    made = asked("C2")
    spans = [
        (CN, US, ("2023-06-01", "2023-08-31"), ("2023-11-01", "2023-11-30"), "Elo, bootstrap median"),
        (CN, US, ("2023-12-01", "2024-02-29"), ("2024-06-01", "2024-07-31"), "MLE"),
    ]
    for place, (one, other, early, late, method) in enumerate(spans):
        ends = [
            middle(gaps(window(*span, method=method), one, other, 20.0 if span[0] < "2024-03-27" else 8.0))[0]
            for span in (early, late)
        ]
        got = made.findings[place].figures
        assert [got["early"], got["late"]] == pytest.approx(ends)
        assert ends[1] - ends[0] > 60
    mid = gaps(window("2024-04-18", "2024-07-10"), OPEN_US, OPEN_CN)
    assert figures(made, 2) == pytest.approx(middle(mid))
    plain = gaps(window("2025-01-01", "2025-12-31"), OPEN_CN, OPEN_US)
    assert figures(made, 3) == pytest.approx(middle(plain))
    assert min(value for value, *_ in plain) > 0
    styled = gaps(window("2025-01-01", "2025-12-31", style="style control"), OPEN_CN, OPEN_US)
    assert figures(made, 4) == pytest.approx(middle(styled))
    assert made.verdict == "supported"


def test_when_the_lead_among_open_models_changed_hands() -> None:
    """To the United States between 13 and 18 April 2024, to China between 20 and 31 December 2024,
    and never back in 2025.
    """
    signs = [
        (str(frame["date"].iloc[0]), value > 0)
        for frame in window("2024-03-27", "2025-12-31")
        for value, *_ in gaps([frame], OPEN_CN, OPEN_US)
        if not (
            "2024-07-15" < str(frame["date"].iloc[0]) < "2024-08-02"
        )  # DeepSeek-V2-0628 ties with Gemma 2 for a week
    ]
    changes = [(before, day, now) for (before, was), (day, now) in pairwise(signs) if was != now]
    assert [(now, before >= low, day <= high) for (before, day, now), (low, high) in zip(
        changes, [("2024-04-13", "2024-04-18"), ("2024-12-20", "2024-12-31")], strict=True
    )] == [(False, True, True), (True, True, True)]  # fmt: skip


def test_c6() -> None:
    """The first American model rated no lower than the best Chinese one, by release dates typed
    here.
    """
    day = window("2024-03-29", "2024-03-29")[0]
    mine = best(day, mask(day, CN))
    assert mine["key"] == "qwen1.5-72b-chat"
    rivals = set(day[mask(day, US) & (day["rating"] >= mine["rating"])]["key"])
    assert "gpt-4-0314" in rivals
    assert not rivals & {
        "gpt-3.5-turbo-0613",
        "gpt-3.5-turbo-0314",
        "claude-1",
    }  # released as early or earlier, and rated lower
    gpt4, qwen = datetime.date(2023, 3, 14), datetime.date(2024, 2, 5)
    made = asked("C6")
    month = 365.25 / 12
    ends = [(datetime.date(2024, 3, one) - gpt4).days / month for one in (27, 29)]
    assert made.findings[0].figures["months"] == pytest.approx(np.median(ends))
    assert made.findings[1].figures["months"] == pytest.approx((qwen - gpt4).days / month)
    assert [one.outcome for one in made.findings] == ["holds", "fails"]
    assert made.verdict == "partly supported"


def test_c7() -> None:
    made = asked("C7")
    rows = votes()
    named = rows["key"].str.lower().str.extract(r"(?<![\dx.ae])(\d+(?:\.\d+)?)b(?![a-z])")[0].astype(float)
    partly = rows["key"].str.lower().str.contains(r"\d+e(?![a-z0-9])|(?<![a-z])e\d+b")
    small = set(rows[(named <= 35) & ~partly]["key"])
    changes = []
    for sides in ((OPEN_CN | {"key": small}, OPEN_US | {"key": small}), (OPEN_CN, OPEN_US)):
        early, late = (
            middle(gaps(window(*span), *sides))[0]
            for span in (("2024-03-27", "2024-04-17"), ("2025-11-01", "2025-12-31"))
        )
        changes.append(late - early)
    got = made.findings[0].figures
    assert [got["small"], got["all"]] == pytest.approx(changes)
    assert changes[0] < changes[1]

    board = pd.read_csv(BOARDS / "open-llm-leaderboard-2.csv", parse_dates=["upload_date"])
    last = board[(board["date"] == "2025-03-21") & (board["official"] == "yes")]
    tested = []
    for cap in (35.0, 1e9):
        chosen = last[(last["params_b"] > 0) & (last["params_b"] <= cap)] if cap < 1e9 else last
        ends = []
        for until in ("2024-03-31", "2025-03-21"):
            out = chosen[chosen["upload_date"] <= until].groupby("region")["average"].max()
            ends.append(out["china"] - out["us"])
        tested.append(ends[1] - ends[0])
    assert made.findings[1].figures["difference"] == pytest.approx(tested[0] - tested[1])

    both = last[last["region"].isin(["china", "us"]) & (last["params_b"] > 0)]
    import statsmodels.api as sm

    x = np.column_stack([np.ones(len(both)), np.log2(both["params_b"]), both["region"] == "china"]).astype(
        float
    )
    groups = pd.factorize(both["model"].str.split("/").str[0])[0]
    fit = sm.OLS(both["average"].to_numpy(), x).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "df_correction": True}, use_t=True
    )
    ours = made.findings[2].figures
    assert ours["models"] - len(both) in (
        0,
        1,
        2,
    )  # two whose size the board does not say, and their names do
    assert [ours["points"], *ours["ci95"]] == pytest.approx([fit.params[2], *fit.conf_int()[2]], abs=0.5)
    assert made.verdict == "partly supported"


def test_c8() -> None:
    made = asked("C8")
    october = window("2025-10-01", "2025-10-31", style="style control")
    cases: list[tuple[list[Any], dict[str, object], dict[str, object]]] = [
        (window("2024-10-01", "2024-10-31"), OPEN_US, OPEN_CN),
        (october, OPEN_CN, OPEN_US),
        (october, {"open": True, "maker": "Alibaba"}, {"open": True, "maker": {"OpenAI", "Meta"}}),
        (
            window("2024-11-01", "2024-11-30"),
            {"open": True, "maker": "Meta"},
            {"open": True, "maker": {"DeepSeek", "DeepSeek AI"}},
        ),
        (
            window("2025-01-01", "2025-01-31"),
            {"open": True, "maker": {"DeepSeek", "DeepSeek AI"}},
            {"open": True, "maker": "Meta"},
        ),
    ]
    for place, (frames, one, other) in zip((0, 1, 3, 4, 5), cases, strict=True):
        found = gaps(frames, one, other)
        assert figures(made, place) == pytest.approx(middle(found)), place
        assert min(value for value, *_ in found) > 0
    for frame in october:
        top = frame[frame["open"]].sort_values("rating", ascending=False)["country"].head(20)
        assert set(top) == {"CN"}
    assert made.verdict == "supported"


def test_c10() -> None:
    board = pd.read_csv(BOARDS / "artificial-analysis.csv")
    parts = ["mmlu_pro", "gpqa", "hle", "livecodebench", "scicode", "ifbench", "aime_2025", "aa_lcr"]
    found = {}
    for day in ("2025-08-05", "2025-08-13", "2025-08-14"):
        rows = board[board["date"] == day]
        pair = [
            rows[rows["model"].str.lower().str.startswith(name)].iloc[0]
            for name in ("gpt-oss-120b", "deepseek r1 0528")
        ]
        found[day] = [float(one["intelligence_index"]) for one in pair]
        if day != "2025-08-05":
            assert [100 * float(one[parts].astype(float).mean()) for one in pair] == pytest.approx(
                [61.4, 58.8], abs=0.1
            )
    assert found == {"2025-08-05": [58, 59], "2025-08-13": [61, 59], "2025-08-14": [61, 59]}
    made = asked("C10")
    assert figures(made, 0) == pytest.approx([2, 2 - 2**0.5, 2 + 2**0.5])
    assert made.verdict == "supported"
    assert "58" in made.claim.notes[0].en


def test_today_is_the_newest_board() -> None:
    frames = window("2026-01-01", "2026-12-31", style="style control")
    last = [frame for frame in frames if len(frame) > 100][-1]
    found = gaps([last], OPEN_CN, OPEN_US)[0]
    made = asked("C2")
    assert made.today[0].figures["median"] == pytest.approx(found[0])
    newest = gaps([frames[-1]], CN, US)[0]
    assert str(frames[-1]["date"].iloc[0]) == "2026-08-20"
    assert made.today[1].figures["median"] == pytest.approx(newest[0])
