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
COMMON = 0.85
"""Least share of common characters in a text that is taken for GBK unasked."""


def encoding_of(path: Path, name: str | None) -> tuple[str, str]:
    """(codec, a note where it is not UTF-8) of a text file.

    ``name``: what the config says. Raises ConfigError where bytes are no text of the named encoding,
    or are not UTF-8 and may be of several encodings; OSError.
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
        # Big5 and Latin texts often decode as GBK without an error, into characters that hardly
        # anybody writes.
        if _share_of_common(data) >= COMMON:
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


def _share_of_common(data: bytes) -> float:
    """The share of GB2312's 3,755 everyday characters and of its signs among all that is not ASCII.

    0 where the bytes are no GB18030, or hold no two Chinese characters in a row.
    """
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return 0.0

    common, others, run, longest = 0, 0, 0, 0
    for char in text:
        if char.isascii():
            run = 0
            continue
        first, second, *rest = char.encode("gb18030")
        everyday = 0xB0 <= first <= 0xD7 and second >= 0xA1 and not rest
        common += everyday or (0xA1 <= first <= 0xA3 and second >= 0xA1)
        others += 1
        run = run + 1 if everyday else 0
        longest = max(longest, run)
    return common / others if longest > 1 else 0.0
