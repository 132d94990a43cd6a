"""A tokenizer does what its tokenizer.json says, whatever class its config names; and a text that
it loses is told or refused.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from harness.config.schema import ModelSpec
from harness.engines import open_engine, resolve_model
from harness.engines.fidelity import TEXTS, check_round_trip, judge, load_faithfully
from harness.engines.files import PACKAGED
from harness.engines.pieces import PieceEncoder
from harness.engines.tokenizer import ChatTemplate, TextEncoder, read_tokenizer
from harness.errors import ModelError
from harness.items import Choice

LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "attention_bias": False}
LOST = "中国的首都是北京。 1+1=2"
OTHERS = (LOST, " a  b", "x\n\n\ty = 'it''s'", "Ünïcode e\u0301 ½", "🙂", "12345 A B", "<s>a</s>")
WRONG = (
    "LlamaTokenizerFast",
    "LlamaTokenizer",
    "GPT2TokenizerFast",
    "Qwen2Tokenizer",
    "GemmaTokenizer",
    "T5Tokenizer",
    "XGLMTokenizer",
    "BertTokenizer",
    "CohereTokenizerFast",
    "NoSuchTokenizer",
)


def _copy(source: Path, to: Path, **changes: Any) -> Path:
    """A model folder's tokenizer with changes to its config; None takes a key away."""
    to.mkdir()
    for file in source.iterdir():
        if file.suffix in (".json", ".jinja"):
            shutil.copy(file, to)
            (to / file.name).chmod(0o644)
    config = json.loads((to / "tokenizer_config.json").read_text()) | changes
    (to / "tokenizer_config.json").write_text(
        json.dumps({key: value for key, value in config.items() if value is not None})
    )
    return to


def _write(folder: Path, tokenizer: Tokenizer, **config: Any) -> Path:
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>"} | config
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return folder


def _ids(raw: Any, texts: tuple[str, ...]) -> list[list[int]]:
    return [raw(text, add_special_tokens=False)["input_ids"] for text in texts]


def _truth(folder: Path, texts: tuple[str, ...]) -> list[list[int]]:
    told = Tokenizer.from_file(str(folder / "tokenizer.json"))
    told.no_truncation()
    told.no_padding()
    return [told.encode(text, add_special_tokens=False).ids for text in texts]


def test_a_llama_class_over_a_byte_level_file(mirror: Path, tmp_path: Path) -> None:
    """As the hub's R1-Distill-Llama-8B has it."""
    folder = _copy(
        mirror / "models/meta-llama/Llama-3.1-8B-Instruct",
        tmp_path / "m",
        tokenizer_class="LlamaTokenizerFast",
    )
    encoder = read_tokenizer(ModelSpec(id=str(folder)), folder)
    (finding,) = encoder.findings
    assert (finding.kind, finding.values["name"]) == ("tokenizer_rebuilt", "LlamaTokenizerFast")
    assert _ids(encoder.raw, (*TEXTS, *OTHERS)) == _truth(folder, (*TEXTS, *OTHERS))
    right = read_tokenizer(ModelSpec(id="right"), mirror / "models/meta-llama/Llama-3.1-8B-Instruct")
    assert right.findings == ()
    assert (encoder.bos_id, encoder.eos_id, encoder.special_ids) == (
        right.bos_id,
        right.eos_id,
        right.special_ids,
    )
    assert encoder.encode([LOST, "b"]) == right.encode([LOST, "b"])
    chat = [{"role": "user", "content": LOST}]
    assert ChatTemplate(encoder)(chat) == ChatTemplate(right)(chat)
    assert LOST in encoder.decode(encoder.encode([LOST])[LOST])
    assert PieceEncoder(encoder.raw).usable
    lines = [f"问题{n}\nA. 1\n答案：{end}" for n in range(3) for end in ("", " A")]
    assert PieceEncoder(encoder.raw).encode(lines, special=True) == {
        text: encoder.raw(text)["input_ids"] for text in lines
    }


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("family", ["tiny-qwen", "tiny-llama"])
def test_any_class_over_any_file(family: str, name: str, tmp_path: Path) -> None:
    folder = _copy(PACKAGED / family, tmp_path / "m", tokenizer_class=name)
    encoder = read_tokenizer(ModelSpec(id=str(folder)), folder)
    right = read_tokenizer(ModelSpec(id="right"), PACKAGED / family)
    assert _ids(encoder.raw, (*TEXTS, *OTHERS)) == _truth(folder, (*TEXTS, *OTHERS))
    assert encoder.encode(OTHERS) == right.encode(OTHERS)
    assert encoder.rebuilt == any(finding.kind == "tokenizer_rebuilt" for finding in encoder.findings)
    assert not [finding for finding in encoder.findings if finding.kind == "tokenizer_loses_text"]


