"""Configs without a file: from data, and from models and tasks as they are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_config
from harness.config.adhoc import adhoc_config, entries_of, run_name
from harness.errors import ConfigError

WORDS = {"models": "--model", "tasks": "--task"}


def test_data_is_what_the_yaml_says() -> None:
    data = {
        "name": "a",
        "models": ["tiny-qwen", {"id": "org/x", "dtype": "float32"}],
        "tasks": ["smoke", "zh_reading"],
    }
    loaded = load_config(data, ["limit=5", "models.1.dtype=bfloat16"])
    assert (loaded.config.limit, loaded.config.models[1].dtype) == (5, "bfloat16")
    assert [(entry.suite, entry.task) for entry in loaded.config.tasks] == [
        ("smoke", None),
        (None, "zh_reading"),
    ]
    assert loaded.changed(["limit=6"]).config.limit == 6
    assert load_config(yaml.safe_load(loaded.to_yaml())).config == loaded.config


def test_data_is_never_changed() -> None:
    data: dict[str, Any] = {"name": "a", "models": ["tiny-qwen"], "extends": "smoke"}
    assert len(load_config(data).config.tasks) == 1
    assert data == {"name": "a", "models": ["tiny-qwen"], "extends": "smoke"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "a", "models": ["tiny-qwn"]}, "--model tiny-qwn: unknown preset 'tiny-qwn'; did you mean"),
        (
            {"name": "a", "models": ["tiny-qwen"], "limt": 3},
            "config: unknown key 'limt'; did you mean 'limit'?",
        ),
        ({"name": "a", "models": ["tiny-qwen"], "tasks": ["no.csv"]}, "--task no.csv: no.csv: no such file"),
        ({"models": ["tiny-qwen"]}, "config: expected a key 'name'"),
        ({"name": "a", "models": ["tiny-qwen"], "extends": "no"}, "config: extends: no: no such file"),
        ({}, "config: expected a key"),
    ],
)
def test_mistakes_say_where_they_were_typed(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(data, (), WORDS)
    assert str(error.value).startswith(message)


def test_names_are_divided_at_commas_but_not_inside_a_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a,b.csv").write_text("question,answer\n", encoding="utf-8")
    Path("model").mkdir()
    Path("model/config.json").write_text("{}", encoding="utf-8")
    assert entries_of(["a,b.csv", "x, y,", Path("z"), "x"]) == ["a,b.csv", "x", "y", "z"]
    assert entries_of("model") == ["./model"]
    assert entries_of({"id": "x"}) == [{"id": "x"}]
    assert entries_of(None) == []


def test_a_folder_that_is_no_model_stays_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny-qwen").mkdir()  # results of an earlier day, say
    assert entries_of("tiny-qwen") == ["tiny-qwen"]


@pytest.mark.parametrize(
    ("models", "tasks", "name"),
    [
        (["tiny-qwen"], ["zh_arithmetic"], "tiny-qwen-on-zh_arithmetic"),
        (["Qwen/Qwen3-8B"], ["ceval-valid_*"], "Qwen3-8B-on-ceval-valid"),
        (["a", "b"], ["./my questions.csv"], "a-and-b-on-my-questions"),
        (["a", "b", "c"], [], "a-and-2-more-ea7fb0"),
        ([{"id": "x/y", "name": "mine"}], [{"suite": "smoke"}], "mine-on-smoke"),
        (["models/mine/"], ["我的题目.csv"], "mine-on-我的题目"),
    ],
)
def test_a_run_is_named_after_its_models_and_tasks(models: list[Any], tasks: list[Any], name: str) -> None:
    assert run_name(models, tasks) == name


def test_other_models_are_another_run_and_their_order_is_none() -> None:
    names = [run_name(models, ["x"]) for models in (["a", "b", "c"], ["a", "b", "d"], ["a", "c", "b"])]
    assert names[0] == names[2] != names[1]
    long = run_name(["m" * 90], ["t" * 90])
    assert len(long) <= 100
    assert long != run_name(["m" * 90], ["t" * 89])


def test_an_endpoint() -> None:
    config = adhoc_config(["deepseek-chat"], ["gsm8k"], base_url="http://localhost:1/v1", api_key_env="KEY")
    (model,) = load_config(config).config.models
    assert (model.id, model.engine, model.base_url, model.api_key_env, model.chat_template) == (
        "deepseek-chat",
        "openai",
        "http://localhost:1/v1",
        "KEY",
        True,
    )
    with pytest.raises(ConfigError, match="say --base-url, too"):
        adhoc_config(["x"], ["y"], api_key_env="KEY")
    with pytest.raises(ConfigError, match="no model is named"):
        adhoc_config([], ["y"])
