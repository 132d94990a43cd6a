from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.config import load_config
from harness.config.source import Place

ROOT = Path(__file__).resolve().parents[2]
OK = "name: a\nmodels: [tiny-qwen]\n"


def test_shorthands_presets_and_ids(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "org" / "local").mkdir(parents=True)
    models = load_config(
        write(
            "name: a\nmodels: [qwen3-8b, Qwen/Qwen2.5-7B, org/some-Chat, org/some-base, ./here, org/local, "
            "{id: qwen3-4b}]\n"
        )
    ).config.models

    assert [model.id for model in models] == [
        "Qwen/Qwen3-8B",
        "Qwen/Qwen2.5-7B",
        "org/some-Chat",
        "org/some-base",
        str(tmp_path / "here"),
        str(tmp_path / "org/local"),
        "Qwen/Qwen3-4B",
    ]
    assert [model.label for model in models] == [
        "qwen3-8b",
        "qwen2.5-7b",
        "some-Chat",
        "some-base",
        "here",
        "local",
        "qwen3-4b",
    ]
    assert [model.chat_template for model in models] == [True, False, True, False, False, False, True]
    assert models[0].think_tags == ("<think>", "</think>")
    assert models[0].thinking is True


def test_what_a_model_says_beats_its_preset(write: Callable[..., Path]) -> None:
    entry = "{preset: qwen3-8b, id: ./tuned, thinking: false, chat_template:, name: tuned}"
    text = f"name: a\nmodels:\n  - {entry}\n"
    (model,) = load_config(write(text)).config.models
    assert (model.preset, model.label, model.thinking, model.chat_template) == (
        "qwen3-8b",
        "tuned",
        False,
        True,
    )
    assert model.id == str(Path("tuned").absolute())


def test_tasks_as_names_globs_and_files(write: Callable[..., Path], tmp_path: Path) -> None:
    write("{}", "data/q.jsonl")
    write("task: t", "data/t.yaml")
    tasks = load_config(
        write(OK + 'tasks: ["ceval-valid_*", data/t.yaml, data/q.jsonl, {suite: smoke}]\n')
    ).config.tasks

    assert [task.task or task.file or task.suite for task in tasks] == [
        "ceval-valid_*",
        str(tmp_path / "data/t.yaml"),
        str(tmp_path / "data/q.jsonl"),
        "smoke",
    ]


def test_extends_merges_mappings_and_replaces_lists(write: Callable[..., Path], tmp_path: Path) -> None:
    write("{}", "base/q.jsonl")
    write("limit: 5\nseed: 1\ntasks: [base_task]\nspeed: {input: [1, 2], output: [3]}\n", "base/one.yaml")
    write("extends: one.yaml\nseed: 2\ntasks: [{file: q.jsonl}]\n", "base/two.yaml")
    write("limit: 7\ndevice: cpu\n", "base/three.yaml")
    loaded = load_config(write(OK + "extends: [base/two.yaml, base/three.yaml]\nspeed: {input: [9]}\n"))
    config = loaded.config

    assert (config.limit, config.seed, config.device) == (7, 2, "cpu")
    assert config.tasks[0].file == str(tmp_path / "base/q.jsonl"), (
        "a path is relative to the file that says it"
    )
    assert config.speed is not None
    assert (config.speed.input, config.speed.output) == ([9], [3])
    assert [path.name for path in loaded.sources] == ["c.yaml", "two.yaml", "one.yaml", "three.yaml"]
    assert loaded.base_dir == tmp_path
    assert loaded.where("tasks", 0, "file") == "base/two.yaml:3:16"


def test_one_base_reached_twice_is_no_circle(write: Callable[..., Path]) -> None:
    write("limit: 5\n", "one.yaml")
    write("extends: one.yaml\n", "two.yaml")
    assert load_config(write(OK + "extends: [one.yaml, two.yaml]\n")).config.limit == 5


def test_overrides(write: Callable[..., Path]) -> None:
    config = load_config(
        write(OK + "limit: 5\n"),
        [
            "models.0.dtype=float32",
            "limit=",
            "device=cpu",
            "models.0.engine_args.batch_tokens=64",
            "tasks=[arc_easy]",
            "models.0.think_tags=[a, b]",
        ],
    ).config
    model = config.models[0]

    assert (config.limit, config.device, config.tasks[0].task) == (None, "cpu", "arc_easy")
    assert (model.dtype, model.engine_args, model.think_tags) == ("float32", {"batch_tokens": 64}, ("a", "b"))


