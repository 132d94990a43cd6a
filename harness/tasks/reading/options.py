"""The options of a document, as its task's data name them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.tasks.letters import LETTERS
from harness.tasks.reading.folding import alike, fold

MOST = 10
"""Letters that count where a document does not list its options: A to J."""
_NEGATIVE = re.compile(
    r"不正确|不对|不当|不恰当|不符|不属于|不包括|不是|不能|不可能|不会|不合|错误|有误|无关|\bNOT\b"
    r"|\bEXCEPT\b|\bLEAST\b"
    r"|(?i:\bis not\b|\bare not\b|\bnot true\b|\bfalse\b|\bincorrect\b|\bexcept\b|\bwrong\b)"
)


@dataclass(frozen=True)
class QuestionOptions:
    """The options of a question.

    ``texts`` in the order of their letters; ``count`` letters are valid; ``negative`` questions ask
    which option is wrong.
    """

    texts: tuple[str, ...] = ()
    count: int = MOST
    negative: bool = False

    @classmethod
    def of(cls, texts: Sequence[Any], question: str = "") -> QuestionOptions:
        """The options of a question."""
        return cls(tuple(map(str, texts)), len(texts) or MOST, bool(_NEGATIVE.search(fold(question))))

    def letter(self, text: str) -> str | None:
        """The letter of the one option that this text equals.

        Case, width and outer punctuation do not count.
        """
        folded = alike(text)
        equal = [position for position, option in enumerate(self.texts) if folded and alike(option) == folded]
        return LETTERS[equal[0]] if len(equal) == 1 else None


def options_of(document: Mapping[str, Any]) -> QuestionOptions:
    """The options of an lm-eval document.

    They stand in columns A, B, C, …, or in a list (or ARC's ``{"text": […]}``) in choices or
    options.
    """
    question = next(
        (
            str(document[key])
            for key in ("question", "Question", "query", "input", "ctx")
            if document.get(key)
        ),
        "",
    )

    # MMLU and C-Eval, ARC, CMMLU: each data set has its own place for options.
    for key in ("choices", "options"):
        listed = document.get(key)
        listed = listed.get("text") if isinstance(listed, Mapping) else listed
        if isinstance(listed, list | tuple) and listed:
            return QuestionOptions.of(listed, question)

    lettered = []
    for letter in LETTERS:
        if document.get(letter) is None:
            break
        lettered.append(document[letter])
    return QuestionOptions.of(lettered, question)
