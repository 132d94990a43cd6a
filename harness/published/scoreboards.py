"""Packaged boards of scores, and the origin of each board of votes.

Dated copies of the Open LLM Leaderboard 2 and Artificial Analysis.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
from dataclasses import dataclass
from functools import cache

from harness.published.sources import FOLDER

OPEN_LLM = "open-llm-leaderboard-2"
ANALYSIS = "artificial-analysis"
ITEMS = {"ifeval": 541, "bbh": 5761, "math": 1324, "gpqa": 1192, "musr": 756, "mmlu_pro": 12032}
"""Items of the Open LLM Leaderboard 2's parts.

The lengths of the data sets that lm-eval's group `leaderboard` reads.
"""
PARTS = tuple(ITEMS)
ANALYSIS_PARTS = ("mmlu_pro", "gpqa", "hle", "livecodebench", "scicode", "ifbench", "aime_2025", "aa_lcr")
"""What version 2.2 of the index is the plain mean of."""


@dataclass(frozen=True, slots=True)
class OpenLLM:
    """One model on one date.

    ``average`` and ``parts`` are per cent above chance; ``raw`` shares of right answers, in the
    order of `PARTS`, None where empty; ``official``: marked as the maker's own; ``parameters`` in
    billions, all of them, as the board counted them.
    """

    date: datetime.date
    model: str
    region: str
    official: bool
    parameters: float | None
    type: str
    average: float
    parts: tuple[float | None, ...]
    raw: tuple[float | None, ...]
    uploaded: datetime.date | None
    commit: str


@dataclass(frozen=True, slots=True)
class Analysed:
    """One model on one date of Artificial Analysis.

    ``version`` of the index: values of two versions are never compared. ``parts``: shares, by
    `ANALYSIS_PARTS`. ``price`` is blended $ per million tokens, median over providers; ``speed``
    output tokens/s, the same; ``estimated``: so is the index.
    """

    date: datetime.date
    version: str
    model: str
    creator: str
    country: str | None
    open: bool | None
    released: datetime.date | None
    index: float | None
    estimated: bool
    parts: tuple[float | None, ...]
    price: float | None
    speed: float | None
    parameters: float | None
    active: float | None
    source: str
    commit: str

    @property
    def recomputed(self) -> float | None:
        """The plain mean of the eight parts in per cent; None where a part is missing.

        It is the index of version 2.2 only.
        """
        if any(part is None for part in self.parts):
            return None
        return 100 * sum(part for part in self.parts if part is not None) / len(self.parts)


@cache
def open_llm() -> tuple[OpenLLM, ...]:
    """Every row of every date."""
    return tuple(
        OpenLLM(
            date=datetime.date.fromisoformat(row["date"]),
            model=row["model"],
            region=row["region"],
            official=row["official"] == "yes",
            parameters=_number(row["params_b"]),
            type=row["type"],
            average=float(row["average"]),
            parts=tuple(_number(row[part]) for part in PARTS),
            raw=tuple(_number(row[f"{part}_raw"]) for part in PARTS),
            uploaded=_day(row["upload_date"]),
            commit=row["commit"],
        )
        for row in _rows("open_llm_2.csv.gz")
    )


@cache
def analysed() -> tuple[Analysed, ...]:
    """Every row of every date."""
    return tuple(
        Analysed(
            date=datetime.date.fromisoformat(row["date"]),
            version=row["index_version"],
            model=row["model"],
            creator=row["creator"],
            country=row["country"] or None,
            open={"yes": True, "no": False}.get(row["open_weights"]),
            released=_day(row["release_date"]),
            index=_number(row["intelligence_index"]),
            estimated=row["estimated"] == "yes",
            parts=tuple(_number(row[part]) for part in ANALYSIS_PARTS),
            price=_number(row["price_blended"]),
            speed=_number(row["output_tokens_per_s"]),
            parameters=_number(row["total_params_b"]),
            active=_number(row["active_params_b"]),
            source=row["source"],
            commit=row["commit"],
        )
        for row in _rows("artificial_analysis.csv.gz")
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = gzip.decompress((FOLDER / name).read_bytes()).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _number(text: str) -> float | None:
    return float(text) if text else None


def _day(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text[:10]) if text else None
