"""Whether a tokenizer gives texts back: a few of them go there and back.

What became of a text:

- It is as it was: right.
- It is equal but for Unicode compatibility forms (full-width signs, ①): a note, for this is the
  tokenizer's own normalizer.
- It is changed (lower case, accents, spaces, an unknown token in place of what the vocabulary
  lacks): a warning.
- Some of its visible characters or all of its spaces are gone, without an unknown token in their
  place: refused.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from harness.errors import ModelError
from harness.sanity import Finding

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
_UNKNOWN = ("<unk>", "[UNK]", "<|unk|>")

Verdict = Literal["same", "normalised", "altered", "gone"]


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
                f"{label}: its tokenizer cannot encode {text!r}: {error_reason(error)} "
                f"({type(raw).__name__} from {folder})"
            ) from error

        verdict = judge(text, back, bool(unknown.intersection(ids)))
        if verdict == "gone":
            raise ModelError(
                f"{label}: its tokenizer loses text: {text!r} comes back as {short_text(back)} "
                f"({type(raw).__name__} from {folder}); "
                "put its right tokenizer.json there, or name another tokenizer: FOLDER or ID"
            )
        if verdict != "same":
            cases_by_verdict[verdict].append((text, back))
    kinds: dict[Verdict, str] = {"altered": "tokenizer_loses_text", "normalised": "tokenizer_normalises"}
    return tuple(
        Finding(
            kinds[verdict],
            len(cases),
            len(TEXTS),
            {"text": repr(cases[0][0]), "back": short_text(cases[0][1])},
        )
        for verdict, cases in cases_by_verdict.items()
        if cases
    )


def judge(text: str, back: str, unknown: bool) -> Verdict:
    """What became of a text (see the list above). ``unknown``: its ids hold an unknown token."""
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


def error_reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def short_text(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")


def _unknown_ids(raw: Any) -> set[int]:
    """The ids that stand for what the vocabulary lacks."""
    ids = {raw.unk_token_id}
    if backend := getattr(raw, "backend_tokenizer", None):
        names = {name for name in (*_UNKNOWN, getattr(backend.model, "unk_token", None)) if name}
        ids |= {backend.token_to_id(name) for name in names}
    return ids - {None}
