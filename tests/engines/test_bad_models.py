"""Every way in which a model cannot be loaded is one line that says what is wrong."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.config.schema import ModelSpec
from harness.engines import engine_identity, open_engine, resolve_model
from harness.errors import ModelError

from .conftest import QWEN, STORIES


@pytest.fixture
def folder(mirror: Path, tmp_path: Path) -> Path:
    """A copy of a small model, to be spoilt."""
    copy = tmp_path / "model"
    shutil.copytree(mirror / "models" / STORIES, copy)
    for file in copy.iterdir():
        file.chmod(0o644)
    return copy


def _open(folder: Path, **settings: Any) -> Any:
    return open_engine(ModelSpec(id=str(folder), **settings), device="cpu")


def _fails(folder: Path, *words: str, **settings: Any) -> None:
    with pytest.raises(ModelError) as caught:
        _open(folder, **settings)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    for word in words:
        assert word in text


def test_cut_short_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    _fails(folder, "model.safetensors", "fetch it again")


def test_weights_that_are_no_safetensors(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"<html>not found</html>")
    _fails(folder, "model.safetensors", "fetch it again")


def test_weights_of_another_shape(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 96}))
    _fails(folder, "another shape", "96", "172")


def test_missing_weights(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    gone = next(name for name in weights if "down_proj" in name)
    save_file(
        {name: tensor for name, tensor in weights.items() if name != gone},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    _fails(folder, "1 weights are missing", "down_proj")


def test_no_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink()
    _fails(folder, "no tokenizer", "tokenizer:")


def test_corrupted_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0"')
    _fails(folder, "cannot load a tokenizer")


def test_another_models_tokenizer(folder: Path, mirror: Path) -> None:
    _fails(folder, "512 token embeddings", "wrong tokenizer?", tokenizer=str(mirror / "models" / QWEN))


def test_only_pickles(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    _fails(folder, "pickle", "pytorch_model.bin")


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    _fails(folder, "no *.safetensors", "weights: random")


def test_no_config(folder: Path) -> None:
    (folder / "config.json").unlink()
    _fails(folder, "config.json")


def test_code_that_nobody_trusted(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(config | {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}})
    )
    _fails(folder, "trust_remote_code")


def test_unknown_architecture(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "no-such-type"}))
    _fails(folder, "no-such-type")


def test_misspelt_settings(folder: Path) -> None:
    _fails(folder, "batch_tokens", engine_args={"batch_token": 5})
    _fails(folder, "num_hidden_layer", weights="random", config_overrides={"num_hidden_layer": 2})


def test_a_package_that_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engines.vllm.preflight.find_package", lambda: None)
    _fails(folder, "needs the package vllm", "engine: transformers", engine="vllm")


def test_no_such_folder_or_bundled_model() -> None:
    with pytest.raises(ModelError, match="no such folder"):
        resolve_model(ModelSpec(id="./nowhere/at/all"))
    with pytest.raises(ModelError, match="no such bundled model"):
        resolve_model(ModelSpec(id="bundled/nothing"))


def test_no_hub_is_said_quickly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A port that nobody listens on stands for a hub out of reach."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("HARNESS_HUB", raising=False)
    started = time.perf_counter()
    with pytest.raises(ModelError) as caught:
        resolve_model(ModelSpec(id="Qwen/Qwen3-32B"))
    assert time.perf_counter() - started < 20
    text = str(caught.value)
    assert "\n" not in text
    for way in ("HARNESS_MIRROR", "HF_ENDPOINT", "HARNESS_HUB=modelscope", "cache"):
        assert way in text


def test_modelscope_is_asked_when_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_HUB", "modelscope")
    monkeypatch.setitem(__import__("sys").modules, "modelscope", None)
    with pytest.raises(ModelError, match=r"pip install .open-weight-harness\[modelscope\]"):
        resolve_model(ModelSpec(id="Qwen/Qwen3-32B"))


def test_identity_follows_the_files(folder: Path, tmp_path: Path) -> None:
    first = resolve_model(ModelSpec(id=str(folder)))
    moved = tmp_path / "elsewhere" / "model"
    shutil.copytree(folder, moved)
    assert resolve_model(ModelSpec(id=str(moved))).model_id == first.model_id
    assert resolve_model(ModelSpec(id=str(folder), dtype="bfloat16")).model_id != first.model_id

    weights = load_file(moved / "model.safetensors")
    save_file(
        {name: tensor * 1.5 for name, tensor in weights.items()},
        moved / "model.safetensors",
        metadata={"format": "pt"},
    )
    assert resolve_model(ModelSpec(id=str(moved))).model_id != first.model_id
    assert set(first.hashes) >= {"config.json", "model.safetensors", "tokenizer.json"}


def test_engine_identity_is_known_before_loading(folder: Path) -> None:
    spec = ModelSpec(id=str(folder))
    files = resolve_model(spec)
    identity = engine_identity(spec, "cpu", files)
    engine = open_engine(spec, files, "cpu")
    info = engine.info
    assert identity == {
        "engine": "transformers",
        "versions": info.versions,
        "device": "cpu",
        "dtype": info.dtype,
        "attention": "auto",
        "generation_defaults": True,
    }
    assert info.attention == "sdpa"
    assert info.versions["torch"] == torch.__version__

    # Closing twice does no harm; a closed engine says that it is.
    engine.close()
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        next(iter(engine.score([])))


def test_random_weights_are_seeded(mirror: Path) -> None:
    from harness.items import Choice

    small = {"num_hidden_layers": 1, "hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 2}
    item = Choice("k", (("The capital of China is", " Beijing"),))
    scores = []
    for seed in (1, 1, 2):
        spec = ModelSpec(id=QWEN, weights="random", seed=seed, config_overrides=small)
        engine = open_engine(spec, device="cpu", mirror=mirror)
        scores.append(next(iter(engine.score([item]))).logprobs)
        engine.close()
    assert scores[0] == scores[1] != scores[2]
