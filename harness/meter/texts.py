"""The same texts in Chinese and in English: ours (harness/data/parallel_texts.yaml), and the
parallel data sets that are at hand.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from harness.config.problems import suggest
from harness.errors import ConfigError, DataError

OWN = Path(__file__).resolve().parent.parent / "data" / "parallel_texts.yaml"
Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True)
class ParallelText:
    """Paragraphs in two languages, pair by pair.

    ``source`` says where they are from; ``kinds`` is empty where all are of one kind.
    """

    name: str
    source: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    kinds: tuple[str, ...] = ()

    def of(self, language: Language) -> tuple[str, ...]:
        """The paragraphs of one language."""
        return self.zh if language == "zh" else self.en

    def fingerprint(self) -> str:
        """Sixteen hex digits of all paragraphs: equal figures need equal texts."""
        return hashlib.sha256("\0".join((*self.zh, "", *self.en)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Dataset:
    path: str
    zh: str
    en: str
    split: str
    field: str


DATASETS = {
    "xquad": _Dataset("google/xquad", "xquad.zh", "xquad.en", "validation", "context"),
    "mgsm": _Dataset("juletxara/mgsm", "zh", "en", "test", "question"),
    "belebele": _Dataset("facebook/belebele", "zho_Hans", "eng_Latn", "test", "flores_passage"),
}
"""Parallel data sets whose rows stand in one order in both languages."""


def own_texts(path: Path = OWN) -> ParallelText:
    """The packaged paragraphs. Raises DataError where the file lacks a language or a kind."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        rows = raw["paragraphs"]
        zh, en, kinds = (tuple(str(row[key]) for row in rows) for key in ("zh", "en", "kind"))
        return ParallelText("own", f"harness, parallel_texts.yaml version {raw['version']}", zh, en, kinds)
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise DataError(
            f"{path.name}: {type(error).__name__}: {error}; expected version: and paragraphs: of kind, zh "
            "and en"
        ) from None


def dataset_texts(name: str, mirror: Path | None) -> ParallelText:
    """A parallel data set's distinct pairs, from the mirror, the hub's cache or the hub.

    Raises ConfigError for an unknown name, DataError where it cannot be read or its languages do
    not line up.
    """
    if name not in DATASETS:
        raise ConfigError(
            f"unknown parallel data set {name!r}{suggest(name, DATASETS)}; known: {', '.join(DATASETS)}"
        )
    from harness.tasks.sources import DataSources

    wanted = DATASETS[name]
    sources = DataSources(mirror=mirror)
    columns = []
    for config in (wanted.zh, wanted.en):
        splits, _ = sources.load(wanted.path, config)
        if wanted.split not in splits or wanted.field not in splits[wanted.split].column_names:
            raise DataError(
                f"{wanted.path} ({config}): no column {wanted.field!r} in a split {wanted.split!r}; fetch "
                "the data set again"
            )
        columns.append([str(text) for text in splits[wanted.split][wanted.field]])
    if len(columns[0]) != len(columns[1]):
        raise DataError(
            f"{wanted.path}: {len(columns[0])} Chinese rows but {len(columns[1])} English ones; fetch the "
            "data set again"
        )
    # a paragraph with five questions is one text
    pairs = list(dict.fromkeys(zip(*columns, strict=True)))
    return ParallelText(name, wanted.path, tuple(zh for zh, _ in pairs), tuple(en for _, en in pairs))
