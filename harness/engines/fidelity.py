"""Whether a tokenizer gives texts back, and whether it is the one that its file describes.

transformers builds a fast tokenizer by the class that ``tokenizer_config.json`` names. Some classes
put their own normalizer, pre-tokenizer and decoder in place of those in ``tokenizer.json``; where
the class is not the family's own, text vanishes without a word. So the file is the truth: the
loaded tokenizer must have the file's pipeline and vocabulary and give the file's ids, else it is
rebuilt from the file. Then a few texts go there and back. Nothing here asks for a model's name.

| a text that comes back | is |
|---|---|
| as it was | right |
| equal but for Unicode compatibility forms (full-width signs, ①) | a note: the tokenizer's own
  normalizer |
| changed: lower case, accents, spaces, or an unknown token in place of what the vocabulary lacks |
  a warning
  |
| without some of its visible characters (or all of its spaces), and no unknown token in their place
  | refused
  |
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import ModelError
from harness.sanity import Finding
from harness.wording import clipped, first_line

TEXTS = (
    "中国的首都是北京。 1+1=2",
    "問題：下列哪一項是「正確」的？（第３題）",
    "The capital of China is Beijing.  It's 1,234.50 , isn't it ?",
    "def f(x):\n    return x**2\n\n\tprint('ok')",
    "🙂👍🏽 émigré Ω≈π",
)
"""They go there and back. No white space at either end, which many tokenizers add or take by
design; NFC, as texts usually are.
"""
_COMPARED = (
    *TEXTS,
    " leading space",
    "trailing \n\n",
    "\nline",
    "e\u0301 ①½ＡＢ",
    "한국어 日本語 ไทย Ünïcode",
    "'S THE'LL 12345678",
    "a" * 40,
)
"""Their ids must be the file's. Not all of them come back unchanged from a sound tokenizer."""
_SPECIALS = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")
_KEPT = (
    "chat_template",
    "model_max_length",
    "clean_up_tokenization_spaces",
    "padding_side",
    "add_bos_token",
    "add_eos_token",
)
_FLAGS = (
    "byte_fallback",
    "fuse_unk",
    "ignore_merges",
    "unk_token",
    "dropout",
    "continuing_subword_prefix",
    "end_of_word_suffix",
)
_UNKNOWN = ("<unk>", "[UNK]", "<|unk|>")

Verdict = Literal["same", "normalised", "altered", "gone"]


@dataclass(frozen=True)
class LoadedTokenizer:
    """A transformers tokenizer that does what its file says.

    ``rebuilt``: not by the class that its config names, which would not.
    """

    raw: Any
    findings: tuple[Finding, ...]
    rebuilt: bool = False


