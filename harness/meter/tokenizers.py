"""What a text costs in tokens: characters and bytes a token in Chinese and in English, and what a
page costs with each tokenizer.

Characters are code points after NFC, so that they mean the same for every tokenizer; bytes are
UTF-8 of the text as it is. Tokens are those of the text alone, without special tokens and chat
template. Ratios are of sums over all paragraphs, not means of ratios.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.presets import preset_or_none
from harness.config.schema import ModelSpec
from harness.engines.files import VOCABULARIES, locate, tokenizer_files
from harness.engines.tokenizer import TextEncoder, read_tokenizer
from harness.errors import ConfigError, ModelError
from harness.meter.texts import LANGUAGES, Language, ParallelText

PAGE: dict[Language, int] = {"zh": 500, "en": 1800}
"""Characters of a page: 500 Chinese ones, 1,800 English ones (300 words of six characters with the
space).
"""


@dataclass(frozen=True)
class LanguageCount:
    """One language of one text with one tokenizer. ``unknown`` tokens stand for characters that the
    vocabulary lost: they make a ratio look better than it is.
    """

    tokens: int
    characters: int
    bytes: int
    unknown: int

    @property
    def characters_per_token(self) -> float:
        return self.characters / self.tokens

    @property
    def bytes_per_token(self) -> float:
        return self.bytes / self.tokens

    def page(self, language: Language) -> float:
        """Tokens of one page of `PAGE` characters."""
        return PAGE[language] * self.tokens / self.characters


@dataclass(frozen=True)
class TokenizerCounts:
    """A tokenizer and its counts by text and language.

    ``names`` are the models that share it, the one asked for first in front.
    """

    names: tuple[str, ...]
    family: str | None
    vocabulary: int
    fingerprint: str
    counts: dict[str, dict[Language, LanguageCount]]

    def premium(self, text: str) -> float:
        """Tokens of the Chinese text by those of the English one that says the same."""
        return self.counts[text]["zh"].tokens / self.counts[text]["en"].tokens


@dataclass(frozen=True)
class Failed:
    """A tokenizer that could not be read, and why."""

    name: str
    reason: str


def mirror_tokenizers(mirror: Path | None) -> list[str]:
    """The models of a mirror that have a vocabulary, as org/name.

    Raises ConfigError where there is no mirror or none in it.
    """
    if mirror is None:
        raise ConfigError(
            "no tokenizer named: give model ids, folders or presets, or a mirror with --mirror or "
            "HARNESS_MIRROR"
        )

    folders = sorted(
        path
        for path in (mirror / "models").glob("*/*")
        if path.is_dir() and tokenizer_files(path, VOCABULARIES)
    )
    if not folders:
        raise ConfigError(
            f"{mirror}: no tokenizer in models/ORG/NAME; name another folder with --mirror, or name models"
        )
    return [f"{path.parent.name}/{path.name}" for path in folders]


def count(encoder: TextEncoder, texts: Sequence[str]) -> LanguageCount:
    """Tokens, characters and bytes of texts.

    Raises ModelError where the tokenizer makes nothing of them, or there is nothing to count.
    """
    ids = encoder.encode_plain(texts)
    tokens = sum(len(ids[text]) for text in texts)
    if not tokens:
        raise ModelError(
            f"{encoder.name}: the tokenizer gives no token for {len(texts)} texts; it is broken, or the "
            "texts are empty"
        )

    # Some vocabularies write one unknown token for what they cannot spell, and look cheap by it.
    unknown = getattr(encoder.raw, "unk_token_id", None)
    lost = sum(ids[text].count(unknown) for text in texts) if unknown is not None else 0

    characters = sum(len(unicodedata.normalize("NFC", text)) for text in texts)
    return LanguageCount(tokens, characters, sum(len(text.encode()) for text in texts), lost)


def measure(
    names: Iterable[str], texts: Sequence[ParallelText], mirror: Path | None = None
) -> Iterator[TokenizerCounts | Failed]:
    """Counts for each model id, folder or preset, as they are ready.

    A tokenizer that cannot be read is a `Failed` and ends nothing.
    """
    for name in names:
        try:
            yield _measure(name, texts, mirror)
        except ModelError as error:
            yield Failed(name, str(error))


def _measure(name: str, texts: Sequence[ParallelText], mirror: Path | None) -> TokenizerCounts:
    preset = None if Path(name).expanduser().is_dir() else preset_or_none(name)
    spec = ModelSpec(id=preset.id if preset else name)
    folder, _, _ = locate(spec.id, spec, mirror, weights=False)
    encoder = read_tokenizer(spec, folder)
    vocabulary = encoder.raw.get_vocab()
    counts = {
        text.name: {language: count(encoder, text.of(language)) for language in LANGUAGES} for text in texts
    }
    digest = hashlib.sha256(json.dumps(sorted(vocabulary.items())).encode()).hexdigest()[:16]
    return TokenizerCounts((name,), preset.family if preset else None, len(vocabulary), digest, counts)


def merge(found: Iterable[TokenizerCounts]) -> list[TokenizerCounts]:
    """Models whose tokenizers have one vocabulary and count alike as one line, cheapest Chinese
    (over all texts) first.
    """
    groups: dict[str, TokenizerCounts] = {}
    for one in found:
        key = f"{one.fingerprint} {one.counts}"
        first = groups.get(key)
        names = (*first.names, *one.names) if first else one.names
        family = first.family if first and first.family else one.family
        groups[key] = TokenizerCounts(names, family, one.vocabulary, one.fingerprint, one.counts)
    return sorted(groups.values(), key=_chinese)


def _chinese(one: TokenizerCounts) -> int:
    return sum(languages["zh"].tokens for languages in one.counts.values())
