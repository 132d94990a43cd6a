"""Which encoding a text file is in: UTF-8, else GBK (GB18030) where its bytes leave no doubt."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigError
from harness.textfiles import check_encoding, likely_encoding

UTF8 = "utf-8-sig"
ENCODINGS = {
    "utf-8": UTF8,
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "utf-16": "utf-16",
}
"""Encoding as a config names it to Python's codec; GB18030 holds GBK and GB2312."""
COMMON, OFTEN = 0.85, 0.12
"""Least share of everyday characters among all that is not ASCII, and of the most frequent ones
among the everyday ones, in a text that is taken for GBK unasked.
"""
_FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实"
    "题目答案选项问正确类别科哪什谁何下列关属述错误判断单填空最第二三首名称"
)
"""Characters of every Chinese text, and of every list of questions."""


def encoding_of(path: Path, name: str | None) -> tuple[str, str]:
    """(codec, a note where it is not UTF-8) of a text file.

    ``name``: what the config says. Raises ConfigError where bytes are no text of the named
    encoding, or are not UTF-8 and may be of several encodings; OSError.
    """
    if name is not None:
        codec = ENCODINGS[name]
        _decoded(path.read_bytes(), codec, f"encoding: {name}")
        return codec, ""

    check_encoding(path)
    data = path.read_bytes()
    try:
        data.decode(UTF8)
    except UnicodeDecodeError as error:
        # Big5, Korean and Latin texts often decode as GBK without an error, into characters that
        # hardly anybody writes.
        if _looks_gbk(data):
            return "gb18030", "the file is read as GBK (GB18030); encoding: says another one"
        raise ConfigError(
            f"{likely_encoding(data, error)}, or say encoding: gbk or big5 in the task"
        ) from error
    return UTF8, ""


def _decoded(data: bytes, codec: str, what: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{what}: byte {error.start} of the file is no text of it ({error.reason})"
        ) from error


def _looks_gbk(data: bytes) -> bool:
    """Whether bytes are Chinese text in GBK beyond doubt.

    They decode, have two Chinese characters in a row, and nearly all are of GB2312's 3,755 everyday
    ones and its signs; and as many are of the most frequent as no other language's bytes give.
    """
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return False

    everyday, signs, others, run, longest = 0, 0, 0, 0, 0
    for char in text:
        kind = _kind(char)
        everyday, signs, others = (
            everyday + (kind == "han"),
            signs + (kind == "sign"),
            others + (kind == "rare"),
        )
        run = run + 1 if kind == "han" else 0
        longest = max(longest, run)
    often = sum(char in _FREQUENT for char in text)
    whole = everyday + signs + others
    return longest > 1 and (everyday + signs) / whole >= COMMON and often / everyday >= OFTEN


def _kind(char: str) -> str:
    """``ascii``; ``han``: an everyday character of GB2312; ``sign``: one of its signs; ``rare``."""
    if char.isascii():
        return "ascii"
    code = char.encode("gb18030")
    if len(code) > 2 or code[1] < 0xA1:
        return "rare"
    return "han" if 0xB0 <= code[0] <= 0xD7 else "sign" if 0xA1 <= code[0] <= 0xA3 else "rare"