@pytest.mark.parametrize(
    "changes",
    [
        {"add_prefix_space": True, "tokenizer_class": "GPT2TokenizerFast"},
        {"legacy": False, "tokenizer_class": "LlamaTokenizerFast"},
        {"split_special_tokens": True},
        {
            "added_tokens_decoder": {
                "5": {"content": "<|im_end|>", "special": True},
                "7": {"content": "the", "special": False},
            }
        },
        {
            "added_tokens_decoder": {
                "999999": {"content": "a", "lstrip": True, "rstrip": True, "special": True}
            }
        },
    ],
)
def test_a_config_that_contradicts_the_file(changes: dict[str, Any], tmp_path: Path) -> None:
    folder = _copy(PACKAGED / "tiny-qwen", tmp_path / "m", **changes)
    texts = (*OTHERS, "the <|im_end|> other", "<|im_start|>user\n中")
    encoder = read_tokenizer(ModelSpec(id=str(folder)), folder)
    assert _ids(encoder.raw, texts) == _truth(folder, texts)


@pytest.mark.parametrize(
    "name", ["openai-community/gpt2", "meta-llama/Llama-2-7b-hf", "karpathy/stories260K", "THUDM/chatglm3-6b"]
)
def test_tokenizers_of_the_mirror_follow_their_files(name: str, mirror: Path) -> None:
    _follow(mirror / "models" / name)


@pytest.mark.slow
def test_all_of_the_mirror(mirror: Path) -> None:
    for folder in sorted((mirror / "models").glob("*/*")):
        _follow(folder)


NOTED = {"chatglm3-6b": ["tokenizer_rebuilt"], "Baichuan-7B": ["tokenizer_normalises"]}
"""ChatGLM's config leaves out that its file has [gMASK] as one token; Baichuan's own normalizer
writes （） as ().
"""


def _follow(folder: Path) -> None:
    loaded = load_faithfully(folder, folder.name)
    if (folder / "tokenizer.json").is_file():
        assert _ids(loaded.raw, (*TEXTS, *OTHERS)) == _truth(folder, (*TEXTS, *OTHERS)), folder
    assert [finding.kind for finding in loaded.findings] == NOTED.get(folder.name, []), folder


def _byte_level() -> Tokenizer:
    return Tokenizer.from_file(str(PACKAGED / "tiny-qwen" / "tokenizer.json"))


def _words(unknown: str | None) -> Tokenizer:
    vocabulary = {
        word: place
        for place, word in enumerate(["</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyz0123456789.,:+=?()*'"])
    }
    model = models.BPE(vocabulary, [], unk_token=unknown)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def test_case_and_accents_lost_are_a_warning(tmp_path: Path) -> None:
    for place, normalizer in enumerate(
        (normalizers.Lowercase(), normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]))
    ):
        tokenizer = _byte_level()
        tokenizer.normalizer = normalizer
        (finding,) = load_faithfully(_write(tmp_path / str(place), tokenizer), "m").findings
        assert finding.kind == "tokenizer_loses_text"
        assert finding.of == len(TEXTS)


def test_lost_line_breaks_are_a_warning(tmp_path: Path) -> None:
    tokenizer = _byte_level()
    tokenizer.normalizer = normalizers.Replace(Regex(r"\s+"), " ")
    (finding,) = load_faithfully(_write(tmp_path / "m", tokenizer), "m").findings
    assert (finding.kind, finding.count) == ("tokenizer_loses_text", 2)
    assert "Beijing. It" in str(finding.values["back"])


def test_unknown_tokens_are_a_warning_and_none_is_a_refusal(tmp_path: Path) -> None:
    (finding,) = load_faithfully(_write(tmp_path / "a", _words("<unk>")), "m").findings
    assert finding.kind == "tokenizer_loses_text"
    with pytest.raises(ModelError, match="loses text: '中国") as caught:
        load_faithfully(_write(tmp_path / "b", _words(None)), "m")
    assert "\n" not in str(caught.value)


def test_a_file_that_drops_characters_or_spaces_is_refused(tmp_path: Path) -> None:
    for place, pattern in enumerate((r"[^\x00-\x7F]", r"\s")):
        tokenizer = _byte_level()
        tokenizer.normalizer = normalizers.Replace(Regex(pattern), "")
        with pytest.raises(ModelError, match="loses text"):
            load_faithfully(_write(tmp_path / str(place), tokenizer), "m")
    tokenizer = _byte_level()
    tokenizer.decoder = decoders.Fuse()
    with pytest.raises(ModelError, match="loses text"):
        load_faithfully(_write(tmp_path / "decoder", tokenizer), "m")


