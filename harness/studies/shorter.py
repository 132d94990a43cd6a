"""A plot's SVG without what no eye sees.

It stands in documents twice, as a file and inside the page.
"""

from __future__ import annotations

import re

TAG = re.compile(rb"<[^>]*>")
UNSEEN = re.compile(rb' (?:class|role|pointer-events|aria-[a-z]+|stroke-miterlimit)="[^"]*"| opacity="1"')
EMPTY = re.compile(rb'<path[^>]* d=""[^>]*/>|<path[^>]* d="M0,0h0v0h0Z"[^>]*/>')
FRACTION = re.compile(rb"\d+\.\d+")
DISC = re.compile(rb'<path( transform="[^"]*")? d="M([\d.]+),0A\2,\2,0,1,1,-\2,0A\2,\2,0,1,1,\2,0"')
FONT = re.compile(rb' font-family="[^"]*"')


def shorter(svg: bytes) -> bytes:
    """The same picture in fewer bytes.

    Attributes to a tenth of a point, discs as circles, the one font named once. Texts stay as they
    are, and so do pictures in several fonts.
    """
    fonts = set(FONT.findall(svg))
    if len(fonts) == 1:
        svg = FONT.sub(b"", svg).replace(b"<svg", b"<svg" + fonts.pop(), 1)
    return DISC.sub(rb'<circle\1 r="\2"', EMPTY.sub(b"", TAG.sub(_tag, svg)))


def _tag(match: re.Match[bytes]) -> bytes:
    return FRACTION.sub(_tenth, UNSEEN.sub(b"", match[0]))


def _tenth(match: re.Match[bytes]) -> bytes:
    return f"{float(match[0]):.1f}".removesuffix(".0").encode()
