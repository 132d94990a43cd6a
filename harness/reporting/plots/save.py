"""Writing a chart: the file's name says the format.

Names of models and tasks are data: what cannot be seen in them is written out, nothing is read as
markup, nothing is loaded from anywhere.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError
from harness.reporting.inert import visible
from harness.reporting.plots.fonts import ADVICE, draws_cjk, holds_cjk
from harness.reporting.plots.page import offline_page
from harness.reporting.plots.theme import themed
from harness.results.files import write_whole

if TYPE_CHECKING:
    from altair import TopLevelMixin as Chart

VERSION = "6.4"
"""Vega-Lite's, which Altair writes and vl-convert draws."""
SCALE = 2
"""Pixels per point in PNG: 144 per inch."""


class FontWarning(UserWarning):
    """A picture was written, but this machine has no font for a part of its text."""


def save(chart: Chart | dict[str, Any], path: Path | str) -> None:
    """Writes a chart (Altair's, or a Vega-Lite dict) in the house theme: .png (2x), .svg, .html
    (offline, tooltips) or .json (Vega-Lite).

    Raises ConfigError for another extension, RunFolderError where the file cannot be written,
    ValueError for data that is no JSON (NaN). Warns with FontWarning where a PNG or SVG holds
    Chinese text and no font for it is installed.
    """
    file = Path(path)
    write = FORMATS.get(file.suffix.lower().removeprefix("."))
    if write is None:
        raise ConfigError(
            f"{path}: a picture is written as {', '.join(FORMATS)}: got {file.suffix or 'no extension'}"
        )
    spec = specification(chart)

    # Boxes in place of characters are no error to the renderer, so they are looked for beforehand.
    if file.suffix.lower() in (".png", ".svg") and holds_cjk(spec) and not draws_cjk():
        warnings.warn(f"{path}: {ADVICE}", FontWarning, stacklevel=2)
    data = write(spec)

    def put(part: Path) -> None:
        part.write_bytes(data)

    write_whole(file, put)


def specification(chart: Chart | dict[str, Any], *, check: bool = True) -> dict[str, Any]:
    """The chart as Vega-Lite with the theme, every text of it visible.

    ``check`` holds it against Vega-Lite's schema, which takes as long as drawing it: charts of our
    own are checked by tests. Raises ValueError for NaN and infinities.
    """
    raw = chart if isinstance(chart, dict) else _bare(chart, check=check)
    plain = json.loads(
        json.dumps(raw, allow_nan=False),
        object_hook=lambda part: {key: _visible(value) for key, value in part.items()},
    )
    return themed(plain, cjk=holds_cjk(plain))


def _bare(chart: Chart, *, check: bool) -> dict[str, Any]:
    """Altair's chart without Altair's own theme."""
    import altair

    with altair.theme.enable("none"):
        spec: dict[str, Any] = chart.to_dict(validate=check)
    return spec


def drawn(chart: Chart) -> str:
    """One of our own charts as SVG, to be written smaller or laid into a page."""
    return _svg(specification(chart, check=False)).decode()


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    return [_visible(one) for one in value] if isinstance(value, list) else value


def _png(spec: dict[str, Any]) -> bytes:
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(spec, vl_version=VERSION, scale=SCALE, allowed_base_urls=[]))


def _svg(spec: dict[str, Any]) -> bytes:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, vl_version=VERSION, allowed_base_urls=[])).encode()


def _json(spec: dict[str, Any]) -> bytes:
    return (json.dumps(spec, ensure_ascii=False, indent=1) + "\n").encode()


FORMATS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "png": _png,
    "svg": _svg,
    "html": lambda spec: offline_page(spec, VERSION),
    "json": _json,
}
"""What a chart can be written as."""
