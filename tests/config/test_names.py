"""Names that differ by spaces, width or invisible characters are one, and it is said; GGUF is
refused in a line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.config import load_config

LOOKS = ['"mine "', '" mine"', '"ｍｉｎｅ"', '"mine\\u200b"', '"mine\\u00a0"']


@pytest.mark.parametrize("name", LOOKS)
def test_names_are_tidied_wherever_they_join(write: Callable[..., Path], name: str) -> None:
    task = name.replace("mine", "zh_letters").replace("ｍｉｎｅ", "zh_letters")
    text = f"""name: a
models: [{{id: org/x, name: {name}, engine: mock}}]
tasks: [{{task: {task}}}, {{file: own.csv, name: {name}}}]
expect: [{{task: {name}, model: {name}, metric: "acc ", min: 0}}]
"""
    path = write(text)
    (path.parent / "own.csv").write_text("question,answer\nq,x\n", encoding="utf-8")
    loaded = load_config(path)
    config = loaded.config

    assert [config.models[0].label, config.tasks[0].task, config.tasks[1].name] == [
        "mine",
        "zh_letters",
        "mine",
    ]
    assert [config.expect[0].task, config.expect[0].model, config.expect[0].metric] == ["mine", "mine", "acc"]
    assert sum("is read as 'mine'" in note for note in loaded.notes) == 4
    assert all(
        note.startswith("c.yaml:") or ":2:" in note or ":3:" in note or ":4:" in note for note in loaded.notes
    )
    assert "is read as 'mine'" in CliRunner().invoke(app, ["plan", str(path)]).stderr


def test_two_models_whose_names_look_alike(
    write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    text = 'name: a\nmodels: [{id: org/x, name: qwen}, {id: org/y, name: "qwen "}]\n'
    assert any("two models are called 'qwen'" in line for line in mistakes(write(text)))
    text = "name: a\nmodels: [{id: org/x, name: qwen}, {id: org/y, name: Qwen}]\n"
    assert any("two models are called 'qwen' and 'Qwen'" in line for line in mistakes(write(text)))
    loaded = load_config(write("name: a\nmodels: [{id: org/x, name: qwen-2}, {id: org/y, name: qwen_2}]\n"))
    assert "letters alone: qwen-2, qwen_2" in loaded.notes[0]


@pytest.mark.parametrize(
    "name",
    [
        "./x.gguf",
        "/models/Qwen2.5-7B-Q4_K_M.GGUF",
        "x.gguf",
        "org/Qwen2.5-7B-Instruct-GGUF",
        "org/x-gguf:Q4_K_M",
    ],
)
@pytest.mark.parametrize("plain", [True, False])
def test_gguf_is_refused_in_one_line(
    write: Callable[..., Path], mistakes: Callable[..., list[str]], name: str, plain: bool
) -> None:
    (line,) = mistakes(
        write(f"name: a\nmodels: [{name if plain else '{id: ' + name + '}'}]\n".replace(": Q4", ":Q4"))
    )
    assert "GGUF, which this version does not read" in line
    assert "llama-server" in line


def test_a_folder_that_holds_gguf_only(
    write: Callable[..., Path], mistakes: Callable[..., list[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "m.gguf").write_bytes(b"GGUF")
    assert "GGUF" in mistakes(write("name: a\nmodels: [./model]\n"))[0]
    (folder / "m.safetensors").write_bytes(b"")
    assert load_config(write("name: a\nmodels: [./model]\n")).config.models[0].label == "model"


def test_a_server_may_call_its_model_as_it_likes(write: Callable[..., Path]) -> None:
    text = "name: a\nmodels: [{id: m.gguf, engine: openai, base_url: 'http://localhost:8080/v1'}]\n"
    assert load_config(write(text)).config.models[0].id == "m.gguf"
