"""Tokenizer costs as a document: one table per parallel text, and data."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.reporting.document import Document, Table, TableCell, keys, numbers
from harness.reporting.texts import Phrase
from harness.version import __version__

if TYPE_CHECKING:
    from harness.meter.texts import Language, ParallelText
    from harness.meter.tokenizers import Failed, LanguageCount, TokenizerCounts

FIGURES = (
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


def tokenizers_document(
    counts: Sequence[TokenizerCounts],
    failed: Sequence[Failed],
    texts: Sequence[ParallelText],
    pages: dict[Language, int],
) -> Document:
    """One table per parallel text, and everything that was counted for JSON."""
    tables = [_table(counts, text) for text in texts] if counts else []
    return Document(
        "",
        tuple(tables),
        tuple(_notes(counts, pages)),
        data=lambda: tokenizer_data(counts, failed, texts, pages),
    )


def _table(counts: Sequence[TokenizerCounts], text: ParallelText) -> Table:
    title = Phrase(
        "{name}: {n} texts in Chinese and English ({source})",
        name=text.name,
        n=len(text.zh),
        source=text.source,
    )
    columns = [*keys("tokenizer"), *numbers(*FIGURES)]
    return Table.of(title, columns, [_row(one, text.name) for one in counts])


def _notes(counts: Sequence[TokenizerCounts], pages: dict[Language, int]) -> list[str]:
    notes: list[str] = [
        Phrase(
            "A page: {zh} Chinese or {en:,} English characters. "
            "zh:en: tokens of the Chinese text by those of the English.",
            zh=pages["zh"],
            en=pages["en"],
        )
    ]

    for one in counts:
        if len(one.names) > 1:
            others = ", ".join(one.names[1:])
            notes.append(
                Phrase("{name} shares its tokenizer with {others}.", name=one.names[0], others=others)
            )
        if any(count.unknown for languages in one.counts.values() for count in languages.values()):
            notes.append(
                Phrase(
                    "* {name}: characters were lost to unknown tokens; its ratios look better than they are.",
                    name=one.names[0],
                )
            )
    return notes


def tokenizer_data(
    counts: Sequence[TokenizerCounts],
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
        "tokenizers": [_one(one) for one in counts],
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


def _row(one: TokenizerCounts, text: str) -> list[TableCell]:
    """* marks a count in which characters were lost to unknown tokens."""
    zh, en = one.counts[text]["zh"], one.counts[text]["en"]
    more = f" +{len(one.names) - 1}" if len(one.names) > 1 else ""
    tokens = [
        TableCell(f"{count.tokens:,}{'*' if count.unknown else ''}", count.tokens) for count in (zh, en)
    ]
    ratios = [
        TableCell(f"{value:.2f}", value)
        for value in (
            zh.characters_per_token,
            en.characters_per_token,
            zh.bytes_per_token,
            en.bytes_per_token,
        )
    ]

    pages = [TableCell(f"{value:.0f}", value) for value in (zh.page("zh"), en.page("en"))]
    names = [TableCell(one.names[0] + more), TableCell(f"{one.vocabulary:,}", one.vocabulary)]
    return [*names, *tokens, *ratios, *pages, TableCell(f"{one.premium(text):.2f}", one.premium(text))]
