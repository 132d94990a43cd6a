"""What a predicate says of one part of a claim, and the verdict that follows from all parts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from harness.errors import ConfigError
from harness.studies.claims import FOLDER, Text

Outcome = Literal["holds", "fails", "unclear", "missing"]
EvidenceKind = Literal["published", "measured", "projected", "none"]
ClaimVerdict = Literal["supported", "partly supported", "not supported", "cannot tell", "not yet measured"]


@dataclass(frozen=True)
class Basis:
    """What a finding rests on.

    A board or another source, how its figures were made, and their first and last day.
    """

    source: Text
    method: Text | None = None
    begin: datetime.date | None = None
    end: datetime.date | None = None

    @property
    def text(self) -> Text:
        """In words, with the days."""
        days = sorted({str(day) for day in (self.begin, self.end) if day is not None})
        parts = [
            self.source,
            *([self.method] if self.method else []),
            *([plain(" – ".join(days))] if days else []),
        ]
        return joined(parts, ", ", "，")


@dataclass(frozen=True)
class StatementFinding:
    """What a predicate says of one statement.

    ``measured`` is one sentence with the figure and its uncertainty; ``why`` what keeps it from
    being decided; ``command`` would produce what is missing. ``limits`` says over which limits the
    outcome stands, where a limit decides; ``basis`` names board, method and dates; ``brief`` is the
    figure alone with its unit, for a table. ``figures`` is the same for programs.
    """

    outcome: Outcome
    kind: EvidenceKind
    measured: Text
    why: Text | None = None
    command: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    limits: Text | None = None
    basis: Basis | None = None
    brief: Text | None = None


def counted_outcome(finding: StatementFinding) -> Outcome:
    """What a finding says for the verdict.

    What rests on projections alone neither holds nor fails, since a datasheet is no measurement.
    """
    return finding.outcome if finding.kind != "projected" else "unclear"


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a statement that was asked in several ways.

    It fails where one does, and holds where all do.
    """
    if "fails" in outcomes:
        return "fails"
    return "holds" if all(outcome == "holds" for outcome in outcomes) else "unclear"


def decided(outcomes: Sequence[Outcome]) -> ClaimVerdict:
    """What follows from the outcomes of all statements.

    Supported where every statement holds, partly where some hold and some fail, not supported where
    some fail and none holds. Else it cannot be told; not yet measured where there is no statement
    at all.
    """
    if not outcomes:
        return "not yet measured"
    if "fails" in outcomes:
        return "partly supported" if "holds" in outcomes else "not supported"
    return "supported" if all(outcome == "holds" for outcome in outcomes) else "cannot tell"


def verdict(findings: Sequence[StatementFinding]) -> ClaimVerdict:
    """What follows from findings that each test a statement of its own."""
    return decided([counted_outcome(finding) for finding in findings])


def read_words(paths: Iterable[Path]) -> dict[str, dict[str, str]]:
    """Several files of texts as one.

    Raises ConfigError for a key that stands twice, in one file or in two, or a language that does.
    """
    import yaml

    texts_by_key: dict[str, dict[str, str]] = {}
    positions: dict[str, str] = {}

    # The loader would let a later key replace an earlier one silently, so the nodes are checked
    # first.
    for path in paths:
        root = yaml.compose(path.read_text(encoding="utf-8"))
        for key, texts in root.value if root is not None else ():
            position = f"{path.name}:{key.start_mark.line + 1}"
            if key.value in positions:
                raise ConfigError(
                    f"{position}: the key {key.value!r} stands in {positions[key.value]} already;"
                    f" give one of them another name"
                )

            positions[key.value] = position
            languages = [language.value for language, _ in texts.value]
            if len(set(languages)) < len(languages):
                raise ConfigError(
                    f"{position}: {key.value!r} has a language twice: {', '.join(languages)}; keep"
                    f" one of them"
                )
        texts_by_key |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return texts_by_key


@cache
def _words() -> dict[str, dict[str, str]]:
    return read_words(sorted((FOLDER / "words").glob("*.yaml")))


def say(key: str, **values: Any) -> Text:
    """A text of words.yaml in both languages, its blanks filled; a value may be a `Text`.

    Raises KeyError for an unknown key or blank.
    """
    both = _words()[key]
    filled = {
        language: text.format(**{k: v[language] if isinstance(v, Text) else v for k, v in values.items()})
        for language, text in both.items()
    }
    return Text(
        **{language: joined_han(text) if language == "zh" else text for language, text in filled.items()}
    )


def joined_han(text: str) -> str:
    """Chinese without the blanks that filled-in values leave behind.

    Such stand between Han characters or beside full-width marks.
    """
    return _BLANK.sub("", text)


_BLANK = re.compile(
    r"(?<=[\u4e00-\u9fff]) +(?=[\u4e00-\u9fff])|(?<=[，。；：、（）！？]) +(?=\S)"
    r"|(?<=\S) +(?=[，。；：、（）！？])"
)


def plain(text: str) -> Text:
    """A text that is the same in both languages: figures, names."""
    return Text(en=text, zh=text)


def percent(share: float, digits: int = 0) -> Text:
    """A share as a percentage, spaced as the language does it."""
    return Text(en=f"{100 * share:.{digits}f} %", zh=f"{100 * share:.{digits}f}%")


def maker_name(maker: str | None) -> Text:
    """A maker's name, in Chinese where it has one."""
    return say(f"maker_{maker}") if f"maker_{maker}" in _words() else plain(maker or "?")


def licence_name(licence: str | None) -> Text:
    """A licence's name, in Chinese where it is a word and not a name."""
    return say(f"licence_{licence}") if f"licence_{licence}" in _words() else plain(licence or "?")


def signed(value: float, digits: int = 0) -> str:
    """A difference with its sign, a true minus; a difference that rounds to nothing has none."""
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text[1:] if not text[1:].strip("0.") else text


def joined(texts: Sequence[Text], en: str = "; ", zh: str = "；") -> Text:
    """Texts in a row, each once."""
    once = list(dict.fromkeys((one.en, one.zh) for one in texts))
    return Text(en=en.join(one for one, _ in once) or "–", zh=zh.join(one for _, one in once) or "–")


def listed(names: Iterable[str]) -> Text:
    """Names in a row."""
    once = list(names)
    return Text(en=", ".join(once) or "–", zh="、".join(once) or "–")


def side_name(country: str | None) -> Text:
    """A country as an adjective."""
    return _named("side", country)


def country_name(country: str | None) -> Text:
    """A country's name, ``?`` if unknown.

    Its code (ISO 3166-1 alpha-2) where words.yaml has no name.
    """
    return _named("country", country)


def _named(kind: str, country: str | None) -> Text:
    return (
        say(f"{kind}_{country}")
        if f"{kind}_{country}" in _words()
        else Text(en=country or "?", zh=country or "?")
    )
