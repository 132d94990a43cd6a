"""Where data comes from: the hub's layouts in a folder, own files, and errors in one line."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.config.schema import TaskEntry
from harness.errors import DataError
from harness.hub import presence
from harness.tasks import DataSources, PromptStyle, expand, load

CSV = ",Question,A,B,C,D,Answer\n0,下列哪个是水果,苹果,None,桌子,NA,A\n1,二加二等于,三,四,五,六,B\n"


def script_and_zip(mirror: Path, path: str, configs: tuple[str, ...]) -> Path:
    """A dataset folder as haonan-li/cmmlu and tyouisen/aclue are on the hub: a script that is
    refused, and a zip.
    """
    folder = mirror / "datasets" / path
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.py").write_text("raise SystemExit('never run')\n")
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# a script repository\n")
    with zipfile.ZipFile(folder / f"{folder.name}_v1_0_1.zip", "w") as archive:
        for config in configs:
            for split in ("dev", "test"):
                archive.writestr(f"{split}/{config}.csv", CSV)
    return folder


def parquet(path: Path, rows: list[dict[str, object]]) -> None:
    from datasets import Dataset

    path.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_list(rows).to_parquet(str(path))


def loads(name: str, mirror: Path, **settings: Any) -> Any:
    spec = expand([TaskEntry(task=name, **settings)], limit=None, base_dir=Path()).tasks[0]
    return load(spec, DataSources(mirror))


SCRIPTS = [
    ("haonan-li/cmmlu", "anatomy", "cmmlu_anatomy"),
    ("tyouisen/aclue", "couplet_prediction", "aclue_couplet_prediction"),
]


@pytest.mark.parametrize(("path", "config", "task"), SCRIPTS)
def test_a_script_repository_with_a_zip_is_read(data_folder: Path, path: str, config: str, task: str) -> None:
    script_and_zip(data_folder, path, (config, "agronomy"))
    made = loads(task, data_folder, fewshot=1)
    choice = next(iter(made.items(PromptStyle())))
    assert made.available == 2
    assert choice.pairs[0][0].endswith("下列哪个是水果\nA. 苹果\nB. None\nC. 桌子\nD. NA\n答案：")
    assert [pair[1] for pair in choice.pairs] == [" A", " B", " C", " D"]


def test_a_missing_config_names_the_nearest(data_folder: Path) -> None:
    script_and_zip(data_folder, "haonan-li/cmmlu", ("anatomy", "agronomy"))
    with pytest.raises(DataError, match=r"no config 'astronomy'.*nearest: a") as caught:
        loads("cmmlu_astronomy", data_folder)
    assert "\n" not in str(caught.value)


def test_mlqa_is_read_from_the_parquet_branch(data_folder: Path) -> None:
    row: dict[str, object] = {
        "context": "北京是首都。",
        "question": "首都是哪里？",
        "answers": {"text": ["北京"], "answer_start": [0]},
        "id": "1",
    }
    for split in ("test", "validation"):
        parquet(data_folder / "datasets/facebook/mlqa/mlqa.zh.zh" / split / "0000.parquet", [row, row])
    made = loads("mlqa_zh_zh", data_folder)
    assert made.available == 2
    assert "首都是哪里？" in next(iter(made.items(PromptStyle()))).prompt


def test_rewritten_files_are_never_stale(data_folder: Path) -> None:
    file = data_folder / "datasets/org/name/data/test-00000-of-00001.parquet"
    parquet(file, [{"text": "one"}])
    first, before = DataSources(data_folder).load("org/name")
    parquet(file, [{"text": "two"}])
    second, after = DataSources(data_folder).load("org/name")
    assert (first["test"][0]["text"], second["test"][0]["text"]) == ("one", "two")
    assert before.fingerprint != after.fingerprint
    assert before.origin == "mirror"


def test_layouts_without_a_readme(data_folder: Path) -> None:
    folder = data_folder / "datasets/org/name"
    (folder / "zh").mkdir(parents=True)
    (folder / "zh/test.jsonl").write_text('{"a": 1}\n{"a": 2}\n', encoding="utf-8")
    (folder / "zh/dev.csv").write_text("a\n3\n", encoding="utf-8")
    splits, _ = DataSources(data_folder).load("org/name", "zh")
    assert splits["test"]["a"] == [1, 2]
    assert splits["dev"]["a"] == ["3"]
    with pytest.raises(DataError, match="no split 'train'; it has: dev, test"):
        splits["train"]


def test_features_of_parquet_are_kept(data_folder: Path) -> None:
    from datasets import ClassLabel, Dataset, Features

    file = data_folder / "datasets/org/name/default/test.parquet"
    file.parent.mkdir(parents=True)
    Dataset.from_dict({"label": [1]}, Features({"label": ClassLabel(names=["no", "yes"])})).to_parquet(
        str(file)
    )
    splits, _ = DataSources(data_folder).load("org/name")
    assert splits["test"].features["label"].names == ["no", "yes"]


def test_nothing_found_says_what_was_tried(data_folder: Path) -> None:
    start = time.monotonic()
    with pytest.raises(
        DataError, match=r"no datasets/org/none.*HF_HUB_OFFLINE.*HF_ENDPOINT.*HARNESS_HUB=modelscope"
    ) as caught:
        DataSources(data_folder).load("org/none", "x")
    assert "\n" not in str(caught.value)
    assert time.monotonic() - start < 10


def test_an_unreachable_hub_is_asked_once(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    presence.silence_of.cache_clear()
    start = time.monotonic()
    for name in ("org/one", "org/two", "org/three"):
        with pytest.raises(DataError, match=r"127\.0\.0\.1:9"):
            DataSources(data_folder).load(name)
    assert time.monotonic() - start < 10
    assert presence.silence_of.cache_info().misses == 1


def test_a_script_repository_on_the_hub_is_read_from_its_zip(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets
    import huggingface_hub

    folder = script_and_zip(data_folder, "haonan-li/cmmlu", ("anatomy",))

    class Api:
        def dataset_info(self, path: str, **_: object) -> SimpleNamespace:
            return SimpleNamespace(sha="c0ffee")

        def list_repo_files(self, path: str, **_: object) -> list[str]:
            return [file.name for file in folder.iterdir()]

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Dataset scripts are no longer supported, but found cmmlu.py")

    monkeypatch.setattr(presence, "hub_absence", lambda **_: None)
    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda path, name, **_: str(folder / name))
    monkeypatch.setattr(datasets, "load_dataset", refuse)
    splits, provenance = DataSources().load("haonan-li/cmmlu", "anatomy")
    assert splits["dev"].num_rows == 2
    assert (provenance.origin, provenance.revision) == ("hub", "c0ffee")


def test_the_hubs_cache_is_read_offline(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    cache = data_folder / "hub/datasets--org--name"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs/main").write_text("abc123")
    parquet(cache / "snapshots/abc123/data/test-00000-of-00001.parquet", [{"text": "one"}])
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(data_folder / "hub"))
    splits, provenance = DataSources().load("org/name")
    assert splits["test"][0] == {"text": "one"}
    assert (provenance.origin, provenance.revision) == ("cache", "abc123")


def test_modelscope_without_its_package(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_HUB", "modelscope")
    with pytest.raises(DataError, match=r"pip install .open-weight-harness\[modelscope\]"):
        DataSources(data_folder).load("org/none")


def test_a_broken_file_is_one_line(data_folder: Path) -> None:
    file = data_folder / "datasets/org/name/default/test.parquet"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="is the file complete") as caught:
        DataSources(data_folder).load("org/name")
    assert "\n" not in str(caught.value)


def own_yaml(folder: Path, **changes: object) -> Path:
    """A task YAML with a JSONL file next to it."""
    rows = [{"q": f"{n} + 1 =", "a": str(n + 1)} for n in range(5)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config: dict[str, object] = {
        "task": "mine",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{q}}",
        "doc_to_target": "a",
        "generation_kwargs": {"until": ["\n"]},
    }
    path = folder / "mine.yaml"
    path.write_text(json.dumps(config | changes), encoding="utf-8")
    return path


def test_a_missing_training_split_matters_only_with_shots(tmp_path: Path) -> None:
    own_yaml(tmp_path, training_split="train")
    for fewshot in (None, 2):
        spec = expand([TaskEntry(task="mine.yaml", fewshot=fewshot)], limit=None, base_dir=tmp_path).tasks[0]
        if fewshot is None:
            assert load(spec, DataSources()).available == 5
        else:
            with pytest.raises(DataError, match="no split 'train'; it has: test"):
                load(spec, DataSources())


def test_a_missing_test_split_is_named(tmp_path: Path) -> None:
    own_yaml(tmp_path, test_split="holdout")
    spec = expand([TaskEntry(task="mine.yaml")], limit=None, base_dir=tmp_path).tasks[0]
    with pytest.raises(DataError, match="no split 'holdout'; it has: test"):
        load(spec, DataSources())


def test_identity_follows_data_and_settings_not_the_place(tmp_path: Path) -> None:
    ids = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        own_yaml(tmp_path / name)
        spec = expand([TaskEntry(task="mine.yaml", limit=2)], limit=None, base_dir=tmp_path / name).tasks[0]
        ids.append(load(spec, DataSources()).identity(PromptStyle()))
    assert ids[0] == ids[1]
    json.dumps(ids[0])
    shots = expand([TaskEntry(task="mine.yaml", fewshot=1)], limit=None, base_dir=tmp_path / "one").tasks[0]
    assert load(shots, DataSources()).identity(PromptStyle()) != ids[0]
    with (tmp_path / "two/rows.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"q": "9 + 1 =", "a": "10"}\n')
    changed = expand([TaskEntry(task="mine.yaml")], limit=None, base_dir=tmp_path / "two").tasks[0]
    assert load(changed, DataSources()).identity(PromptStyle())["data"] != ids[0]["data"]


def test_code_tasks_need_leave() -> None:
    from harness.errors import ConfigError

    spec = expand([TaskEntry(task="humaneval")], limit=None, base_dir=Path()).tasks[0]
    with pytest.raises(ConfigError, match="allow_code_execution"):
        load(spec, DataSources())


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [("x", 3, "a number"), (3, "x", "a text"), ("x", ["x"], "a list"), (["x"], "x", "a text")],
)
def test_columns_of_two_kinds_name_the_row(tmp_path: Path, one: object, other: object, told: str) -> None:
    path = own_yaml(tmp_path)
    rows = [{"q": "a", "a": one}, {"q": "b", "a": one}, {"q": "c", "a": other}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    spec = expand([TaskEntry(task=path.name)], limit=None, base_dir=tmp_path).tasks[0]
    with pytest.raises(DataError, match=f"row 3, column 'a' is {told}, while row 1 has"):
        load(spec, DataSources())


@pytest.mark.parametrize(("row", "told"), [("x", "fewer"), ("x,y,z", "more")])
def test_rows_of_another_length_are_refused(tmp_path: Path, row: str, told: str) -> None:
    path = own_yaml(tmp_path, dataset_path="csv", dataset_kwargs={"data_files": {"test": "rows.csv"}})
    (tmp_path / "rows.csv").write_text(f"q,a\nb,c\n{row}\n", encoding="utf-8")
    spec = expand([TaskEntry(task=path.name)], limit=None, base_dir=tmp_path).tasks[0]
    with pytest.raises(DataError, match=f"row 2 has {told} cells"):
        load(spec, DataSources())
