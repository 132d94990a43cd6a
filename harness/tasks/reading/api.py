"""A reading, and the text that carries it through lm-eval's filters to the samples."""

from __future__ import annotations

from dataclasses import dataclass

INVALID = "[invalid]"
"""What lm-eval's filters leave where they find no answer."""
_LONGEST = 160


@dataclass(frozen=True)
class Reading:
    """What was read from an answer.

    ``value`` is the letter or number, or None; ``rule`` names the rule that decided; ``words`` are
    the answer's own words.
    """

    value: str | None
    rule: str
    words: str = ""

    def __str__(self) -> str:
        words = " ".join(self.words.split())
        if len(words) > _LONGEST:
            words = words[:_LONGEST] + "…"
        return f"{self.rule}: {words}" if words else self.rule


class ReadAnswer(str):
    """The value read (or "[invalid]"), as the text that metrics compare.

    ``reading`` says where it came from. Made like any text, too, because lm-eval turns a target
    into the type of the result: then ``reading`` is None.
    """

    __slots__ = ("reading",)
    reading: Reading | None

    def __new__(cls, text: object = "", reading: Reading | None = None) -> ReadAnswer:
        answer = super().__new__(cls, text)
        answer.reading = reading
        return answer

    @classmethod
    def of(cls, reading: Reading, invalid: str = INVALID) -> ReadAnswer:
        """What the filter leaves: the value, or ``invalid`` where nothing was read."""
        return cls(invalid if reading.value is None else reading.value, reading)

    def __reduce__(self) -> tuple[type[ReadAnswer], tuple[str, Reading | None]]:
        return ReadAnswer, (str(self), self.reading)
