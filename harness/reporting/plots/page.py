"""A chart as one HTML file that asks nothing of any network: Vega inline, tooltips on, under a
policy that lets nothing else run.

The data stands in a script element of type application/json, which no browser runs; Vega shows
texts through textContent only, and its expressions go through an interpreter instead of ``eval``,
so that the policy can forbid that, too.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from html import escape
from typing import Any

from harness.reporting.inert import embedded

START = """
const spec = JSON.parse(document.getElementById("chart").textContent);
const options = {ast: true, actions: false, renderer: "svg", defaultStyle: false,
  tooltip: {disableDefaultStyle: true}};
vegaEmbed("#plot", spec, options)
  .then(() => document.body.setAttribute("data-ready", "yes"));
"""
STYLE = """
body { margin: 1rem; font-family: sans-serif; background: #fff; color: #1a1a1a; }
#plot { overflow-x: auto; }
#vg-tooltip-element { visibility: hidden; position: fixed; z-index: 1000; padding: 6px 8px;
  border: 1px solid #999; border-radius: 3px; background: #fff; font-size: 12px;
  box-shadow: 1px 1px 4px rgba(0, 0, 0, .2); }
#vg-tooltip-element.visible { visibility: visible; }
#vg-tooltip-element td { padding: 1px 4px; vertical-align: top; max-width: 30em; overflow-wrap: anywhere; }
#vg-tooltip-element td.key { color: #6b6b6b; text-align: right; }
"""
PAGE = """<!doctype html>
<html lang="{lang}">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<div id="plot" role="img" aria-label="{title}"><noscript>This chart needs JavaScript.</noscript></div>
<script type="application/json" id="chart">{data}</script>
<script>{script}</script>
</html>
"""


def offline_page(spec: dict[str, Any], version: str) -> bytes:
    """The page of a Vega-Lite specification (of Vega-Lite ``version``), some 0.9 MB, in UTF-8."""
    script = _script(version)
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(STYLE)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title, lang = escape(_title(spec)), escape(str((spec.get("usermeta") or {}).get("lang", "en")))
    parts = {
        "lang": lang,
        "policy": policy,
        "title": title,
        "style": STYLE,
        "data": embedded(spec),
        "script": script,
    }
    return PAGE.format(**parts).encode()


def _title(spec: dict[str, Any]) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


@lru_cache(maxsize=2)
def _script(version: str) -> str:
    """Vega, Vega-Lite and Vega-Embed with our few lines, as one script without imports."""
    import vl_convert

    bundle = str(vl_convert.javascript_bundle(START, vl_version=version))
    if "</script" in bundle or "<!--" in bundle:
        raise AssertionError("the bundled libraries would end the script element they stand in")
    return bundle


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