def test_overrides_take_paths_from_the_working_directory(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    assert load_config(write(OK, "deep/c.yaml"), ["mirror=m"]).config.mirror == str(tmp_path / "m")


def test_mirror_from_the_environment_unless_said(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("env", "said"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path / "env"))
    assert load_config(write(OK)).config.mirror == str(tmp_path / "env")
    assert load_config(write(OK + "mirror: said\n")).config.mirror == str(tmp_path / "said")


def test_anchors_and_merge_keys(write: Callable[..., Path]) -> None:
    text = (
        "name: a\nmodels:\n  - &base {id: x/y, dtype: float16, seed: 3}\n  - {<<: *base, id: x/z, seed: 4}\n"
    )
    second = load_config(write(text)).config.models[1]
    assert (second.id, second.dtype, second.seed) == ("x/z", "float16", 4)


def test_a_byte_order_mark_and_windows_line_ends(write: Callable[..., Path]) -> None:
    assert load_config(write(b"\xef\xbb\xbfname: a\r\nmodels: [tiny-qwen]\r\n")).config.name == "a"


def test_hash_guards_what_is_asked_and_who_answers(write: Callable[..., Path], tmp_path: Path) -> None:
    base = load_config(write(OK + "tasks: [{task: t, limit: 3}]\n"))
    same = [
        OK.replace("a\n", "b\n", 1) + "tasks: [t]\n",
        "tasks: [t]\n" + OK + "limit: 9\ndevice: cpu\nmirror: .\nexpect: [{task: t, model: m, min: 0}]\n",
        "name: a\nmodels: [{preset: tiny-qwen, gpus: 0}]\ntasks: [t]\nallow_code_execution: true\n",
    ]
    other = [
        OK + "tasks: [t]\nseed: 1\n",
        OK + "tasks: [t, u]\n",
        "name: a\nmodels: [{id: bundled/tiny-qwen, dtype: float32}]\ntasks: [t]\n",
    ]

    assert {load_config(write(text)).hash for text in same} == {base.hash}
    assert base.hash not in {load_config(write(text)).hash for text in other}


def test_hash_does_not_depend_on_where_the_project_lies(write: Callable[..., Path]) -> None:
    texts = [
        load_config(write("name: a\nmodels: [./m]\n", f"{place}/c.yaml")).hash
        for place in ("here", "over/there")
    ]
    assert texts[0] == texts[1]


def test_resolved_yaml_gives_the_same_config(write: Callable[..., Path], tmp_path: Path) -> None:
    write("{}", "q.csv")
    text = "name: 名字\nmodels: [qwen3-8b, ./m, {preset: qwen3-4b, thinking: false}]\n"
    text += "tasks: [q.csv, {task: t, generation: {until: ['\\n']}}]\n"
    loaded = load_config(write(text + "speed: {}\n"), ["limit=3"])
    (tmp_path / "elsewhere").mkdir()
    again = load_config(write(loaded.to_yaml(), "elsewhere/r.yaml"))
    assert again.config == loaded.config
    assert "名字" in loaded.to_yaml()


def test_where_names_the_nearest_written_place(write: Callable[..., Path]) -> None:
    loaded = load_config(write(OK + "tasks:\n  - {suite: nope}\n"))
    assert loaded.where("tasks", 0, "suite") == "c.yaml:4:13"
    assert loaded.where("tasks", 0, "limit") == "c.yaml:4:5"
    assert str(Place("--set a=b")) == "--set a=b"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_of_the_project_loads_and_opens_with_a_comment(path: Path) -> None:
    assert load_config(path).config.name == path.stem
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    command = "run" if load_config(path).config.tasks else "bench"
    assert f"harness {command} {path.stem}" in text
    assert yaml.safe_load(text)["name"] == path.stem


def test_importing_is_light() -> None:
    code = (
        "import sys, harness.config; heavy = ('torch', 'transformers', 'lm_eval', 'numpy', 'datasets'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
