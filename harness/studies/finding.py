"""What a predicate says of one part of a claim, and the verdict that follows from all parts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.studies.claims import Text
from harness.texts import catalogue, every_language

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


def say(name: str, /, **values: Any) -> Text:
    """A text of the catalogue's topic ``studies`` in both languages; a value may be a `Text`.

    Raises KeyError for an unknown name or blank.
    """
    filled = {key: value.model_dump() if isinstance(value, Text) else value for key, value in values.items()}
    pair = every_language(f"studies.{name}", **filled)
    return Text(en=pair["en"], zh=joined_han(pair["zh"]))


def has_text(name: str) -> bool:
    """Whether the topic ``studies`` has a text: names of makers and countries may have none."""
    return name in catalogue("studies")


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
    return say(f"maker_{maker}") if has_text(f"maker_{maker}") else plain(maker or "?")


def licence_name(licence: str | None) -> Text:
    """A licence's name, in Chinese where it is a word and not a name."""
    return say(f"licence_{licence}") if has_text(f"licence_{licence}") else plain(licence or "?")


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
        if has_text(f"{kind}_{country}")
        else Text(en=country or "?", zh=country or "?")
    )