def load_faithfully(folder: Path, label: str, trust_remote_code: bool = False) -> LoadedTokenizer:
    """The tokenizer in a folder, by the first way of loading that keeps to its file.

    Raises ModelError, one line, where there is none to be read, or where it loses text. Tried in
    turn, until one does what ``tokenizer.json`` says: transformers' own choice of class, its
    generic class, and the generic class around the file with nothing of ``tokenizer_config.json``
    but the special tokens' names and the chat template. Without that file, or with a tokenizer in
    remote code, there is nothing to compare with, and the texts only go there and back.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    truth = _read_truth(folder, label)
    ways: list[Callable[[], Any]] = [
        lambda: AutoTokenizer.from_pretrained(
            folder, trust_remote_code=trust_remote_code, local_files_only=True
        )
    ]
    if truth is not None:
        ways += [
            lambda: PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True),
            lambda: _around(truth, folder),
        ]

    reasons: list[str] = []
    for number, way in enumerate(ways):
        try:
            raw = way()
            reason = _difference(raw, truth, folder)
        except Exception as error:
            reason = _reason(error)
            if truth is None:
                raise ModelError(f"{label}: cannot load a tokenizer from {folder}: {reason}") from error
        # The first way that does what the file says counts; why the ones before it do not is kept.
        if reason is None:
            named = _config(folder).get("tokenizer_class") or "of its model type"
            rebuilt = (
                ()
                if number == 0
                else (Finding("tokenizer_rebuilt", values={"name": str(named), "reason": reasons[0]}),)
            )
            return LoadedTokenizer(raw, (*rebuilt, *check_round_trip(raw, label, folder)), number > 0)
        reasons.append(reason)
    raise ModelError(
        f"{label}: cannot load a tokenizer from {folder}: {reasons[-1]}; its tokenizer.json and "
        "tokenizer_config.json disagree"
    )


def check_round_trip(raw: Any, label: str, folder: Path) -> tuple[Finding, ...]:
    """Sends `TEXTS` there and back.

    Raises ModelError, one line, where some of a text is gone without a trace.
    """
    cases_by_verdict: dict[Verdict, list[tuple[str, str]]] = {"normalised": [], "altered": []}
    unknown = _unknown_ids(raw)
    for text in TEXTS:
        try:
            ids = raw(text, add_special_tokens=False, verbose=False)["input_ids"]
            back = str(raw.decode(ids))
        except Exception as error:  # e.g. an unknown token that the vocabulary does not have
            raise ModelError(
                f"{label}: its tokenizer cannot encode {text!r}: {_reason(error)} "
                f"({type(raw).__name__} from {folder})"
            ) from error

        verdict = judge(text, back, bool(unknown.intersection(ids)))
        if verdict == "gone":
            raise ModelError(
                f"{label}: its tokenizer loses text: {text!r} comes back as {_short(back)} "
                f"({type(raw).__name__} from {folder}); "
                "put its right tokenizer.json there, or name another tokenizer: FOLDER or ID"
            )
        if verdict != "same":
            cases_by_verdict[verdict].append((text, back))
    kinds: dict[Verdict, str] = {"altered": "tokenizer_loses_text", "normalised": "tokenizer_normalises"}
    return tuple(
        Finding(
            kinds[verdict], len(cases), len(TEXTS), {"text": repr(cases[0][0]), "back": _short(cases[0][1])}
        )
        for verdict, cases in cases_by_verdict.items()
        if cases
    )


def judge(text: str, back: str, unknown: bool) -> Verdict:
    """What became of a text (see the table above). ``unknown``: its ids hold an unknown token."""
    if text == back:
        return "same"
    if unicodedata.normalize("NFKC", text) == unicodedata.normalize("NFKC", back):
        return "normalised"
    spaces_gone = any(map(str.isspace, text)) and not any(map(str.isspace, back))
    lost = _visible(text) - _visible(back)
    return "gone" if (lost or spaces_gone) and not unknown else "altered"


def _visible(text: str) -> Counter[str]:
    """Visible characters without case, accents and compatibility forms, counted."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return Counter(character for character in plain if unicodedata.category(character)[0] not in "MZC")


def _reason(error: Exception) -> str:
    return first_line(error)


def _short(text: str) -> str:
    return repr(clipped(text, 80))


def _unknown_ids(raw: Any) -> set[int]:
    """The ids that stand for what the vocabulary lacks."""
    ids = {raw.unk_token_id}
    if backend := getattr(raw, "backend_tokenizer", None):
        names = {name for name in (*_UNKNOWN, getattr(backend.model, "unk_token", None)) if name}
        ids |= {backend.token_to_id(name) for name in names}
    return ids - {None}


def _read_truth(folder: Path, label: str) -> Any:
    """The folder's tokenizer.json as `tokenizers` itself reads it, None where there is none.

    Raises ModelError for a spoilt one.
    """
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    if not file.is_file():
        return None
    try:
        truth = Tokenizer.from_file(str(file))
    except Exception as error:
        raise ModelError(
            f"{label}: cannot load a tokenizer from {folder}: tokenizer.json: {_reason(error)}"
        ) from error
    truth.no_truncation()
    truth.no_padding()
    if getattr(truth.model, "dropout", None):
        # left from training: it would encode a text differently each time
        truth.model.dropout = None
    return truth


def _config(folder: Path) -> dict[str, Any]:
    """What tokenizer_config.json says, over special_tokens_map.json; {} where there is neither."""
    merged: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (file := folder / name).is_file():
            content = json.loads(file.read_text(encoding="utf-8"))
            merged |= (
                {key: value for key, value in content.items() if value is not None}
                if isinstance(content, dict)
                else {}
            )
    return merged


