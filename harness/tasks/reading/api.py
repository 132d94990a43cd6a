"""A reading, and the text that carries it through lm-eval's filters to the samples."""

from __future__ import annotations

from dataclasses import dataclass

INVALID = "[invalid]"
"""What lm-eval's filters leave where they find no answer."""
_LONGEST = 160


@dataclass(frozen=True)
class Reading:
    """``value`` is the letter or number read, or None; ``rule`` names the rule that decided; ``words`` are the answer's own words."""

    value: str | None
    rule: str
    words: str = ""

    def __str__(self) -> str:
        words = " ".join(self.words.split())
        if len(words) > _LONGEST:
            words = words[:_LONGEST] + "…"
        return f"{self.rule}: {words}" if words else self.rule


class Read(str):
    """The value read (or "[invalid]"), as the text that metrics compare; ``reading`` says where it came from."""

    __slots__ = ("reading",)
    reading: Reading

    def __new__(cls, reading: Reading, invalid: str = INVALID) -> Read:
        made = super().__new__(cls, invalid if reading.value is None else reading.value)
        made.reading = reading
        return made

    def __reduce__(self) -> tuple[type[Read], tuple[Reading, str]]:
        return Read, (self.reading, str(self))
