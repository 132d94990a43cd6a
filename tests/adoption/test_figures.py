"""Shares, concentration and most-liked models on lists small enough to count by hand; the packaged
facts.
"""

from __future__ import annotations

import datetime
import math
from pathlib import Path

import pytest

from harness.adoption import HubModel
from harness.adoption.figures import DENOMINATORS, counts, hhi, most_liked, reupload, share
from harness.adoption.organizations import PLACES, organizations
from harness.adoption.published import PublishedCount, figures, list_sources, packaged
from harness.adoption.rows import LANGUAGE
from harness.errors import DataError

KNOWN = organizations()


def row(
    model: str,
    likes: int = 0,
    downloads: int | None = 0,
    pipeline: str | None = "text-generation",
    **more: object,
) -> HubModel:
    return HubModel(model, likes, downloads, pipeline=pipeline, **more)  # type: ignore[arg-type]


ROWS = [
    row("Qwen/Qwen3-8B", 10, 600),
    row("Qwen/Qwen3-VL", 30, 100, "image-text-to-text"),
    row("openai/gpt-oss-20b", 20, 200),
    row("nobody-knows/gpt-oss-20b-GGUF", 1, 50),
    row("mistralai/Mistral", 2, 50),
    row("facebook/wav2vec", 9, 1000, "automatic-speech-recognition"),
    row("openai/without", 5, None),
]


@pytest.mark.parametrize(
    ("name", "total", "models", "cn", "us", "open_"),
    [
        ("all", 2000, 6, 700, 1200, 50),
        ("language", 1000, 5, 700, 200, 50),
        ("text", 900, 4, 600, 200, 50),
        ("first_party", 950, 4, 700, 200, 0),
        ("no_reuploads", 950, 4, 700, 200, 0),
    ],
)
def test_shares_under_each_denominator(
    name: str, total: int, models: int, cn: int, us: int, open_: int
) -> None:
    found = share(ROWS, "downloads_30d", name, KNOWN)
    assert (found.total, found.models, found.without, found.open) == (total, models, 1, open_)
    assert (found.by_place.get("CN"), found.by_place.get("US")) == (cn, us)
    assert found.share("CN") == cn / total
    assert sum(found.share(place) for place in PLACES) == pytest.approx(1)


def test_concentration_by_hand() -> None:
    """0.7² + 0.2² + 0.05² + 0.05² = 0.535; one organisation 1; four equal ones 1/4; nothing: not a
    number.
    """
    assert share(ROWS, "downloads_30d", "language", KNOWN).hhi == pytest.approx(0.535)
    assert hhi({"a": 7}) == 1
    assert hhi(dict.fromkeys("abcd", 5)) == pytest.approx(0.25)
    assert math.isnan(hhi({}))
    assert math.isnan(hhi({"a": 0}))
    assert math.isnan(share([], "likes", "all", KNOWN).share("CN"))


def test_models_without_an_organisation_are_not_one_organisation() -> None:
    found = share([row("gpt2", 0, 5), row("bert", 0, 5)], "downloads_30d", "all", KNOWN)
    assert found.hhi == pytest.approx(0.5)
    assert found.by_place == {"?": 10}


@pytest.mark.parametrize(
    ("one", "again"),
    [
        (row("unsloth/Qwen3-8B-GGUF"), True),
        (row("Qwen/Qwen3-8B-GGUF"), False),  # a listed maker's; its base model is not said
        (row("Qwen/Qwen3-8B-GGUF", base_model="Qwen/Qwen3-8B", relation="quantized", quantized=True), False),
        (
            row(
                "nvidia/DeepSeek-R1-FP4",
                base_model="deepseek-ai/DeepSeek-R1",
                relation="quantized",
                quantized=True,
            ),
            True,
        ),
        (row("nobody/x", base_model="QWEN/x", relation="quantized", quantized=True), True),
        (row("unsloth/Qwen3-8B"), False),
        (row("nobody/tuned", base_model="Qwen/Qwen3-8B", relation="finetune", quantized=False), False),
        (row("nobody/tuned-AWQ", base_model="Qwen/Qwen3-8B", relation="finetune", quantized=True), False),
        (row("nobody/tuned-GGUF", base_model="nobody/tuned", relation="quantized", quantized=True), False),
    ],
)
def test_quantised_reuploads(one: HubModel, again: bool) -> None:
    assert reupload(one, KNOWN) is again
    assert counts(one, "no_reuploads", KNOWN) is not again


def test_the_most_liked_model_of_each_organisation() -> None:
    def found(*more: frozenset[str]) -> list[tuple[str, str, int, int, int]]:
        return [
            (one.organization, one.model, one.likes, one.total, one.models) for one in most_liked(ROWS, *more)
        ][:3]

    text = [
        ("openai", "openai/gpt-oss-20b", 20, 25, 2),
        ("Qwen", "Qwen/Qwen3-8B", 10, 10, 1),
        ("mistralai", "mistralai/Mistral", 2, 2, 1),
    ]
    assert found() == text
    assert found(LANGUAGE) == [("Qwen", "Qwen/Qwen3-VL", 30, 40, 2), text[0], text[2]]


def test_places_are_told_never_guessed(tmp_path: Path) -> None:
    said = {
        name: KNOWN.place(name)
        for name in ("deepseek-ai", "DEEPSEEK-AI", "meta-llama", "mistralai", "bigcode", "unsloth", "")
    }
    assert said == dict(zip(said, ["CN", "CN", "US", "EU", "none", "?", "?"], strict=True))
    more = tmp_path / "more.csv"
    more.write_text("organization,region,source\nunsloth,us,https://unsloth.ai/about\n", encoding="utf-8")
    assert organizations(more).place("unsloth") == "US"
    for text, said_ in (
        ("organization,region\n", "no column source"),
        ("organization,region,source\nx,us,\n", ":2: expected"),
    ):
        broken = tmp_path / f"{len(text)}.csv"
        broken.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=said_):
            organizations(broken)


@pytest.mark.parametrize(
    ("printed", "half"),
    [("12800", 50), ("4000", 500), ("13013", 0.5), ("17.1", 0.05), ("41", 0.5), ("36.50", 0.005)],
)
def test_what_rounding_leaves_open(printed: str, half: float) -> None:
    assert PublishedCount("x", "C", "w", "w", printed, "u", "2026", "s", "k").half == pytest.approx(half)


def test_the_packaged_facts_have_sources() -> None:
    assert {one.source for one in packaged()} == set(list_sources())
    assert len(figures()) == 23
    for one in figures().values():
        assert one.source
        assert "; /" not in one.source  # no path of the machine that gathered them
        assert one.unit == "when" or one.value > 0
    assert {name for one in packaged() for name in [one.selection]} == {
        "top300",
        "trending",
        "newsletter",
        "over1000",
    }
    assert all(
        share(packaged()[-1].rows, "downloads_30d", name, KNOWN).total
        for name in DENOMINATORS
        if name != "new"
    )


def test_new_models_are_those_of_the_year_before() -> None:
    """Both ends count; a model whose day is not known, or that is younger than the list, does
    not.
    """
    day = datetime.date(2026, 8, 22)
    days = ["2025-08-22", "2026-08-22", "2025-08-21", "2026-08-23"]
    rows = [
        row(f"Qwen/{place}", 0, 1, None, created=datetime.date.fromisoformat(one))
        for place, one in enumerate(days)
    ]
    rows.append(row("Qwen/undated", 0, 1))
    assert share(rows, "downloads_30d", "new", KNOWN, day).total == 2
    assert share(rows, "downloads_30d", "new", KNOWN).total == 0
