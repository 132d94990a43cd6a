"""What a config says of engines is checked when it is loaded, wherever it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import config_schema, load_config
from harness.engines import registry
from harness.errors import ConfigError

TINY = "bundled/tiny-qwen"


def mistakes(path: Path, *overrides: str) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def write(folder: Path, text: str, name: str = "c.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def one(folder: Path, engine: str, arguments: str) -> Path:
    url = ", base_url: 'http://h/v1'" if engine == "openai" else ""
    entry = f"{{id: {TINY}, engine: {engine}{url}, engine_args: {arguments}}}"
    return write(folder, f"name: n\nmodels:\n  - {entry}\n")


@pytest.mark.parametrize(
    ("engine", "arguments", "words"),
    [
        (
            "transformers",
            "{batch_token: 12}",
            "'batch_token' in models[0].engine_args; did you mean 'batch_tokens'?",
        ),
        (
            "transformers",
            "{batch_tokens: many}",
            "engine_args.batch_tokens: expected a whole number, got 'many'",
        ),
        (
            "transformers",
            "{batch_tokens: yes}",
            "engine_args.batch_tokens: expected a whole number, got true",
        ),
        ("transformers", "{batch_rows: 0}", "engine_args.batch_rows: expected at least 1, got the number 0"),
        ("transformers", "{tensor_parallel_size: 2}", "unknown key 'tensor_parallel_size'"),
        ("vllm", "{tensor_parallel_sizes: 2}", "no such argument; did you mean tensor_parallel_size"),
        ("vllm", "{gpu_memory_utilization: 90}", "expected at most 1.0, got the number 90"),
        ("vllm", "{dtype: float32}", "engine_args.dtype: decided by the model's own key; say dtype instead"),
        ("openai", "{retrys: 2}", "unknown key 'retrys' in models[0].engine_args; did you mean 'retries'?"),
        ("openai", "{extra_body: {model: x}}", "model is decided here; take it out"),
        ("mock", "{delay: -1}", "engine_args.delay: expected at least 0.0, got the number -1"),
        ("auto", "{batch_token: 12}", "'batch_token' in models[0].engine_args; did you mean 'batch_tokens'?"),
        ("auto", "{tensor_parallel_sizes: 2}", "tensor_parallel_sizes"),
    ],
)
def test_an_option_is_checked_where_it_stands(
    tmp_path: Path, engine: str, arguments: str, words: str
) -> None:
    path = one(tmp_path, engine, arguments)
    (line,) = mistakes(path)
    assert line.startswith("c.yaml:3:")
    assert words in line
    key = arguments.strip("{}").partition(":")[0]
    column = path.read_text(encoding="utf-8").splitlines()[2].index(key) + 1
    assert int(line.split(":")[2]) >= column


@pytest.mark.parametrize(
    ("engine", "arguments"),
    [
        ("transformers", {"batch_tokens": 64, "attention": "eager"}),
        ("vllm", {"tensor_parallel_size": 2, "max_logprobs": 4, "hf_overrides": {"a": 1}, "env": {"A": 1}}),
        ("mock", {"answer": "x"}),
        ("auto", {"batch_tokens": 64}),
        ("auto", {"gpu_memory_utilization": 0.5, "max_logprobs": 3}),
        ("auto", {"generation_defaults": False}),
    ],
)
def test_what_an_engine_knows_is_kept_as_it_was_written(
    tmp_path: Path, engine: str, arguments: dict[str, Any]
) -> None:
    path = one(tmp_path, engine, yaml.safe_dump(arguments, default_flow_style=True).strip())
    assert load_config(path).config.models[0].engine_args == arguments


def test_a_layer_below_and_an_override_are_checked_too(tmp_path: Path) -> None:
    write(tmp_path, f"models:\n  - id: {TINY}\n    engine_args:\n      batch_rowz: 3\n", "base.yaml")
    path = write(tmp_path, "extends: base.yaml\nname: n\n")
    assert mistakes(path) == [
        "base.yaml:4:7: unknown key 'batch_rowz' in models[0].engine_args; did you mean 'batch_rows'?"
    ]
    override = "models.0.engine_args={batch_rows: x}"
    assert mistakes(path, override) == [
        f"--set {override}: models[0].engine_args.batch_rows: expected a whole number, got 'x'"
    ]
    preset = write(tmp_path, "name: n\nmodels: [{preset: qwen2.5-7b, engine_args: {attentoin: eager}}]\n")
    assert "did you mean 'attention'?" in mistakes(preset)[0]


def test_an_engine_that_is_not_there(tmp_path: Path) -> None:
    (line,) = mistakes(one(tmp_path, "transformer", "{batch_token: 1}"))
    assert line == (
        f"c.yaml:3:{len('  - {id: , engine: ') + len(TINY) + 1}: models[0].engine: "
        "expected auto, transformers, vllm, openai or mock, got 'transformer'; did you mean 'transformers'?"
    )
    assert "expected text" in mistakes(one(tmp_path, "5", "{}"))[0]


def test_no_value_that_may_be_a_key_is_shown(tmp_path: Path) -> None:
    text = "\n".join(
        mistakes(one(tmp_path, "openai", "{timeout: sk-secret, api: sk-secret, concurrency: sk-secret}"))
    )
    assert "secret" not in text
    assert len(text.splitlines()) == 3


def test_the_schema_has_each_engines_options() -> None:
    schema = config_schema()
    model = schema["$defs"]["ModelSpec"]
    assert model["properties"]["engine"]["enum"] == ["auto", *registry.names()]
    for name in registry.names():
        options = schema["$defs"][f"engine_args.{name}"]["properties"]
        assert options.keys() == registry.backend(name).options.model_fields.keys()
    branches = {branch["if"]["properties"]["engine"]["const"]: branch["then"] for branch in model["allOf"]}
    assert branches["mock"] == {"properties": {"engine_args": {"$ref": "#/$defs/engine_args.mock"}}}
    assert len(branches["auto"]["properties"]["engine_args"]["anyOf"]) == 2
