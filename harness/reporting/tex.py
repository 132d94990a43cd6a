"""Text that LaTeX sets as it is: every character that means something there written out, and the
places where a long name may be broken.
"""

from __future__ import annotations

import re

_SPECIAL = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "≠": r"$\neq$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "√": r"$\surd$",
    "∞": r"$\infty$",
    "·": r"$\cdot$",
    "∶": r"$:$",
    "×": r"$\times$",
    "✓": r"$\surd$",
    "✗": r"$\times$",
    "Δ": r"$\Delta$",
    "θ": r"$\theta$",
    "µ": r"$\mu$",
    "μ": r"$\mu$",
    "ρ": r"$\rho$",
    "τ": r"$\tau$",
    "²": r"$^2$",
    "³": r"$^3$",
    "₂": r"$_2$",
    "–": "--",
    "—": "---",
    "…": r"\dots{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
}
_DASH = "-(?=-)"
"""Two hyphens of a name (models--org--name) are no dash."""
_MARKS = re.compile("|".join([_DASH, *(re.escape(mark) for mark in _SPECIAL)]))
_CODE = re.compile("`([^`]+)`")
_BREAKS = re.compile(r"(\\_|/|[,:.](?=[^\s\d]))")
_HAN = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


def escape(text: str) -> str:
    """Text that LaTeX sets as it is: one line, no command, no special character.

    Quotation marks inside Chinese text stay Chinese ones, which are as wide as a character.
    """
    line = flat(text)
    chinese = holds_han(line)

    def written(mark: re.Match[str]) -> str:
        if chinese and mark[0] in "“”‘’…—":
            return mark[0]
        return _SPECIAL.get(mark[0], "-{}")

    return _MARKS.sub(written, line).replace('"', "''").replace("`", "\\textasciigrave{}")


def prose(text: str) -> str:
    """A sentence: what stands in it between backticks is set as code."""
    parts = _CODE.split(text)
    return "".join(
        f"\\texttt{{{escape(part)}}}" if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def breakable(text: str) -> str:
    """Escaped text that may also be broken after the separators of a name."""
    return _BREAKS.sub(r"\1\\allowbreak{}", text)


def flat(text: str) -> str:
    """Text on one line, for a comment."""
    return "".join(char if char.isprintable() else " " for char in text)


def holds_han(text: str) -> bool:
    """Whether a font with Chinese characters is needed."""
    return _HAN.search(text) is not None
