"""What a predicate says of one part of a claim, and the verdict that follows from all parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from harness.studies.claims import FOLDER, Text

Outcome = Literal["holds", "fails", "unclear", "missing"]
Kind = Literal["published", "measured", "projected", "none"]
Verdict = Literal["supported", "not supported", "cannot tell", "not yet measured"]


@dataclass(frozen=True)
class Finding:
    """``measured`` is one sentence with the figure and its uncertainty; ``why`` what keeps it from being decided; ``command`` would produce
    what is missing. ``limits`` says over which limits the outcome stands, where a limit decides; ``basis`` names board, method and dates;
    ``brief`` is the figure alone, for a table. ``figures`` is the same for programs."""

    outcome: Outcome
    kind: Kind
    measured: Text
    why: Text | None = None
    command: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    limits: Text | None = None
    basis: Text | None = None
    brief: Text | None = None


def verdict(findings: Sequence[Finding]) -> Verdict:
    """Not supported where a part fails, supported where all hold, else it cannot be told; not yet measured where there is no part at all.

    What rests on projections alone neither holds nor fails for the verdict: a datasheet is no measurement.
    """
    if not findings:
        return "not yet measured"
    told = [finding.outcome if finding.kind != "projected" else "unclear" for finding in findings]
    if "fails" in told:
        return "not supported"
    return "supported" if all(outcome == "holds" for outcome in told) else "cannot tell"


@cache
def _words() -> dict[str, dict[str, str]]:
    import yaml

    found: dict[str, dict[str, str]] = {}
    for path in sorted((FOLDER / "words").glob("*.yaml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def say(key: str, **values: Any) -> Text:
    """A text of words.yaml in both languages, its blanks filled; a value may be a `Text`. Raises KeyError for an unknown key or blank."""
    both = _words()[key]
    return Text(
        **{
            language: both[language].format(**{k: v[language] if isinstance(v, Text) else v for k, v in values.items()})
            for language in both
        }
    )


def plain(text: str) -> Text:
    """A text that is the same in both languages: figures, names."""
    return Text(en=text, zh=text)


def signed(value: float, digits: int = 0) -> str:
    """A difference with its sign, a true minus; a difference that rounds to nothing has none."""
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text[1:] if not text[1:].strip("0.") else text


def joined(texts: Sequence[Text], en: str = "; ", zh: str = "；") -> Text:
    """Texts in a row, each once."""
    once = list(dict.fromkeys((one.en, one.zh) for one in texts))
    return Text(en=en.join(one for one, _ in once) or "–", zh=zh.join(one for _, one in once) or "–")


def side_name(country: str | None) -> Text:
    """A country as an adjective."""
    return _named("side", country)


def country_name(country: str | None) -> Text:
    """A country's name; its code (ISO 3166-1 alpha-2) where words.yaml has none, ``?`` where it is not known."""
    return _named("country", country)


def _named(kind: str, country: str | None) -> Text:
    return say(f"{kind}_{country}") if f"{kind}_{country}" in _words() else Text(en=country or "?", zh=country or "?")
