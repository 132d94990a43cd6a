"""Models that are measured: architectures of the table, and engines without a cache."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from harness.benchmark.prepare import as_config, find_files, measured_spec, table_architecture
from harness.benchmark.shapes import shapes_of
from harness.config import find_preset
from harness.config.architecture_reading import architecture_of
from harness.config.presets import presets
from harness.config.schema import ModelSpec, Speed
from harness.engines.files import ModelFiles
from harness.errors import ConfigError, ModelError

NO_FILES = ModelFiles(Path(), None, "bundled", {}, "0" * 16)
SPEED = Speed(input=[64, 300], output=[8, 32], concurrency=[1, 400], rate=[2.0])
GPU_MODELS = ("qwen2.5-0.5b", "qwen2.5-7b", "qwen2.5-14b", "llama-3.1-8b", "deepseek-r1-distill-qwen-7b")


def random_preset(name: str, **more: object) -> ModelSpec:
    return ModelSpec(id=find_preset(name).id, name=name, preset=name, weights="random", **more)


@pytest.mark.parametrize("name", GPU_MODELS)
def test_the_tables_models_need_no_network(name: str, tmp_path: Path) -> None:
    spec, files = find_files(random_preset(name), None, tmp_path)
    assert files.path == tmp_path
    assert spec.label == name
    assert architecture_of(json.loads((tmp_path / "config.json").read_text())) == find_preset(name).arch
    assert (
        find_files(random_preset(name), None, tmp_path / "again")[1].model_id == files.model_id
        or files.origin == "folder"
    )


def test_a_built_config_has_transformers_parameters(tmp_path: Path) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    for name in ("qwen2.5-0.5b", "llama-3.1-8b", "qwen3-8b"):
        find_files(random_preset(name), None, tmp_path / name)
        config = transformers.AutoConfig.from_pretrained(tmp_path / name)
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(config)
        arch = find_preset(name).arch
        assert arch is not None
        assert model.num_parameters() == arch.parameters


def test_every_architecture_of_the_table_is_said_whole_or_refused() -> None:
    whole = 0
    for preset in presets().values():
        if preset.arch is None:
            continue
        with contextlib.suppress(ModelError):
            assert architecture_of(as_config(preset.arch, preset.name)) == preset.arch
            whole += 1
    assert whole >= 40


def test_only_random_weights_of_a_named_preset_come_from_the_table(tmp_path: Path) -> None:
    assert table_architecture(random_preset("qwen2.5-7b")) is not None
    assert table_architecture(ModelSpec(id="Qwen/Qwen2.5-7B")) is None
    assert table_architecture(ModelSpec(id=str(tmp_path), weights="random")) is None
    assert table_architecture(ModelSpec(id="bundled/tiny-qwen", weights="random")) is None


def test_engines_are_measured_without_a_cache_and_with_room_for_all() -> None:
    plain = measured_spec(ModelSpec(id="a/b", engine="transformers"), NO_FILES, "cpu", SPEED)
    assert plain.engine_args == {"shared_prefixes": False, "batch_rows": 400}
    assert plain.max_length == 332

    vllm = measured_spec(ModelSpec(id="a/b", engine="vllm", max_length=999), NO_FILES, "cpu", SPEED)
    assert vllm.engine_args == {
        "enable_prefix_caching": False,
        "multi_token": "whole",
        "block_size": 128,
        "max_num_seqs": 400,
    }
    assert vllm.max_length == 999


@pytest.mark.parametrize(
    ("engine", "arguments"),
    [("vllm", {"enable_prefix_caching": True}), ("transformers", {"shared_prefixes": True})],
)
def test_a_cache_that_is_asked_for_is_refused(engine: str, arguments: dict[str, bool]) -> None:
    with pytest.raises(ConfigError, match="read from a cache"):
        measured_spec(ModelSpec(id="a/b", engine=engine, engine_args=arguments), NO_FILES, "cpu", SPEED)


def test_an_endpoint_is_sent_token_ids_so_its_tokenizer_must_be_known() -> None:
    spec = ModelSpec(id="a/b", engine="openai", base_url="http://localhost:1/v1")
    with pytest.raises(ConfigError, match="name the model's tokenizer"):
        measured_spec(spec, NO_FILES, "cpu", SPEED)

    arguments = measured_spec(
        spec.model_copy(update={"tokenizer": "a/b"}), NO_FILES, "cpu", SPEED
    ).engine_args
    assert arguments["concurrency"] >= max(SPEED.concurrency)
    assert arguments["retries"] == 0


def test_the_grid() -> None:
    shapes = shapes_of(SPEED)
    assert [shape.label for shape in shapes[:4]] == ["64>8 x1", "64>8 x400", "64>32 x1", "64>32 x400"]
    assert [shape.label for shape in shapes[8:]] == ["64>8 @2/s", "64>32 @2/s", "300>8 @2/s", "300>32 @2/s"]
