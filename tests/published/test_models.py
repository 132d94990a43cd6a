"""The rated models: nothing without a source, nothing guessed, and the facts that the studies rest
on.
"""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest

from harness.config.presets import presets
from harness.errors import ConfigError
from harness.published import load_ratings, rated_models
from harness.published.models import parse_models
from harness.published.sources import sources

GOOD: dict[str, Any] = {
    "makers": {"Somebody": {"country": "CN", "source": "https://example.org/about"}},
    "models": [
        {
            "name": "some-1", "maker": "Somebody", "open": True, "licence": "MIT", "source": "https://example.org/some-1",
            "released": datetime.date(2025, 1, 2), "released_source": "name",
        }
    ],
}  # fmt: skip


def changed(**model: Any) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    data["models"][0] |= model
    data["models"][0] = {key: value for key, value in data["models"][0].items() if value != "absent"}
    return data


def test_a_good_table_is_read() -> None:
    model = parse_models(GOOD, "x.yaml")["some-1"]
    assert (model.country, model.open, model.unknown) == ("CN", True, ())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (changed(source="absent"), r"models\.0\.source: Field required"),
        (changed(source="hearsay"), "needs a source"),
        (changed(released_source="absent"), "a release date and its source go together"),
        (changed(released="absent"), "a release date and its source go together"),
        (changed(maker=None), "a model without a maker needs a note"),
        (changed(maker="Nobody"), "the maker 'Nobody' is not in `makers`"),
        (changed(made_from="a/b"), "made_from, base_country and base_source go together"),
        (changed(released="absent", released_source="absent", unread=True), "unread is about a release date"),
        (changed(extra=1), "Extra inputs"),
        (GOOD | {"makers": {"Somebody": {"country": "CN"}}}, "source: Field required"),
        (GOOD | {"makers": {"Somebody": {"country": None, "source": "https://example.org"}}}, "needs a note"),
        (GOOD | {"models": GOOD["models"] * 2}, "there twice"),
    ],
)
def test_an_entry_without_a_source_or_a_reason_is_refused(data: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=rf"x\.yaml: .*{said}"):
        parse_models(data, "x.yaml")


def test_every_packaged_model_says_what_is_known_and_from_where() -> None:
    models = rated_models(None)
    assert len(models) == 470
    for model in models.values():
        assert model.source in sources() or model.source.startswith("https://")
        assert model.maker or model.note
        assert model.open is not None or model.note, model.name
    assert sum(model.maker is None for model in models.values()) == 3


def test_a_release_date_from_the_name_is_in_the_name() -> None:
    for model in rated_models(None).values():
        if model.released_source == "name":
            assert f"{model.released:%Y%m%d}" in model.name.replace("-", ""), model.name
        if model.released_source == "name-md":
            compact = model.name.replace("-", "")
            assert (
                f"{model.released:%m%d}" in compact
                or f"{model.released:%b}{model.released:%d}".lower() in compact
            ), model.name


def test_a_release_date_from_a_preset_is_that_presets() -> None:
    days = {preset.name: preset.released for preset in presets().values()}
    checked = 0
    for model in rated_models(None).values():
        if model.released_source == "preset":
            name = model.name.removesuffix("-no-thinking")
            assert days.get(name) == model.released, model.name
            assert presets()[name].unread == model.unread, model.name
            checked += 1
    assert checked >= 18


def test_no_model_was_rated_long_before_its_release_date() -> None:
    """Makers let people vote on models some days before they release them; weeks would be a wrong
    date.
    """
    first: dict[str, datetime.date] = {}
    for one in load_ratings(None):
        first[one.model] = min(one.date, first.get(one.model, one.date))
    models = rated_models(None)
    early = {
        name: (day, released)
        for name, day in first.items()
        if (released := models[name].released) is not None and day < released
    }
    assert all((released - day).days <= 7 for day, released in early.values()), early


def test_a_day_that_was_only_cited_is_not_taken_for_known() -> None:
    models = rated_models(None)
    assert models["koala-13b"].unknown == ("release date unread",)
    chinese = (
        "deepseek-v2.5",
        "deepseek-v3",
        "deepseek-r1",
        "deepseek-v3-0324",
        "glm-4.5",
        "kimi-k2-0711-preview",
        "chatglm-6b",
    )
    american = (
        "gemma-2-27b-it",
        "gemma-3-27b-it",
        "gpt-oss-120b",
        "intellect-3",
        "athene-v2-chat",
        "wizardlm-13b",
        "guanaco-33b",
    )
    assert all(models[name].unknown == () for name in chinese + american)


def test_weights_count_from_their_own_day_and_not_from_their_papers() -> None:
    models = rated_models(None)
    assert models["llama-3.1-nemotron-70b-instruct"].released == datetime.date(2024, 10, 12)
    assert models["nemotron-4-340b-instruct"].released == datetime.date(2024, 6, 14)


def test_what_the_studies_rest_on() -> None:
    models = rated_models(None)
    assert (models["athene-v2-chat"].country, models["athene-v2-chat"].base_country) == ("US", "CN")
    assert (models["intellect-3"].country, models["intellect-3"].base_country) == ("US", "CN")
    assert (models["qwen3-max-preview"].open, models["deepseek-r1"].open, models["gpt-oss-120b"].open) == (
        False,
        True,
        True,
    )
    assert models["llama-4-maverick-03-26-experimental"].open is False
    assert {
        models[name].country
        for name in ("kimi-k2-0711-preview", "glm-4.5", "minimax-m1", "hunyuan-turbos-20250416")
    } == {"CN"}
    assert models["late-june-chatbot"].unknown == ("maker", "country", "licence", "release date")
