"""Charts as files: all four formats, Chinese text that is drawn, hostile names that do nothing."""

from __future__ import annotations

import json
import re
import struct
import warnings
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import pytest
from support.chromium import Browser, find_chromium

from harness.errors import ConfigError
from harness.reporting.plots import FontWarning, fonts, series, theme
from harness.reporting.plots.save import save, specification

HOSTILE = (
    "<script>document.title='hit'</script></script>"
    "<img src=x onerror=\"document.title='hit'\">\u202ediw\u2028"
)


def bars(*names: str, title: str = "Scores") -> Any:
    import altair as alt

    rows = [{"model": name, "score": 0.2 + place / 10} for place, name in enumerate(names)]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar()
        .encode(alt.Y("model:N", title="model"), alt.X("score:Q", title="score"))
    )
    return chart.encode(tooltip=["model:N", "score:Q"]).properties(title=title)


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_png_has_two_pixels_a_point(tmp_path: Path) -> None:
    save(bars("a", "b"), tmp_path / "a.png")
    save(bars("a", "b"), tmp_path / "a.svg")
    root = xml.fromstring((tmp_path / "a.svg").read_text())
    width, height = size((tmp_path / "a.png").read_bytes())
    assert (width, height) == pytest.approx(
        (2 * float(root.get("width", 0)), 2 * float(root.get("height", 0))), abs=2
    )


def test_json_is_the_chart_with_the_theme(tmp_path: Path) -> None:
    save(bars("a"), tmp_path / "a.json")
    spec = json.loads((tmp_path / "a.json").read_text())
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/v6")
    assert spec["config"]["range"]["category"] == list(theme.COLOURS)
    assert spec["mark"]["type"] == "bar"


def test_the_charts_own_config_wins() -> None:
    chart = bars("a").configure_axis(labelFontSize=7)
    axis = specification(chart)["config"]["axis"]
    assert axis["labelFontSize"] == 7
    assert axis["titleFontSize"] == theme.config()["axis"]["titleFontSize"]


def test_another_extension_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"png, svg, html, json: got \.bmp"):
        save(bars("a"), tmp_path / "a.bmp")
    with pytest.raises(ConfigError, match="no extension"):
        save(bars("a"), tmp_path / "a")


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        specification({"data": {"values": [{"x": float("nan")}]}})


def test_chinese_is_set_in_a_chinese_font_first() -> None:
    assert specification(bars("通义千问"))["config"]["font"].startswith(theme.CHINESE[0])
    assert specification(bars("qwen"))["config"]["font"].startswith(theme.LATIN[0])


@pytest.mark.skipif(not fonts.draws_cjk(), reason="no font with Chinese characters (Debian: fonts-noto-cjk)")
def test_chinese_characters_are_drawn_not_boxes(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, text in (("one", "通义千问"), ("two", "深度求索")):
            save(bars(text, title=text), tmp_path / f"{name}.png")
            save(bars(text, title=text), tmp_path / f"{name}.svg")
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "two.png").read_bytes()
    assert "通义千问" in (tmp_path / "one.svg").read_text(encoding="utf-8")


def test_without_a_font_a_warning_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_drawn", lambda char: b"the same box")
    fonts.draws_cjk.cache_clear()
    try:
        with pytest.warns(
            FontWarning, match=r"a\.svg: no installed font has Chinese characters.*fonts-noto-cjk"
        ):
            save(bars("通义千问"), tmp_path / "a.svg")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            save(bars("qwen"), tmp_path / "b.svg")
    finally:
        fonts.draws_cjk.cache_clear()
    assert (tmp_path / "a.svg").is_file()


def test_hostile_names_are_text_in_svg(tmp_path: Path) -> None:
    save(bars(HOSTILE, "a\x00b", title=HOSTILE), tmp_path / "a.svg")
    root = xml.fromstring(
        (tmp_path / "a.svg").read_text(encoding="utf-8")
    )  # well-formed despite the control character
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not names & {"script", "img", "image", "foreignObject"}
    shown = "".join(root.itertext())
    assert "⟦U+202E⟧" in shown
    assert "\u202e" not in shown


def test_series_differ_in_shape_and_dash_as_well_as_in_colour() -> None:
    names = [f"m{number}" for number in range(60)]
    told = series(names)
    colours, shapes = told.color.to_dict()["range"], told.shape.to_dict()["range"]
    assert len(set(zip(colours, shapes, strict=True))) >= 56
    assert len({json.dumps(dash) for dash in told.dash.to_dict()["range"][:5]}) == 5


def grey(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", theme.COLOURS)
def test_every_colour_stands_out_from_paper(colour: str) -> None:
    assert 1.05 / (grey(colour) + 0.05) >= 2


def test_html_holds_everything_and_allows_nothing_else(tmp_path: Path) -> None:
    save(bars(HOSTILE, title=HOSTILE), tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert text.count("</script>") == 2
    assert "onerror=" not in re.sub(r"<script.*?</script>", "", text, flags=re.S).replace(
        "onerror=&quot;", ""
    )


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="no Chromium (Debian: chromium)")
def test_html_in_a_browser(tmp_path: Path) -> None:
    save(bars(HOSTILE, "通义千问", title=HOSTILE), tmp_path / "a.html")
    with Browser(tmp_path / "profile") as browser:
        browser.look(800)
        browser.open(tmp_path / "a.html")
        for _ in range(100):
            if browser.run("document.body.getAttribute('data-ready')"):
                break
        bar = browser.run(
            "(() => { const box = document.querySelector('.mark-rect path').getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=bar[0], y=bar[1])
        tooltip = browser.run("document.querySelector('#vg-tooltip-element.visible')?.textContent ?? ''")
        assert "score" in tooltip
        assert "<script>" in tooltip or "通义千问" in tooltip
        assert browser.run("document.title") != "hit"
        assert (
            browser.run(
                "document.querySelectorAll('#plot img, #plot script, #vg-tooltip-element img').length"
            )
            == 0
        )
        browser.picture(tmp_path / "a.png")
        assert browser.complaints == []
        assert [url for url in browser.requests if not url.startswith("file:")] == []
