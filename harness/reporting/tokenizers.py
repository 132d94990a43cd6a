"""Tokenizer costs as data and as the rows of a table."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.version import __version__

if TYPE_CHECKING:
    from harness.meter.texts import Language, ParallelText
    from harness.meter.tokenizers import Failed, LanguageCount, TokenizerCounts

HEADERS = (
    "tokenizer",
    "vocabulary",
    "zh tokens",
    "en tokens",
    "zh char/tok",
    "en char/tok",
    "zh B/tok",
    "en B/tok",
    "zh page",
    "en page",
    "zh:en",
)


def tokenizer_data(
    found: Sequence[TokenizerCounts],
    failed: Sequence[Failed],
    texts: Sequence[ParallelText],
    pages: dict[Language, int],
) -> dict[str, Any]:
    """Everything that was counted, with what it was counted on and by."""
    return {
        "schema_version": 1,
        "harness_version": __version__,
        "versions": {name: importlib.metadata.version(name) for name in ("transformers", "tokenizers")},
        "page_characters": dict(pages),
        "texts": [
            {
                "name": text.name,
                "source": text.source,
                "pairs": len(text.zh),
                "kinds": list(text.kinds),
                "fingerprint": text.fingerprint(),
            }
            for text in texts
        ],
        "tokenizers": [_one(one) for one in found],
        "failed": [{"name": one.name, "reason": one.reason} for one in failed],
    }


def _one(one: TokenizerCounts) -> dict[str, Any]:
    return {
        "names": list(one.names),
        "family": one.family,
        "vocabulary": one.vocabulary,
        "fingerprint": one.fingerprint,
        "texts": {
            name: {language: _count(count, language) for language, count in languages.items()}
            | {"zh_by_en_tokens": round(one.premium(name), 4)}
            for name, languages in one.counts.items()
        },
    }


def _count(count: LanguageCount, language: Language) -> dict[str, Any]:
    return {
        "tokens": count.tokens,
        "characters": count.characters,
        "bytes": count.bytes,
        "unknown": count.unknown,
        "characters_per_token": round(count.characters_per_token, 4),
        "bytes_per_token": round(count.bytes_per_token, 4),
        "page_tokens": round(count.page(language), 1),
    }


def tokenizer_rows(found: Sequence[TokenizerCounts], text: str) -> list[list[str]]:
    """One row a tokenizer under `HEADERS`; * marks a count in which characters were lost to unknown
    tokens.
    """
    return [_row(one, text) for one in found]


def _row(one: TokenizerCounts, text: str) -> list[str]:
    zh, en = one.counts[text]["zh"], one.counts[text]["en"]
    more = f" +{len(one.names) - 1}" if len(one.names) > 1 else ""
    tokens = [f"{count.tokens:,}{'*' if count.unknown else ''}" for count in (zh, en)]
    ratios = [
        f"{value:.2f}"
        for value in (
            zh.characters_per_token,
            en.characters_per_token,
            zh.bytes_per_token,
            en.bytes_per_token,
        )
    ]
    pages = [f"{zh.page('zh'):.0f}", f"{en.page('en'):.0f}"]
    return [one.names[0] + more, f"{one.vocabulary:,}", *tokens, *ratios, *pages, f"{one.premium(text):.2f}"]
