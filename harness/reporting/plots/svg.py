"""A chart's SVG, written anew in fewer bytes, and fit to stand in a page.

Vega writes a group round every mark, attributes that change nothing and eight digits after the
point. What is written here is chosen from a list of elements and attributes that draw, so that
nothing else, whatever a renderer or a name brought, can come into a page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree

from markupsafe import Markup, escape

DRAWN = frozenset({"svg", "g", "path", "line", "rect", "circle", "text", "tspan", "title"})
SHAPES = frozenset({"path", "line", "rect", "circle"})
SHOWN = [
    "transform",
    "d",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "dx",
    "dy",
    "cx",
    "cy",
    "r",
    "width",
    "height",
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "stroke-dashoffset",
    "opacity",
    "text-anchor",
    "font-size",
    "font-weight",
    "font-style",
]
"""The attributes that draw; what a browser could load or run is none of them."""
INHERITED = ("fill", "stroke", "stroke-width", "font-size", "font-weight", "text-anchor", "stroke-dasharray")
"""What a group's members take from it."""
DEFAULTS = {"opacity": "1", "font-weight": "normal", "text-anchor": "start", "transform": "translate(0,0)"}
NAMESPACE = "http://www.w3.org/2000/svg"
_FRACTION = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_DISC = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0(Z?)")
_EMPTY = re.compile(r"|M0,0h0v0h0Z")


@dataclass
class Part:
    """An element of the new drawing; ``text`` stands before its parts."""

    name: str
    attributes: dict[str, str]
    parts: list[Part] = field(default_factory=list)
    text: str = ""

    def markup(self) -> Markup:
        """The element as markup, everything in it escaped."""
        marks = Markup("").join(
            Markup(' {}="{}"').format(Markup(key), value) for key, value in self.attributes.items()
        )
        inside = escape(self.text) + Markup("").join(part.markup() for part in self.parts)
        name = Markup(self.name)
        if not inside:
            return Markup("<{0}{1}/>").format(name, marks)
        return Markup("<{0}{1}>{2}</{0}>").format(name, marks, inside)


def slim(svg: str) -> bytes:
    """The same picture as a file of its own, about a third as long.

    Raises ElementTree.ParseError for text that is no XML.
    """
    root, font = _read(svg)
    shape = {"xmlns": NAMESPACE, **_box(svg)} | ({"font-family": font} if font else {})
    root.attributes = shape
    return str(root.markup()).encode()


def inline(svg: str, title: str) -> Markup:
    """The picture as an element of a page: as wide as its place, in the page's font and colours,
    with the title that a screen reader says.

    Raises ElementTree.ParseError for text that is no XML.
    """
    root, _ = _read(svg)

    # The paper under a picture would be a white box on a dark page.
    root.parts = [part for part in root.parts if part.name != "rect"]
    box = {"viewBox": size} if (size := _box(svg).get("viewBox")) else {}
    root.attributes = {**box, "role": "img", "class": "chart"}
    root.parts.insert(0, Part("title", {}, text=title))
    return root.markup()


def _box(svg: str) -> dict[str, str]:
    """Width, height and view box of a drawing, to whole points."""
    root = ElementTree.fromstring(svg)
    return {name: _rounded(root.get(name, "")) for name in ("width", "height", "viewBox") if root.get(name)}


def _read(svg: str) -> tuple[Part, str]:
    """The drawing's parts, and its font where all texts have the same."""
    root = ElementTree.fromstring(svg)
    fonts = {one.get("font-family", "") for one in root.iter() if one.get("font-family")}
    part = _part(root)
    if part is None:
        raise ElementTree.ParseError("the root is no svg element")
    return part, fonts.pop() if len(fonts) == 1 else ""


def _part(element: ElementTree.Element, coloured: bool = False) -> Part | None:
    """An element with what it draws; None for one that draws nothing.

    ``coloured`` says that a group round it has a colour, as in a drawing that was written here.
    """
    name = element.tag.rpartition("}")[2]
    if name not in DRAWN or element.get("display") == "none":
        return None
    attributes = {key: _rounded(value) for key in SHOWN if (value := element.get(key)) is not None}
    attributes = {key: value for key, value in attributes.items() if DEFAULTS.get(key) != value}
    attributes = {key: value for key, value in attributes.items() if value != "transparent"}
    own = bool({attributes.get("fill", "none"), attributes.get("stroke", "none")} - {"none"})
    parts = [part for child in element if (part := _part(child, coloured or own)) is not None]

    # Vega gives every mark its colours, so a shape without one is an empty background, which would
    # take over whatever colour its group happens to have.
    if name in SHAPES and not own and not coloured:
        return None
    if name == "line" and not {attributes.get("x2", "0"), attributes.get("y2", "0")} - {"0"}:
        return None
    if name == "path" and _EMPTY.fullmatch(attributes.get("d", "")):
        return None
    if name == "path" and (disc := _DISC.fullmatch(attributes["d"])):
        name = "circle"
        attributes = {"r": disc[1], **{key: value for key, value in attributes.items() if key != "d"}}
    if name == "g":
        return _group(attributes, parts)
    text = (element.text or "") if name in ("text", "tspan", "title") else ""
    return Part(name, attributes, _hint(element) + parts, text) if name != "text" or text or parts else None


def _hint(element: ElementTree.Element) -> list[Part]:
    """What a mark says of itself, as a title: browsers show it on hover without a script."""
    label = element.get("aria-label")
    return [Part("title", {}, text=label)] if label and element.get("role") == "graphics-symbol" else []


def _group(attributes: dict[str, str], parts: list[Part]) -> Part | None:
    """A group without needless levels, saying once what all its members say."""
    if not parts:
        return None
    flat: list[Part] = []
    for part in parts:
        flat += part.parts if part.name == "g" and not part.attributes else [part]

    # An attribute of the group is inherited by every member, so it may move up only where every
    # member has it with the same value.
    for key in INHERITED if len(flat) > 1 else ():
        values = {part.attributes.get(key) for part in flat}
        if len(values) == 1 and None not in values and key not in attributes:
            attributes[key] = values.pop() or ""
            for part in flat:
                del part.attributes[key]
    if len(flat) == 1 and not attributes:
        return flat[0]
    return Part("g", attributes, flat)


def _rounded(value: str) -> str:
    """Figures to a tenth of a point, which no eye tells from more."""
    return _FRACTION.sub(_tenth, value)


def _tenth(number: re.Match[str]) -> str:
    short = f"{float(number[0]):.1f}".removesuffix(".0")
    return "0" if short == "-0" else short
