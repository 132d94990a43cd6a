"""A chart's SVG written anew: the same picture in fewer bytes, and nothing in it but what draws."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from harness.reporting.plots.svg import inline, slim

FONT = ' font-family="A, B"'
DISC = "M1.5,0A1.5,1.5,0,1,1,-1.5,0A1.5,1.5,0,1,1,1.5,0"
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def picture(inside: str) -> str:
    return f'{HEAD} version="1.1" class="marks" width="90" height="40" viewBox="0 0 90 40">{inside}</svg>'


def test_a_slim_plot_says_the_same() -> None:
    plot = picture(
        f"""<rect width="90" height="40" fill="white"/><g role="x" aria-hidden="true" stroke-miterlimit="10">
<path class="background" d="M0,0h0v0h0Z" fill="red"/><g><path d="M1,1h9" stroke="transparent"/></g>
<path transform="translate(10.449,3.0)" d="{DISC}" fill="#D55E00" opacity="1"/>
<text x="0.96"{FONT} fill="#111">0.05 class="a" qwen-2.55</text><text{FONT} fill="#111">two</text>
<path class="foreground" d="" display="none"/></g>"""
    )
    assert slim(plot).decode() == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40" viewBox="0 0 90 40" font-family="A, '
        'B">'
        '<rect width="90" height="40" fill="white"/>'
        '<g><circle r="1.5" transform="translate(10.4,3)" fill="#D55E00"/>'
        '<text x="1" fill="#111">0.05 class=&#34;a&#34; qwen-2.55</text><text '
        'fill="#111">two</text></g></svg>'
    )


def test_what_all_members_say_is_said_once() -> None:
    plot = picture('<g><line x2="5" stroke="#ddd"/><g><line x2="6" stroke="#ddd"/></g></g>')
    assert '<g stroke="#ddd"><line x2="5"/><line x2="6"/></g>' in slim(plot).decode()
    apart = picture('<g><line x2="5" stroke="#ddd"/><line x2="6" stroke="#eee"/></g>')
    assert slim(apart).decode().count("stroke") == 2


def test_a_slim_plot_stays_as_it_is() -> None:
    plot = picture(
        '<g fill="none"><g><line x2="5" stroke="#ddd"/><line x2="6" stroke="#ddd"/></g><path d="M0,0h9"/></g>'
    )
    assert slim(slim(plot).decode()) == slim(plot)
    assert b"M0,0h9" not in slim(plot)
    assert b"line" in slim(plot)


def test_only_what_draws_comes_into_a_page() -> None:
    """Elements and attributes are taken from a list, whatever a renderer or a name brought."""
    bad = (
        '<script>alert(1)</script><style>*{fill:red}</style><image href="x"/><use xlink:href="#y"/>'
        '<a xlink:href="javascript:x"><text fill="red">link</text></a><foreignObject><b>x</b></foreignObject>'
        '<g onclick="x" style="fill:red" id="q"><text fill="#111" onload="x">&lt;script&gt;&amp;"</text></g>'
    )
    markup = inline(picture(bad), 'a "title" <b>')
    assert markup == (
        '<svg viewBox="0 0 90 40" role="img" class="chart"><title>a &#34;title&#34; &lt;b&gt;</title>'
        '<text fill="#111">&lt;script&gt;&amp;&#34;</text></svg>'
    )


def test_a_mark_says_what_it_is() -> None:
    mark = '<path role="graphics-symbol" aria-label="a &lt;b&gt;: 0.5" d="M0,0h5" fill="#111"/>'
    assert "<title>a &lt;b&gt;: 0.5</title></path>" in inline(picture(mark), "x")


def test_what_is_no_drawing_is_refused() -> None:
    for text in ("no xml", "<html/>"):
        with pytest.raises(ElementTree.ParseError):
            slim(text)
