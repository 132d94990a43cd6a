"""The bundled models load like any hub model, and their training text and the bundled tasks share
no item.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
from itertools import islice
from pathlib import Path
from typing import Any

import jinja2
import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.tasks.scan import read_config

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from tiny.corpus import stream  # noqa: E402
from tiny.evalset import SIZES, held_out, task_files  # noqa: E402
from tiny.families import FAMILIES  # noqa: E402
from tiny.world import LANGUAGES  # noqa: E402

TASKS = ROOT / "harness" / "data" / "tasks"
MODELS = ROOT / "harness" / "data" / "models"
TASK_NAMES = [f"{lang}_{kind}" for kind in SIZES for lang in LANGUAGES]
SUM = re.compile(r"(\d+)\s*([+-])\s*(\d+)")
TEXTS = (
    "小明有一把红色的雨伞。17 + 25 = 42",
    "Tom has a red umbrella.\n\nProblem: 3 - 1 = 2",
    "生僻字：龘靐齉爩，emoji 🙂, café, русский, \t\ttabs  and   blanks ",
)


def digest(text: str) -> str:
    """Hash of a text without case, blanks and punctuation."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return hashlib.sha256("".join(c for c in plain if c.isalnum() or c in "+-").encode()).hexdigest()


def config(task: str) -> dict[str, Any]:
    """The task's YAML."""
    return read_config(TASKS / f"{task}.yaml")


def records(task: str, split: str) -> list[dict[str, Any]]:
    """The task's lines on disk."""
    return [
        json.loads(line)
        for line in (TASKS / "data" / task / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def item_text(kind: str, row: dict[str, Any]) -> str:
    """What makes an item: its facts and question, without layout words or the order of options."""
    if kind == "passages":
        return str(row["text"])
    options = "|".join(sorted(row[letter] for letter in "ABCD")) if kind == "letters" else ""
    return str(row.get("passage") or row["question"]) + options


def evaluation_digests() -> set[str]:
    """Digests of every evaluation item on disk, few-shot examples included."""
    return {
        digest(item_text(kind, row))
        for kind in SIZES
        for lang in LANGUAGES
        for split in ("test", "train")
        for row in records(f"{lang}_{kind}", split)
    }


def evaluation_sums() -> set[tuple[int, str, int]]:
    """The sums of the arithmetic tasks, additions in both orders."""
    found = set()
    for split in ("test", "train"):
        for row in records("en_arithmetic", split):
            left, sign, right = SUM.search(row["question"]).groups()  # type: ignore[union-attr]
            found.add((int(left), sign, int(right)))
            if sign == "+":
                found.add((int(right), sign, int(left)))
    return found


def test_data_is_what_the_generator_makes() -> None:
    made = task_files()
    on_disk = {
        str(p.relative_to(TASKS / "data")): p.read_text(encoding="utf-8")
        for p in (TASKS / "data").rglob("*.jsonl")
    }
    assert on_disk == made


def test_held_out_items_are_distinct_and_parallel() -> None:
    for kind, splits in held_out().items():
        keys = [item.key for items in splits.values() for item in items]
        assert len(keys) == len(set(keys)), kind
        for split in splits:
            assert (
                len(records(f"zh_{kind}", split)) == len(records(f"en_{kind}", split)) == SIZES[kind][split]
            )
            answers = [[row.get("answer") for row in records(f"{lang}_{kind}", split)] for lang in LANGUAGES]
            assert answers[0] == answers[1]


@pytest.mark.parametrize("task", TASK_NAMES)
def test_task_prompt_is_the_prompt_trained_on(task: str) -> None:
    lang, kind = task.split("_", 1)
    settings = config(task)
    assert settings["task"] == task
    assert settings["dataset_path"] == f"bundled/{task}"
    assert settings["metadata"]["language"] == lang
    template = jinja2.Template(settings["doc_to_text"])
    for item, row in zip(held_out()[kind]["test"], records(task, "test"), strict=True):
        assert template.render(**row) == item.prompt(lang)


@pytest.mark.parametrize(
    "task", [name for name in TASK_NAMES if not name.endswith(("passages", "word_problems"))]
)
def test_right_option_is_at_every_place(task: str) -> None:
    places = [row["answer"] for row in records(task, "test")]
    assert all(places.count(place) > len(places) / 8 for place in set(places))
    assert len(set(places)) == 4


@pytest.mark.parametrize("name", FAMILIES)
def test_training_stream_has_no_evaluation_item(name: str) -> None:
    held, sums = evaluation_digests(), evaluation_sums()
    for doc in islice(stream(FAMILIES[name], FAMILIES[name].seed, start=9000), 3000):
        for item in doc.items:
            for lang in LANGUAGES:
                assert digest(item_text(item.kind, item.fields[lang])) not in held
        for left, sign, right in SUM.findall(doc.text):
            assert (int(left), sign, int(right)) not in sums


@pytest.mark.parametrize("name", FAMILIES)
def test_folder_is_small_and_safe(name: str) -> None:
    files = [path for path in (MODELS / name).rglob("*") if path.is_file()]
    expected = {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert {path.name for path in files} == expected
    assert sum(path.stat().st_size for path in files) <= 3_000_000
    settings = json.loads((MODELS / name / "config.json").read_text(encoding="utf-8"))
    assert "auto_map" not in settings
    assert settings["hidden_size"] / settings["num_attention_heads"] in (32, 64)
    assert settings["max_position_embeddings"] >= 2048


@pytest.mark.parametrize("name", FAMILIES)
def test_model_loads_and_runs(name: str) -> None:
    model, info = AutoModelForCausalLM.from_pretrained(
        MODELS / name, dtype=torch.float32, output_loading_info=True
    )
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert model.get_input_embeddings().weight.data_ptr() == model.get_output_embeddings().weight.data_ptr()
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    assert len(tokenizer) == model.config.vocab_size
    with torch.no_grad():
        logits = model(**tokenizer("计算：12 + 13 = 25\n\n" * 60, return_tensors="pt")).logits
    assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize("name", FAMILIES)
def test_tokenizer_is_what_its_file_says(name: str) -> None:
    auto, plain = (
        AutoTokenizer.from_pretrained(MODELS / name),
        Tokenizer.from_file(str(MODELS / name / "tokenizer.json")),
    )
    for doc in islice(stream(FAMILIES[name], seed=5, start=9000), 300):
        assert auto(doc.text)["input_ids"] == plain.encode(doc.text).ids
    for text in TEXTS:
        assert auto(text)["input_ids"] == plain.encode(text).ids


@pytest.mark.parametrize("name", FAMILIES)
def test_tokenizer_round_trip_and_chat(name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    for text in TEXTS:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids) == text
    assert len(tokenizer("1725", add_special_tokens=False)["input_ids"]) == 4
    bos = FAMILIES[name].bos
    assert (tokenizer("hello")["input_ids"][0] == tokenizer.bos_token_id) == (bos is not None)
    told = ("1 + 1 =", "<think>\na\n</think>\n\n2", "x")
    turns = [
        {"role": role, "content": content}
        for role, content in zip(("user", "assistant", "user"), told, strict=True)
    ]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert text.endswith(FAMILIES[name].chat_before + "x" + FAMILIES[name].chat_between)
    assert ("<think>" in text) == (not FAMILIES[name].thinks)


def test_thought_marks_are_single_visible_tokens() -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODELS / "tiny-deepseek-distill")
    ids = tokenizer("<think></think>", add_special_tokens=False)["input_ids"]
    assert len(ids) == 2
    assert tokenizer.decode(ids, skip_special_tokens=True) == "<think></think>"
