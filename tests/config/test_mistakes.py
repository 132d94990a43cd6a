"""Every mistake is one line that starts with where it is and says what was expected, what was got
and what was probably meant.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

OK = "name: a\nmodels: [tiny-qwen]\n"

ONE_MISTAKE = {
    "unknown key": (OK + "limt: 4\n", "c.yaml:3:1: unknown key 'limt'; did you mean 'limit'?"),
    "unknown key of a model": (
        "name: a\nmodels:\n  - {id: x/y, engne: vllm}\n",
        "c.yaml:3:15: unknown key 'engne' in models[0]; did you mean 'engine'?",
    ),
    "unknown key of a task's generation": (
        OK + "tasks:\n  - task: t\n    generation:\n      temprature: 1\n",
        "c.yaml:6:7: unknown key 'temprature' in tasks[0].generation; did you mean 'temperature'?",
    ),
    "wrong type": (OK + "limit: ten\n", "c.yaml:3:8: limit: expected a whole number, got 'ten'"),
    "yes is no number": (OK + "limit: yes\n", "c.yaml:3:8: limit: expected a whole number, got true"),
    "out of bounds": (OK + "limit: 0\n", "c.yaml:3:8: limit: expected more than 0, got the number 0"),
    "text that YAML reads as a number": (
        "name: a\nmodels:\n  - id: x/y\n    revision: 123\n",
        "c.yaml:4:15: models[0].revision: expected text, got the number 123; put it in quotes",
    ),
    "a list is expected": (
        "name: a\nmodels: tiny-qwen\n",
        "c.yaml:2:9: models: expected a list, got 'tiny-qwen'",
    ),
    "nothing where a list is expected": (
        "name: a\nmodels:\n",
        "c.yaml:2:8: models: expected a list, got nothing",
    ),
    "no models": ("name: a\nmodels: []\n", "c.yaml:2:9: models: expected at least 1 entries, got 0"),
    "a model that is a number": (
        "name: a\nmodels: [7]\n",
        "c.yaml:2:10: models[0]: expected a mapping (key: value), got the number 7",
    ),
    "too few entries": (
        "name: a\nmodels:\n  - {id: x/y, think_tags: [a]}\n",
        "c.yaml:3:27: models[0].think_tags: expected at least 2 entries, got a list of 1",
    ),
    "a union of types": (
        OK + "tasks:\n  - {file: c.yaml, choices: {a: b}}\n",
        "c.yaml:4:29: tasks[0].choices: expected text or a list, got a mapping",
    ),
    "unknown preset": (
        "name: a\nmodels:\n  - qwen2.5-7b-instrct\n",
        "c.yaml:3:5: unknown preset 'qwen2.5-7b-instrct'; did you mean 'qwen2.5-7b-instruct'? "
        "(a hub id is written org/name, a folder ./name)",
    ),
    "unknown bundled model": (
        "name: a\nmodels: [bundled/tiny-qwem]\n",
        "c.yaml:2:10: unknown bundled model 'bundled/tiny-qwem'; did you mean 'bundled/tiny-qwen'?; "
        "there are bundled/tiny-qwen, bundled/tiny-llama, bundled/tiny-deepseek-distill",
    ),
    "unknown engine": (
        "name: a\nmodels:\n  - {id: x/y, engine: vlm}\n",
        "c.yaml:3:23: models[0].engine: expected auto, transformers, vllm, openai or mock, got 'vlm'; did "
        "you mean 'vllm'?",
    ),
    "neither id nor preset": (
        "name: a\nmodels:\n  - dtype: float32\n",
        "c.yaml:3:5: expected id: (a hub id or a folder) or preset: (a short name), got neither",
    ),
    "name missing": ("models: [tiny-qwen]\n", "c.yaml:1:1: expected a key 'name', got none"),
    "name with a blank": (
        "name: a b\nmodels: [x/y]\n",
        "c.yaml:1:7: name: expected letters, digits, '_', '-' and '.' only, got 'a b'",
    ),
    "task and suite": (
        OK + "tasks:\n  - {task: t, suite: s}\n",
        "c.yaml:4:5: tasks[0]: say exactly one of task, suite, file; got task, suite",
    ),
    "an expectation without a bound": (
        OK + "expect:\n  - {task: t, model: m}\n",
        "c.yaml:4:5: expect[0]: say min, max or both",
    ),
    "two models of one name": (
        "name: a\nmodels:\n  - tiny-qwen\n  - {preset: tiny-qwen, dtype: float16}\n",
        "c.yaml:4:5: two models are called 'tiny-qwen' (the first on line 3); give one of them another name:",
    ),
    "overrides of pretrained weights": (
        "name: a\nmodels:\n  - id: x/y\n    config_overrides: {num_hidden_layers: 2}\n",
        "c.yaml:4:5: models[0].config_overrides: config_overrides changes the architecture, so it needs "
        "weights: random",
    ),
    "tab": ("name: a\nmodels:\n\t- x/y\n", "c.yaml:3:1: a tab; YAML is indented with spaces"),
    "tab after a dash": ("name: a\nmodels:\n  -\tx/y\n", "c.yaml:3:4: a tab; YAML is indented with spaces"),
    "duplicate key": (
        "name: a\nmodels: [x/y]\nname: b\n",
        "c.yaml:3:1: the key 'name' is here twice (first on line 1)",
    ),
    "duplicate key inside": (
        "name: a\nmodels:\n  - {id: x/y, id: x/z}\n",
        "c.yaml:3:15: the key 'id' is here twice (first on line 3)",
    ),
    "a key that is no text": (
        OK + "3: x\n",
        "c.yaml:3:1: expected a key that is text, got 3; put it in quotes",
    ),
    "unknown YAML tag": (OK + "seed: !!python/object:os.system 1\n", None),
    "two documents": (OK + "---\nname: b\n", None),
    "unclosed list": ("name: a\nmodels: [x/y\n", None),
    "an alias of itself": (OK + "expect: &a [*a]\n", None),
    "control character": (OK + "# \x01\n", "c.yaml:3:3: a character that YAML does not allow (code 1)"),
    "a list at the top": ("- a\n", "c.yaml:1:1: expected a mapping (name: …, models: …), got a list"),
    "text at the top": ("hello\n", "c.yaml:1:1: expected a mapping (name: …, models: …), got 'hello'"),
    "empty": ("", "c.yaml: this file is empty; expected at least name: and models:"),
    "only a comment": ("# later\n", "c.yaml: this file is empty; expected at least name: and models:"),
    "not UTF-8": (b"name: \xff\n", "c.yaml: not UTF-8 text (byte 7); save the file as UTF-8"),
    "circle": (OK + "extends: c.yaml\n", "c.yaml:3:10: extends: goes in a circle: c.yaml -> c.yaml"),
    "extends of nothing": (
        OK + "extends: [no/base.yaml]\n",
        "c.yaml:3:11: extends: no/base.yaml: no such file",
    ),
    "extends of another type": (
        OK + "extends: 3\n",
        "c.yaml:3:10: extends: expected the path of a YAML file, got the number 3",
    ),
}


@pytest.mark.parametrize(("text", "line"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake(
    text: str, line: str | None, write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    lines = mistakes(write(text))
    assert len(lines) == 1, lines
    assert line is None or lines == [line]
    assert lines[0].startswith("c.yaml:")


def test_all_mistakes_at_once_in_order_of_position(
    write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    write("limit: many\nspeed: {inputs: [1]}\n", "base.yaml")
    lines = mistakes(
        write(
            "nme: a\nextends: base.yaml\nmodels:\n  - {id: x/y, dtype: fp8}\n  - qwen9\nseed: no\ntasks: "
            "[{task: t, limit: -1}]\n"
        ),
        "device=gpu",
    )

    assert [line.split(" ")[0] for line in lines] == [
        "c.yaml:1:1:",
        "c.yaml:1:1:",
        "c.yaml:4:22:",
        "c.yaml:5:5:",
        "c.yaml:6:7:",
        "c.yaml:7:26:",
        "base.yaml:1:8:",
        "base.yaml:2:9:",
        "--set",
    ]
    assert "did you mean 'name'?" in "".join(lines)


def test_files_that_cannot_be_read(
    tmp_path: Path, write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    write(OK, "smoke.yaml")
    assert mistakes("smke.yaml") == ["smke.yaml: no such file; did you mean 'smoke.yaml'?"]
    assert mistakes("nowhere/x.yaml") == ["nowhere/x.yaml: no such file"]
    assert mistakes("smoke.yaml/x.yaml") == [
        "smoke.yaml/x.yaml: no such file (a part of the path is not a folder)"
    ]
    (tmp_path / "folder").mkdir()
    assert mistakes("folder") == ["folder: this is a folder; expected a YAML file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(
    tmp_path: Path, write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    path = write(OK)
    path.chmod(0)
    assert mistakes(path) == ["c.yaml: no permission to read this file"]


def test_own_files_are_looked_for_beside_the_yaml(
    tmp_path: Path, write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    write("{}", "mine.jsonl")
    (tmp_path / "dir.yaml").mkdir()
    lines = mistakes(
        write(
            OK + "tasks:\n  - {file: mien.jsonl}\n  - ./other-task.yaml\n  - task: ./dir.yaml\nmirror: gone\n"
        )
    )

    assert lines == [
        f"c.yaml:4:12: mien.jsonl: no such file (looked in {tmp_path}); did you mean 'mine.jsonl'?",
        f"c.yaml:5:5: ./other-task.yaml: no such file (looked in {tmp_path})",
        "c.yaml:6:11: ./dir.yaml: this is a folder; expected a file",
        f"c.yaml:7:9: mirror: no such folder: {tmp_path}/gone",
    ]


def test_mirror_of_the_environment_that_is_not_there(
    write: Callable[..., Path],
    mistakes: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HARNESS_MIRROR", "gone")
    assert mistakes(write(OK)) == [f"HARNESS_MIRROR: mirror: no such folder: {tmp_path}/gone"]


OVERRIDES = {
    "limit": "--set limit: expected key=value, e.g. limit=10 or models.0.dtype=float32",
    "=3": "--set =3: expected key=value, e.g. limit=10 or models.0.dtype=float32",
    "limit=ten": "--set limit=ten: limit: expected a whole number, got 'ten'",
    "models.0.dtype=floaty": "--set models.0.dtype=floaty: models[0].dtype: expected auto, float32, bfloat16 "
    "or float16, got 'floaty'; "
    "did you mean 'float32'?",
    "models.3.dtype=float32": "--set models.3.dtype=float32: models is a list: expected a number from 0 to "
    "0, got '3'",
    "models.first.dtype=float32": "--set models.first.dtype=float32: models is a list: expected a number "
    "from 0 to 0, got 'first'",
    "models.0.dtyp=float32": "--set models.0.dtyp=float32: unknown key 'dtyp' in models[0]; did you mean "
    "'dtype'?",
    "limit.x=3": "--set limit.x=3: limit is the number 5: it has no 'x' to set",
    "tasks.0.limit=3": "--set tasks.0.limit=3: tasks has no entries to change; set the whole list",
    "devise=cpu": "--set devise=cpu: unknown key 'devise'; did you mean 'device'?",
    "models.0=qwen3-8": "--set models.0=qwen3-8: unknown preset 'qwen3-8'; did you mean 'qwen3-8b'? "
    "(a hub id is written org/name, a folder ./name)",
}


@pytest.mark.parametrize(("override", "line"), OVERRIDES.items(), ids=OVERRIDES)
def test_an_override_with_a_mistake_is_named_whole(
    override: str, line: str, write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    assert mistakes(write(OK + "limit: 5\n"), override) == [line]


def test_an_override_that_is_not_yaml(write: Callable[..., Path], mistakes: Callable[..., list[str]]) -> None:
    (line,) = mistakes(write(OK), "models=[a")
    assert line.startswith("--set models=[a: not valid YAML")


@pytest.mark.parametrize(
    "line",
    [
        "seed: !!int x",
        'extends: "a\\0b"',
        "mirror: ~nobody-of-this-name/x",
        "tasks: [{file: " + "x" * 5000 + "}]",
        "expect: !!set {a}",
        "? [a]\n: b",
    ],
)
def test_odd_values_are_mistakes_too(
    line: str, write: Callable[..., Path], mistakes: Callable[..., list[str]]
) -> None:
    (lines,) = mistakes(write(OK + line + "\n"))
    assert lines.startswith("c.yaml:3:")