def _around(truth: Any, folder: Path) -> Any:
    """The generic class around the file: nothing of the config can change what it encodes."""
    from transformers import PreTrainedTokenizerFast

    config = _config(folder)
    options: dict[str, Any] = {name: _content(config[name]) for name in _SPECIALS if name in config}
    options |= {name: config[name] for name in _KEPT if name in config}
    template = folder / "chat_template.jinja"
    if template.is_file():
        options["chat_template"] = template.read_text(encoding="utf-8")
    elif isinstance(several := config.get("chat_template"), list):
        options["chat_template"] = {entry["name"]: entry["template"] for entry in several}
    return PreTrainedTokenizerFast(tokenizer_object=truth, **options)


def _difference(raw: Any, truth: Any, folder: Path) -> str | None:
    """How a tokenizer departs from its file, None where it does not.

    None as well where there is no file, or the tokenizer is remote code of its own.
    """
    if truth is None or not getattr(raw, "is_fast", False):
        return None

    # Equal ids of a few texts are not enough: a rare token or a normalizer may still differ.
    texts = _compared(truth)
    ids = raw(
        texts,
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )["input_ids"]
    for text, want, got in zip(texts, truth.encode_batch(texts, add_special_tokens=False), ids, strict=True):
        if want.ids != got:
            return f"{_short(text)} becomes other tokens than the file's ({len(got)}, not {len(want.ids)})"

    for name, want, got in _parts(truth, raw.backend_tokenizer):
        if want != got:
            return f"it has another {name} than the file"

    config = _config(folder)
    if (added := _uncalled_for(raw, truth, config)) is not None:
        return f"it adds the token {added!r}, which the file does not have"
    if (
        "add_bos_token" not in config
        and "add_eos_token" not in config
        and truth.encode("a").ids != raw("a", verbose=False)["input_ids"]
    ):
        return "it adds other special tokens than the file"
    return None


def _compared(truth: Any) -> list[str]:
    """The texts of which ids are compared.

    Ours, and every added token between spaces and between letters.
    """
    return [
        *_COMPARED,
        *(f"a {token.content} b{token.content}c" for token in truth.get_added_tokens_decoder().values()),
    ]


def _uncalled_for(raw: Any, truth: Any, config: dict[str, Any]) -> str | None:
    """An added token that neither the file has nor its config asks for.

    A config asks for one as a special token by name, or under an id beyond the file's.
    """
    names = {token.content for token in truth.get_added_tokens_decoder().values()}
    lists = [config.get(name) or () for name in ("additional_special_tokens", "extra_special_tokens")]
    named = [
        *(config.get(name) for name in _SPECIALS),
        *(one for each in lists for one in (each.values() if isinstance(each, dict) else each)),
    ]
    names |= {content for one in named if (content := _content(one))}

    declared = {
        int(index): _content(token) for index, token in (config.get("added_tokens_decoder") or {}).items()
    }
    for index, token in raw.added_tokens_decoder.items():
        beyond = index >= truth.get_vocab_size() and declared.get(index) == token.content
        if token.content not in names and not beyond:
            return str(token.content)
    return None


def _content(token: Any) -> str | None:
    """The text of a token as a config writes it: plain, or with its flags."""
    return token.get("content") if isinstance(token, dict) else token


def _parts(truth: Any, backend: Any) -> Iterator[tuple[str, Any, Any]]:
    """(name, the file's, the loaded tokenizer's) of every part that decides ids and texts."""
    for name in ("normalizer", "pre_tokenizer", "decoder"):
        yield name.replace("_", "-"), _state(getattr(truth, name)), _state(getattr(backend, name))
    yield "model", type(truth.model).__name__, type(backend.model).__name__
    for name in _FLAGS:
        yield name, getattr(truth.model, name, None) or None, getattr(backend.model, name, None) or None
    yield "vocabulary", truth.get_vocab(with_added_tokens=False), backend.get_vocab(with_added_tokens=False)


def _state(part: Any) -> Any:
    return None if part is None else json.loads(part.__getstate__())
