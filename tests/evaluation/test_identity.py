"""Every key of a config either changes a cell's identity or is proved not to matter.

`harness.config.roles` says which.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from support.runs import write_config, write_task

from harness.config import load_config
from harness.config.roles import CONFIG, GENERATION, MODEL, TASK, Role
from harness.config.schema import Config, GenerationSettings, ModelSpec, TaskEntry
from harness.engines import find_model
from harness.engines.files import PACKAGED
from harness.errors import ModelError
from harness.evaluation.identity import CellIdentity, cell_identity
from harness.evaluation.setup import WorkSetup, prompt_style, thinking_of
from harness.results.folder import RunFolder
from harness.tasks import DataSources, expand, load

TINY = {"id": "bundled/tiny-deepseek-distill", "engine": "transformers", "chat_template": True}
ENDPOINT = {"id": "some-model", "engine": "openai", "base_url": "http://localhost:9/v1"}
TASKS: list[dict[str, Any]] = [{"task": "zh_word_problems"}, {"task": "zh_letters"}]


def identities(
    folder: Path, model: dict[str, Any], tasks: list[Any] | None = None, **more: Any
) -> list[CellIdentity]:
    """The identities of a config's first model, one per task."""
    config = load_config(write_config(folder, tasks or TASKS, [model], **more)).config
    setup = WorkSetup(config, config.models[0], RunFolder(folder), "cpu", "session")
    files = find_model(setup.spec)
    style = prompt_style(setup, files, thinking_of(setup, files))
    specs = expand(config.tasks, limit=config.limit, base_dir=folder).tasks
    made = [load(spec, DataSources(), seed=config.seed) for spec in specs]
    return [cell_identity(setup.spec, "cpu", files, task, style) for task in made]


def ids(folder: Path, model: dict[str, Any], tasks: list[Any] | None = None, **more: Any) -> list[str]:
    return [identity.cell_id for identity in identities(folder, model, tasks, **more)]


@pytest.mark.parametrize(
    ("schema", "roles"),
    [(ModelSpec, MODEL), (TaskEntry, TASK), (GenerationSettings, GENERATION), (Config, CONFIG)],
)
def test_every_key_has_a_role(schema: type[BaseModel], roles: dict[str, Role]) -> None:
    assert set(schema.model_fields) == set(roles)
    assert all(role.why for role in roles.values() if role.part == "nothing")


MODEL_CHANGES: dict[str, tuple[dict[str, Any], Any]] = {
    "id": (TINY, "bundled/tiny-qwen"),
    "name": (TINY, "another name"),
    "preset": (TINY, "tiny-deepseek-distill"),
    "revision": (ENDPOINT, "v2"),
    "weights": (TINY, "random"),
    "dtype": (TINY, "bfloat16"),
    "engine": ({**TINY, "chat_template": False}, "mock"),
    "tokenizer": (TINY, "bundled/tiny-qwen"),
    "chat_template": (TINY, False),
    "system_prompt": (TINY, "Be brief."),
    "thinking": ({**ENDPOINT, "chat_template": True}, False),
    "think_tags": (TINY, ["<thought>", "</thought>"]),
    "max_length": (TINY, 512),
    "max_new_tokens": (TINY, 77),
    "trust_remote_code": (TINY, True),
    "config_overrides": ({**TINY, "weights": "random"}, {"num_hidden_layers": 1}),
    "engine_args": (TINY, {"attention": "eager"}),
    "base_url": (ENDPOINT, "http://localhost:10/v1"),
    "api_key_env": (ENDPOINT, "HOME"),
    "price": (ENDPOINT, {"input": 1.0, "output": 2.0}),
    "gpus": (TINY, 1),
    "seed": ({**TINY, "weights": "random"}, 7),
}


@pytest.mark.parametrize("key", MODEL)
def test_a_models_key_keeps_its_role(tmp_path: Path, key: str) -> None:
    base, value = MODEL_CHANGES[key]
    before, after = ids(tmp_path, base), ids(tmp_path, {**base, key: value})
    if MODEL[key].part == "nothing":
        assert before == after
    else:
        assert before[0] != after[0]


