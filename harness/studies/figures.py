"""An exhibit as files to be taken away: its plot with title and source inside, as SVG and PNG, and
its rows as CSV.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from xml.etree import ElementTree

from harness.reporting.inert import visible
from harness.reporting.plots.svg import NAMESPACE
from harness.studies.answer import ClaimAnswer
from harness.studies.claims import Text
from harness.studies.exhibited import Cell, Exhibit
from harness.studies.finding import joined, say
from harness.version import __version__

FORMS = ("png", "svg", "csv")
"""What stands beside a plot, in the order of its links."""
SOURCES = {
    "tokens": ("by_count",),
    "chips": ("by_datasheet",),
    "liked": ("by_hub",),
    "likes": ("by_hub",),
    "downloads": ("by_print", "by_hub"),
    "prices": ("by_votes", "by_prices"),
}
"""Kind of exhibit to the texts that name its sources; all others rest on votes."""
TITLE, SMALL, LEADING, MARGIN = 15.0, 10.5, 1.35, 12.0
"""Points: sizes of type, the distance of lines in sizes, the edge round a figure."""
NARROW, WIDE = 0.56, 1.0
"""Widths of a Latin and of a Chinese character in sizes of type, on the mean."""
SCALE = 2.0
"""Pixels per point of a PNG: 144 per inch."""


def source_line(answer: ClaimAnswer, exhibit: Exhibit, language: str) -> str:
    """What a figure rests on, the days that it spans, and what made it."""
    names = joined([say(key) for key in SOURCES.get(exhibit.kind, ("by_votes",))], ", ", "、")[language]
    days = sorted({row["date"] for row in exhibit.points if "date" in row})
    if days:
        span = f"{days[0]}" if days[0] == days[-1] else f"{days[0]} – {days[-1]}"
        names = f"{names}{say('comma')[language]}{span}"
    return visible(say("figure_source", names=names, claim=answer.claim.id, version=__version__)[language])


def framed(svg: bytes, title: str, source: str) -> bytes:
    """The drawing with its title above and its source below, on white paper.

    Raises ElementTree.ParseError for a drawing that is no XML.
    """
    ElementTree.register_namespace("", NAMESPACE)
    drawing = ElementTree.fromstring(svg)
    width, height = float(drawing.get("width", "0")), float(drawing.get("height", "0"))
    room = width - 2 * MARGIN
    above, below = _folded(title, room, TITLE), _folded(source, room, SMALL)
    top = MARGIN + len(above) * TITLE * LEADING + 4
    whole = top + height + len(below) * SMALL * LEADING + MARGIN

    size = {"width": f"{width:g}", "height": f"{whole:g}", "viewBox": f"0 0 {width:g} {whole:g}"}
    font = {"font-family": drawing.get("font-family", "sans-serif")}
    root = ElementTree.Element(f"{{{NAMESPACE}}}svg", {**size, **font})
    ElementTree.SubElement(root, _tag("title")).text = title
    ElementTree.SubElement(root, _tag("rect"), {"width": "100%", "height": "100%", "fill": "#ffffff"})
    _write(root, above, MARGIN + TITLE, TITLE, {"fill": "#1a1a1a", "font-weight": "bold"})

    group = ElementTree.SubElement(root, _tag("g"), {"transform": f"translate(0,{top:g})"})
    group.extend(list(drawing))
    _write(root, below, top + height + SMALL, SMALL, {"fill": "#595959"})
    return ElementTree.tostring(root, encoding="unicode").encode()


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _write(
    root: ElementTree.Element, lines: Sequence[str], y: float, size: float, look: dict[str, str]
) -> None:
    for number, line in enumerate(lines):
        place = {"x": f"{MARGIN:g}", "y": f"{y + number * size * LEADING:g}", "font-size": f"{size:g}"}
        ElementTree.SubElement(root, _tag("text"), {**place, **look}).text = line


def _folded(text: str, room: float, size: float) -> list[str]:
    """Lines that are not wider than the room; Chinese text is broken after any character."""
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and _width(lines[-1] + piece.rstrip()) * size > room:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> list[str]:
    """Words with the blank behind them, and Chinese characters with the punctuation behind them."""
    pieces: list[str] = []
    for char in text:
        new = not pieces or pieces[-1].endswith(" ") or (char > "\u2e7f" or pieces[-1][-1] > "\u2e7f")
        if new and not (pieces and (char == " " or char in "，。；：、）》”")):
            pieces.append(char)
        else:
            pieces[-1] += char
    return pieces


def _width(text: str) -> float:
    return sum(WIDE if char > "\u2e7f" else NARROW for char in text)


def png(svg: bytes) -> bytes:
    """The framed drawing in pixels, twice as many as points."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg.decode(), scale=SCALE))


def rows_csv(exhibit: Exhibit, language: str) -> str:
    """What is drawn, one line per mark; of an exhibit without a plot its table."""
    file = io.StringIO()
    plain = csv.writer(file, lineterminator="\n")
    if exhibit.points:
        fields = list(dict.fromkeys(name for row in exhibit.points for name in row))
        plain.writerow(fields)
        plain.writerows([row.get(name, "") for name in fields] for row in exhibit.points)
        return file.getvalue()

    plain.writerow([head[language] for head in exhibit.headers])
    plain.writerows([_plain(cell, language) for cell in row] for row in exhibit.rows)
    return file.getvalue()


def _plain(cell: Cell, language: str) -> str:
    return visible(cell[language] if isinstance(cell, Text) else cell)
