"""Tokens counted are transformers' own; characters, bytes and pages by hand; what cannot be read is
named.
"""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.config.schema import ModelSpec
from harness.engines.files import locate
from harness.engines.tokenizer import TextEncoder, read_tokenizer
from harness.errors import ConfigError, DataError, ModelError
from harness.meter import texts as texts_module
from harness.meter.texts import LANGUAGES, ParallelText, dataset_texts, own_texts
from harness.meter.tokenizers import (
    PAGE,
    Failed,
    LanguageCount,
    TokenizerCounts,
    count,
    measure,
    merge,
    mirror_tokenizers,
)

ROOT = Path(__file__).resolve().parents[2]
MIRROR = Path(os.environ.get("HARNESS_MIRROR") or ROOT / "../shared/mirror").resolve()
RECORDED = ROOT / "results" / "recorded" / "tokenizers.json"
IN_MIRROR = mirror_tokenizers(MIRROR) if (MIRROR / "models").is_dir() else []
BUNDLED = ["bundled/tiny-qwen", "bundled/tiny-llama", "bundled/tiny-deepseek-distill"]


def encoder_of(name: str) -> TextEncoder:
    spec = ModelSpec(id=name)
    return read_tokenizer(spec, locate(name, spec, MIRROR, weights=False)[0])


def check_against_transformers(name: str) -> dict[str, LanguageCount]:
    encoder = encoder_of(name)
    found: dict[str, LanguageCount] = {}
    for language in LANGUAGES:
        paragraphs = own_texts().of(language)
        found[language] = count(encoder, paragraphs)
        assert found[language].tokens == sum(
            len(encoder.raw.encode(text, add_special_tokens=False)) for text in paragraphs
        )
    return found


@pytest.mark.parametrize("name", BUNDLED)
def test_tokens_are_those_of_transformers(name: str) -> None:
    check_against_transformers(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_MIRROR)
def test_tokens_are_those_of_transformers_in_every_family_and_as_recorded(name: str) -> None:
    found = check_against_transformers(name)
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    line = next(entry for entry in recorded["tokenizers"] if name in entry["names"])
    for language in LANGUAGES:
        kept = line["texts"]["own"][language]
        assert (kept["tokens"], kept["characters"], kept["bytes"]) == (
            found[language].tokens,
            found[language].characters,
            found[language].bytes,
        )


def test_the_record_is_of_these_texts() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert recorded["texts"][0]["fingerprint"] == own_texts().fingerprint()
    assert recorded["page_characters"] == PAGE
    assert not recorded["failed"]


class Letters:
    """A tokenizer of one token a character, 0 for all but a and b."""

    bos_token_id, eos_token_id, unk_token_id, all_special_ids, is_fast = None, None, 0, (), False

    def __call__(self, texts: list[str], **_: object) -> dict[str, list[list[int]]]:
        return {"input_ids": [[{"a": 1, "b": 2}.get(sign, 0) for sign in text] for text in texts]}


def test_characters_are_nfc_code_points_and_bytes_are_utf8() -> None:
    # "é" as e and an accent: two code points and tokens, three bytes, one NFC character; "中": one,
    # one, three, one; "ab": two of each
    found = count(TextEncoder(Letters()), ["e\u0301", "中ab", "ab", "ab"])
    assert found == LanguageCount(
        tokens=2 + 3 + 2 + 2, characters=1 + 3 + 2 + 2, bytes=3 + 5 + 2 + 2, unknown=3
    )
    assert found.characters_per_token == 8 / 9
    assert found.bytes_per_token == 12 / 9
    assert found.page("zh") == 500 * 9 / 8
    assert found.page("en") == 1800 * 9 / 8


def test_nothing_to_count_is_an_error() -> None:
    with pytest.raises(ModelError, match="no token for 1 texts"):
        count(TextEncoder(Letters()), [""])


def test_own_texts_are_parallel_varied_and_in_nfc() -> None:
    own = own_texts()
    assert len(own.zh) == len(own.en) == len(set(own.kinds)) == 10
    for zh, en in zip(own.zh, own.en, strict=True):
        assert unicodedata.is_normalized("NFC", zh)
        assert unicodedata.is_normalized("NFC", en)
        assert sum("\u4e00" <= sign <= "\u9fff" for sign in zh) > 60
        assert not any("\u4e00" <= sign <= "\u9fff" for sign in en)
        assert (
            2 < len(en) / len(zh) < 5 or "x³" in zh
        )  # the same content: English takes about three and a half times the characters


