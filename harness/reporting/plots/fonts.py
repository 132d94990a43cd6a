"""Whether this machine can draw Chinese, Japanese and Korean text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
ADVICE = (
    "no installed font has Chinese characters, so the picture shows boxes or gaps for them: "
    "install one (Debian: fonts-noto-cjk)"
)


def texts(spec: Any) -> Iterator[str]:
    """Every string value of a specification."""
    if isinstance(spec, str):
        yield spec
    elif isinstance(spec, dict):
        for value in spec.values():
            yield from texts(value)
    elif isinstance(spec, list | tuple):
        for value in spec:
            yield from texts(value)


def holds_cjk(spec: Any) -> bool:
    """Whether a specification shows such text anywhere."""
    return any(CJK.search(text) for text in texts(spec))


@lru_cache(maxsize=1)
def draws_cjk() -> bool:
    """Whether two Chinese characters come out as two different pictures: without a font for them
    both are the same box, or nothing.

    Asks the renderer itself, so that it holds whatever way the system keeps its fonts.
    """
    return _drawn("中") != _drawn("国")


def _drawn(char: str) -> bytes:
    import vl_convert

    from harness.reporting.plots.theme import fonts

    text = f'<text x="4" y="30" font-size="28" font-family="{fonts(cjk=True)}">{char}</text>'
    return bytes(
        vl_convert.svg_to_png(f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">{text}</svg>')
    )