def test_what_training_left_in_the_file_changes_nothing(tmp_path: Path) -> None:
    """Truncation, padding and dropout."""
    tokenizer = _byte_level()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=64)
    told = json.loads(tokenizer.to_str())
    told["model"]["dropout"] = 0.5
    folder = _write(tmp_path / "m", Tokenizer.from_str(json.dumps(told)))
    loaded = load_faithfully(folder, "m")
    assert _ids(loaded.raw, OTHERS[:-1]) == _ids(
        load_faithfully(PACKAGED / "tiny-qwen", "m").raw, OTHERS[:-1]
    )


def test_a_vocabulary_without_a_tokenizer_json_goes_there_and_back(mirror: Path, tmp_path: Path) -> None:
    source = mirror / "models/Qwen/Qwen2.5-0.5B-Instruct"
    assert load_faithfully(source, "m").findings == ()
    folder = _copy(source, tmp_path / "m", tokenizer_class="LlamaTokenizerFast")
    shutil.copy(source / "merges.txt", folder)
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"loses text|cannot encode") as caught:
        load_faithfully(folder, "m")
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_fails_on_a_text_is_refused_in_a_line(tmp_path: Path) -> None:
    class Raising:
        unk_token_id = None

        def __call__(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("no such token\nat line 3")

    with pytest.raises(ModelError, match=r"cannot encode .中国.*no such token") as caught:
        check_round_trip(Raising(), "m", tmp_path)
    assert "\n" not in str(caught.value)


def test_the_table_of_verdicts() -> None:
    assert judge("a b", "a b", False) == "same"
    assert judge("（第３題）", "(第3題)", False) == "normalised"
    assert judge("A é b", "a e b", False) == "altered"
    assert judge("a  b\nc", "a b c", False) == "altered"
    assert judge("中国 1", "1", False) == "gone"
    assert judge("中国 1", "<unk> 1", True) == "altered"
    assert judge("a b c", "abc", False) == "gone"
    assert judge("aab", "ab", False) == "gone"


def test_the_finding_reaches_the_engine_and_scores_follow_the_file(tmp_path: Path) -> None:
    answers = {}
    for name in ("PreTrainedTokenizerFast", "LlamaTokenizerFast"):
        folder = tmp_path / name
        shutil.copytree(PACKAGED / "tiny-qwen", folder)
        for file in folder.iterdir():
            file.chmod(0o644)
        for part, changes in (("tokenizer_config.json", {"tokenizer_class": name}), ("config.json", LLAMA)):
            (folder / part).write_text(json.dumps(json.loads((folder / part).read_text()) | changes))
        spec = ModelSpec(id=str(folder), dtype="float32")
        engine = open_engine(spec, resolve_model(spec), "cpu")
        (answers[name],) = engine.score(
            [Choice("k", ((f"问题：{LOST}\n答案：", "北京"), (f"问题：{LOST}\n答案：", "上海")))]
        )
        kinds = [finding.kind for finding in engine.info.findings]
        assert ("tokenizer_rebuilt" in kinds) == (name == "LlamaTokenizerFast")
        engine.close()
    assert answers["PreTrainedTokenizerFast"].logprobs == answers["LlamaTokenizerFast"].logprobs


def test_tokens_that_the_config_adds_beyond_the_file_stay(tmp_path: Path) -> None:
    size = _byte_level().get_vocab_size()
    own = {
        str(index): {"content": token.content, "special": True}
        for index, token in _byte_level().get_added_tokens_decoder().items()
    }
    added = own | {str(size): {"content": "<|chat|>", "special": True}}
    loaded = load_faithfully(_copy(PACKAGED / "tiny-qwen", tmp_path / "m", added_tokens_decoder=added), "m")
    assert not loaded.rebuilt
    assert size in _ids(loaded.raw, ("a <|chat|> b",))[0]


def test_an_added_token_that_strips_is_the_files(tmp_path: Path) -> None:
    tokenizer = _byte_level()
    tokenizer.add_special_tokens([AddedToken("<|mark|>", lstrip=True, rstrip=True)])
    folder = _write(
        tmp_path / "m", tokenizer, added_tokens_decoder={"3": {"content": "<|mark|>", "special": True}}
    )
    encoder = TextEncoder(load_faithfully(folder, "m").raw)
    assert _ids(encoder.raw, ("a <|mark|> b",)) == _truth(folder, ("a <|mark|> b",))