def test_a_broken_file_of_texts_is_named(tmp_path: Path) -> None:
    file = tmp_path / "texts.yaml"
    file.write_text("version: 1\nparagraphs: [{kind: news, zh: 好}]\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"texts\.yaml: KeyError: 'en'"):
        own_texts(file)


def data_source(monkeypatch: pytest.MonkeyPatch, zh: list[str], en: list[str]) -> None:
    class Split(dict[str, list[str]]):
        @property
        def column_names(self) -> list[str]:
            return list(self)

    class Sources:
        def __init__(self, mirror: object) -> None:
            pass

        def load(self, path: str, config: str) -> Any:
            return {"validation": Split(context=zh if config.endswith("zh") else en)}, SimpleNamespace()

    monkeypatch.setattr("harness.tasks.sources.DataSources", Sources)


def test_a_parallel_data_set_gives_each_pair_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data_source(monkeypatch, ["一", "一", "二"], ["one", "one", "two"])
    found = dataset_texts("xquad", None)
    assert (found.zh, found.en, found.source) == (("一", "二"), ("one", "two"), "google/xquad")


def test_data_that_does_not_line_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data_source(monkeypatch, ["一"], ["one", "two"])
    with pytest.raises(DataError, match="1 Chinese rows but 2 English ones"):
        dataset_texts("xquad", None)
    with pytest.raises(DataError, match="no column 'question' in a split 'test'"):
        dataset_texts("mgsm", None)
    with pytest.raises(ConfigError, match="unknown parallel data set 'xquadd'; did you mean 'xquad'"):
        dataset_texts("xquadd", None)
    assert set(texts_module.DATASETS) == {"xquad", "mgsm", "belebele"}


def test_models_that_share_a_tokenizer_are_one_line_and_a_broken_one_ends_nothing(tmp_path: Path) -> None:
    text = ParallelText("t", "here", ("你好",), ("hello",))
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    answers = list(measure(["tiny-qwen", str(tmp_path), "bundled/tiny-qwen", "bundled/tiny-llama"], [text]))
    assert isinstance(answers[1], Failed)
    assert "cannot load a tokenizer" in answers[1].reason
    found = merge(one for one in answers if isinstance(one, TokenizerCounts))
    assert {one.names for one in found} == {("tiny-qwen", "bundled/tiny-qwen"), ("bundled/tiny-llama",)}
    assert found[0].counts["t"]["zh"].tokens <= found[1].counts["t"]["zh"].tokens
    assert found[0].premium("t") == found[0].counts["t"]["zh"].tokens / found[0].counts["t"]["en"].tokens


def test_the_command_prints_a_table_and_data(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["tokenizers", "bundled/tiny-qwen", "--out", str(tmp_path / "kept.json")])
    assert shown.exit_code == 0
    assert "bundled/tiny-qwen" in shown.stdout
    assert "A page: 500 Chinese or 1,800 English characters" in shown.stdout
    kept = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    own = kept["tokenizers"][0]["texts"]["own"]
    assert own["zh"]["page_tokens"] == round(500 * own["zh"]["tokens"] / own["zh"]["characters"], 1)
    assert own["zh_by_en_tokens"] == round(own["zh"]["tokens"] / own["en"]["tokens"], 4)


def test_the_command_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    nothing = CliRunner().invoke(app, ["tokenizers"])
    assert isinstance(nothing.exception, ConfigError) or nothing.exit_code == 2
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    broken = CliRunner().invoke(app, ["tokenizers", str(tmp_path), "bundled/tiny-qwen", "--json"])
    assert broken.exit_code == 1
    data = json.loads(broken.stdout)
    assert [entry["name"] for entry in data["failed"]] == [str(tmp_path)]
    assert len(data["tokenizers"]) == 1
    with pytest.raises(ConfigError, match="no tokenizer in models/ORG/NAME"):
        mirror_tokenizers(tmp_path)
