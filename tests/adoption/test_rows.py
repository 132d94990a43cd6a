"""What the hub's entries and the dated tables say of a model."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from support.hub import model

from harness.adoption import HubModel, read_snapshots
from harness.adoption.files import FIELDS, write_snapshot
from harness.adoption.rows import LANGUAGE, TEXT, clean_pipeline, in_pipelines, named_quantized, of_hub
from harness.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("tags", "base", "relation", "quantized"),
    [
        (
            ["base_model:Qwen/Qwen3-8B", "base_model:quantized:Qwen/Qwen3-8B", "gguf"],
            "Qwen/Qwen3-8B",
            "quantized",
            True,
        ),
        (["base_model:finetune:Qwen/Qwen3-8B-Base"], "Qwen/Qwen3-8B-Base", "finetune", False),
        (["base_model:adapter:a/b"], "a/b", "adapter", False),
        (["base_model:a/b"], "a/b", None, False),
        (["4-bit", "base_model:a/b"], "a/b", None, True),
        (["license:mit", "region:us"], None, None, False),
    ],
)
def test_the_tags(tags: list[str], base: str | None, relation: str | None, quantized: bool) -> None:
    row = of_hub(model("x/y", 1, 2, tags=tags))
    assert (row.base_model, row.relation, row.quantized) == (base, relation, quantized)


def test_an_entry_that_says_little() -> None:
    assert of_hub({"id": "gpt2"}) == HubModel("gpt2", quantized=False)
    assert of_hub({"id": "gpt2"}).organization == ""


@pytest.mark.parametrize(
    "change", [{"id": ""}, {"likes": -1}, {"downloads": 1.5}, {"likes": True}, {"createdAt": "soon"}]
)
def test_a_broken_entry(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"id|count|date|Invalid|iso"):
        of_hub(model("x/y", 1, 2) | change)


@pytest.mark.parametrize(
    ("said", "pipeline"),
    [
        ("Image-Text-to-Text", "image-text-to-text"),
        ("Text Generation", "text-generation"),
        ("translation", "translation"),
        ("9B", None),
        ("0.4B", None),
        ("677k", None),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_pipelines(said: str | None, pipeline: str | None) -> None:
    assert clean_pipeline(said) == pipeline


@pytest.mark.parametrize(
    ("name", "quantized"),
    [
        ("unsloth/Qwen3.8-27B-GGUF", True),
        ("TheBloke/Llama-2-7B-AWQ", True),
        ("mlx-community/Qwen3-8B-4bit", True),
        ("nvidia/DeepSeek-R1-NVFP4", True),
        ("Qwen/Qwen3-8B-FP8", True),
        ("mlx-community/whisper", False),  # the namespace says nothing of this model
        ("Qwen/Qwen3-8B", False),
        ("openai/gpt-oss-20b", False),
        ("a/fp8x-study", False),
    ],
)
def test_names_of_quantised_weights(name: str, quantized: bool) -> None:
    assert named_quantized(name) is quantized


def test_a_model_without_a_tag_is_a_text_model_where_a_preset_knows_it() -> None:
    mixtral, control = (
        HubModel("mistralai/Mixtral-8x7B-Instruct-v0.1"),
        HubModel("lllyasviel/ControlNet-v1-1"),
    )
    assert [in_pipelines(row, TEXT) for row in (mixtral, control)] == [True, False]
    vision = HubModel("mistralai/Mixtral-8x7B-Instruct-v0.1", pipeline="image-text-to-text")
    assert [in_pipelines(vision, pipelines) for pipelines in (TEXT, LANGUAGE)] == [False, True]


ROWS = [
    HubModel(
        "a/b",
        3,
        4,
        50,
        "text-generation",
        datetime.date(2025, 1, 2),
        7_000_000_000,
        "mit",
        "c/d",
        "quantized",
        True,
    ),
    HubModel("名/模型", 0, None, None, None, None, None, None, None, None, False, False),
]
HEADER = {
    "record": "header",
    "schema_version": 1,
    "date": "2026-01-02",
    "endpoint": "hub",
    "selection": "top2",
    "query": {"organizations": []},
    "models": 2,
}


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    write_snapshot(tmp_path / name, HEADER, iter(ROWS))
    (found,) = read_snapshots([tmp_path / name])
    assert (found.rows, found.date, found.source, found.selection) == (
        tuple(ROWS),
        datetime.date(2026, 1, 2),
        "hub",
        "top2",
    )
    before = (tmp_path / name).read_bytes()
    write_snapshot(tmp_path / name, HEADER, iter(ROWS))
    assert (tmp_path / name).read_bytes() == before
    assert len(FIELDS) == len(ROWS[0].__slots__)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.jsonl", '{"record": "header"}\n', "x.jsonl:1: no header"),
        ("x.jsonl", json.dumps(HEADER) + '\n{"model": "a/b"}\n', "says 2 models, it holds 1"),
        ("x.jsonl", json.dumps(HEADER | {"schema_version": 9}) + "\n", "schema_version 9"),
        ("x.jsonl", json.dumps(HEADER) + "\n{\n", "x.jsonl:2: not JSON"),
        ("x.jsonl", json.dumps(HEADER) + '\n{"model": "a/b", "likes": "x"}\n', "x.jsonl:2: likes is 'x'"),
        ("x.csv", "date,source,likes\n", "no column model"),
        ("x.csv", "date,source,model\n", "no figures"),
        ("x.csv", "date,source,model,likes\n2026-01-02,s,a/b,-1\n", "x.csv:2: likes is '-1'"),
        ("x.csv", "date,source,model,likes\nsoon,s,a/b,1\n", "x.csv:2: expected a date"),
        ("x.csv", "date,source,model,likes\n2026-01-02\n", "x.csv:2"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_snapshots([tmp_path / name])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_files_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"date,source,model,likes\n" * 99)[:40])
    with pytest.raises(ConfigError, match=r"a snapshot is \.jsonl or \.csv\.gz"):
        read_snapshots([tmp_path / "x.parquet"])
    with pytest.raises(DataError, match="cannot be read"):
        read_snapshots([tmp_path / "x.csv.gz"])
    with pytest.raises(DataError, match="cannot be read"):
        read_snapshots([tmp_path / "none.jsonl"])


def test_tables_of_likes_and_downloads_are_joined(tmp_path: Path) -> None:
    head = "date,source,model,pipeline,{},exact,note\n"
    likes, downloads = tmp_path / "likes.csv", tmp_path / "downloads.csv"
    likes.write_text(
        head.format("likes")
        + "2026-08-22,s,a/b,Text Generation,5,yes,trending\n2026-08-22,s,a/c,9B,4,yes,trending\n"
    )
    downloads.write_text(
        head.format("downloads_30d") + "2026-08-22,s,a/b,Text Generation,70,three digits,trending\n"
    )
    (found,) = read_snapshots([likes, downloads])
    assert found.selection == "trending"
    assert {row.model: (row.likes, row.downloads_30d, row.pipeline, row.exact) for row in found.rows} == {
        "a/b": (5, 70, "text-generation", False),
        "a/c": (4, None, None, True),
    }


def test_lists_of_different_queries_are_never_joined(tmp_path: Path) -> None:
    """Two snapshots of one hub and day: other organisations are another list; the same query counts
    once, the later one.
    """

    def put(name: str, orgs: list[str], likes: int, ended: str) -> Path:
        header = HEADER | {
            "selection": "organizations",
            "query": {"organizations": orgs},
            "models": 1,
            "ended": ended,
        }
        write_snapshot(tmp_path / name, header, [HubModel(f"{orgs[0]}/x", likes)])
        return tmp_path / name

    paths = [
        put("a.jsonl", ["Qwen"], 1, "2026-01-02T10:00:00"),
        put("b.jsonl", ["openai"], 2, "2026-01-02T10:00:00"),
        put("c.jsonl", ["qwen"], 3, "2026-01-02T12:00:00"),
    ]
    for order in (paths, paths[::-1]):
        found = {one.series[2]: [row.likes for row in one.rows] for one in read_snapshots(order)}
        assert found == {("qwen",): [3], ("openai",): [2]}
