"""The letter that a free answer settles on, for the generative forms of C-Eval, CMMLU and MMLU."""

import re
import unicodedata
from typing import Any

INVALID = "[invalid]"
_END = r"(?![A-Za-z0-9])"
_LETTER = rf"[\s(\[{{'\"]*([A-D]){_END}"
_SAID = [
    re.compile(r"\\boxed\s*\{\s*\(?\s*(?:\\(?:text|mathrm|textbf|mathbf)\s*\{)?\s*\(?\s*([A-Da-d])\s*[).]?\s*\}"),
    re.compile(rf"答案\s*(?:应该|应当|应)?\s*(?:就)?\s*(?:是|为|选|选择)?\s*[:]?\s*(?:选项|选)?{_LETTER}"),
    re.compile(rf"(?<![不可能])(?:应该选择|应该选|应选|故选|因此选|所以选|选择|选)\s*[:]?\s*(?:选项)?{_LETTER}"),
    re.compile(rf"正确(?:的)?(?:选项|说法)?\s*(?:应)?(?:是|为)\s*[:]?\s*(?:选项)?{_LETTER}"),
    re.compile(rf"[Aa]nswer\s*(?:is|would be|should be)?\s*[:]?\s*(?:[Oo]ption|[Cc]hoice)?{_LETTER}"),
    re.compile(rf"(?:[Cc]orrect|[Rr]ight|[Bb]est)\s+(?:answer|option|choice)\s+(?:is|would be)\s*[:]?\s*(?:[Oo]ption|[Cc]hoice)?{_LETTER}"),
]
_ALONE = re.compile(r"^[\s(\[]*([A-D])\s*[)\].。、,:]*\s*$")
_FIRST = re.compile(r"^[\s(\[]*([A-D])\s*(?:[)\].。、,:]|$)")


def letter(text: str) -> str:
    """A to D, or "[invalid]". What the answer says last counts; then a line that is only a letter; then a letter at the start."""
    plain = unicodedata.normalize("NFKC", text).replace("*", "").replace("`", "").replace("$", "").replace("“", "").replace("”", "")
    said = [(match.start(1), match[1]) for pattern in _SAID for match in pattern.finditer(plain)]
    if said:
        return max(said)[1].upper()
    lines = [line for line in plain.splitlines() if line.strip()]
    for line in reversed(lines):
        alone = _ALONE.match(line)
        if alone:
            return alone[1]
    first = _FIRST.match(lines[0]) if lines else None
    return first[1] if first else INVALID


def letters(resps: list[list[str]], docs: list[dict[str, Any]]) -> list[list[str]]:
    """An lm-eval filter: the letter of every response."""
    return [[letter(text) for text in texts] for texts in resps]