@pytest.mark.parametrize(
    ("args", "same"),
    [
        ({"batch_tokens": 64, "batch_rows": 3}, True),
        ({"shared_prefixes": False}, True),
        ({"generation_defaults": False}, False),
    ],
)
def test_engine_args_that_only_decide_speed_are_left_out(
    tmp_path: Path, args: dict[str, Any], same: bool
) -> None:
    assert (ids(tmp_path, TINY) == ids(tmp_path, {**TINY, "engine_args": args})) is same


def test_a_mocks_seed_decides_its_answers(tmp_path: Path) -> None:
    mock = {"id": "m", "engine": "mock"}
    assert ids(tmp_path, mock) != ids(tmp_path, {**mock, "seed": 1})


def own_file(folder: Path, rows: int = 8, name: str = "own") -> Path:
    path = folder / f"{name}.jsonl"
    lines = [
        {
            "question": f"q {n}",
            "other": f"o {n}",
            "choices": ["one", "two"],
            "others": ["1st", "2nd"],
            "answer": "A",
            "gold": "B",
        }
        for n in range(rows)
    ]

    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def _rows(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _book(folder: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    for name in ("one", "two"):
        sheet = book.create_sheet(name)
        sheet.append(["question", "answer"])
        sheet.append([f"q {name}", "x"])
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


def task_changes(folder: Path) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """By key: a task entry, and the same with that key changed."""
    own = {"file": str(own_file(folder)), "fewshot": 2}
    words = {"task": "zh_word_problems"}

    # Options that are numbers: only there does it matter whether an answer is one's index or its text.
    numbers = {
        "file": str(
            _rows(
                folder,
                "numbers",
                [{"question": f"q{n}", "choices": ["1", "0"], "answer": n % 2} for n in range(6)],
            )
        )
    }
    words_file = {
        "file": str(
            _rows(
                folder,
                "words",
                [{"question": "q", "other": "o", "choices": ["None", "x"], "answer": "A"}] * 3,
            )
        )
    }

    short = {"file": str(_rows(folder, "short", [{"question": "q", "answer": "x", "also": "y"}] * 3))}
    gbk = {"file": str(folder / "gbk.csv")}
    Path(gbk["file"]).write_bytes("question,answer\n中国,北京\n".encode("gbk"))
    book = {"file": str(_book(folder))}

    return {
        "task": (words, {"task": "en_word_problems"}),
        "suite": (words, {"suite": "smoke"}),
        "file": (own, {**own, "file": str(own_file(folder, 9, "other"))}),
        "name": (own, {**own, "name": "renamed"}),
        "language": ({**own, "language": "en"}, {**own, "language": "zh"}),
        "question": (own, {**own, "question": "other"}),
        "choices": (own, {**own, "choices": "others"}),
        "answer": (own, {**own, "answer": "gold"}),
        "answer_is": ({**numbers, "answer_is": "index"}, {**numbers, "answer_is": "text"}),
        "missing_words": (
            {**words_file, "missing_words": "text"},
            {**words_file, "question": "other", "missing_words": "text"},
        ),
        "context": ({**own, "context": ""}, {**own, "context": "other"}),
        "category": ({**own, "category": ""}, {**own, "category": "gold"}),
        "aliases": ({**short, "aliases": ""}, {**short, "aliases": "also"}),
        "normalize": (short, {**short, "normalize": ["width"]}),
        "form": ({**own, "fewshot": 0}, {**own, "fewshot": 0, "form": "generated"}),
        "encoding": ({**gbk, "encoding": "gbk"}, {**gbk, "encoding": "big5"}),
        "sheet": ({**book, "sheet": "one"}, {**book, "sheet": "two"}),
        "fewshot": (own, {**own, "fewshot": 1}),
        "limit": (words, {**words, "limit": 3}),
        "repeats": (words, {**words, "repeats": 3, "generation": {"temperature": 1.0}}),
        "generation": (words, {**words, "generation": {"max_tokens": 5}}),
    }


@pytest.mark.parametrize("key", TASK)
def test_a_tasks_key_keeps_its_role(tmp_path: Path, key: str) -> None:
    one, other = task_changes(tmp_path)[key]
    before, after = ids(tmp_path, TINY, [one]), ids(tmp_path, TINY, [other])
    if TASK[key].part in ("nothing", "reading"):
        assert before[0] in after  # the same cell, in a list of one or of many
    else:
        assert before[0] != after[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("temperature", 0.5),
        ("top_p", 0.5),
        ("top_k", 5),
        ("repetition_penalty", 1.3),
        ("max_tokens", 5),
        ("until", ["。"]),
    ],
)
def test_generation_settings_are_part_of_the_prompt(tmp_path: Path, key: str, value: Any) -> None:
    base = {"temperature": 1.0} if key in ("top_p", "top_k") else {}
    before = identities(tmp_path, TINY, [{"task": "zh_word_problems", "generation": base}])[0]
    after = identities(tmp_path, TINY, [{"task": "zh_word_problems", "generation": {**base, key: value}}])[0]
    assert set(GENERATION) == {"temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "until"}
    assert before.prompt_id != after.prompt_id


CONFIG_CHANGES: dict[str, Any] = {
    "name": "renamed",
    "mirror": ".",
    "device": "auto",
    "limit": 3,
    "date": "2026-01-31",
    "seed": 7,
    "fewshot_as_multiturn": False,
    "allow_code_execution": True,
    "speed": {"input": [8]},
    "meter": False,
    "usd_per_hour": 2.0,
    "expect": [{"sanity": "clean"}],
}


@pytest.mark.parametrize("key", sorted(set(CONFIG) - {"models", "tasks"}))
def test_a_configs_key_keeps_its_role(tmp_path: Path, key: str) -> None:
    before, after = ids(tmp_path, TINY), ids(tmp_path, TINY, **{key: CONFIG_CHANGES[key]})
    if CONFIG[key].part == "nothing" or key == "device":  # auto is the CPU where there is no GPU
        assert before == after
    else:
        assert before != after


def test_think_tags_do_not_matter_where_nothing_is_generated(tmp_path: Path) -> None:
    one, other = (ids(tmp_path, {**TINY, "think_tags": tags}) for tags in (["<a>", "</a>"], ["<b>", "</b>"]))
    assert one[0] != other[0]
    assert one[1] == other[1]


def test_write_task_still_says_what_it_said(tmp_path: Path) -> None:
    path = write_task(tmp_path, "t", 3)
    assert ids(tmp_path, TINY, [{"file": str(path)}]) == ids(tmp_path, TINY, [{"file": str(path)}])


FILES: dict[str, str] = {
    "chat_template.jinja": "{{ messages[-1].content }}",
    "chat_template.json": "{}",
    "added_tokens.json": "{}",
    "tekken.json": "{}",
    "generation_config.json": "{}",
    "model.safetensors.index.json": "{}",
    "modeling_own.py": "x = 1",
    "parts/layers.py": "x = 1",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_model_decides_its_answers(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(PACKAGED / "tiny-deepseek-distill", folder)
    spec = ModelSpec(id=str(folder), trust_remote_code=True)
    before = find_model(spec).model_id
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(FILES[name], encoding="utf-8")
    assert find_model(spec).model_id != before


def test_weights_that_keep_their_size_and_time_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "model"
    shutil.copytree(PACKAGED / "tiny-qwen", folder)
    before = find_model(ModelSpec(id=str(folder))).model_id

    # As rsync --times or a restored backup leaves them.
    weights = folder / "model.safetensors"
    before_stat = weights.stat()
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    os.utime(weights, ns=(before_stat.st_atime_ns, before_stat.st_mtime_ns))
    assert find_model(ModelSpec(id=str(folder))).model_id != before


def test_code_of_the_tokenizer_does_not_stand_for_the_models(tmp_path: Path) -> None:
    for name in ("model", "tokenizer"):
        shutil.copytree(PACKAGED / "tiny-qwen", tmp_path / name)
        (tmp_path / name / "own.py").write_text(name, encoding="utf-8")
    spec = ModelSpec(
        id=str(tmp_path / "model"), tokenizer=str(tmp_path / "tokenizer"), trust_remote_code=True
    )
    before = find_model(spec).model_id
    (tmp_path / "model" / "own.py").write_text("another", encoding="utf-8")
    assert find_model(spec).model_id != before


def test_an_adapter_beside_the_weights_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PACKAGED / "tiny-qwen", tmp_path / "model")
    (tmp_path / "model" / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"holds an adapter .* merge it into the weights"):
        find_model(ModelSpec(id=str(tmp_path / "model")))
