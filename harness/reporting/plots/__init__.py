"""Pictures for papers and pages: charts of one look (`theme`), saved as PNG, SVG, offline HTML or
Vega-Lite (`save`).
"""

from harness.reporting.plots.save import FORMATS, FontWarning
from harness.reporting.plots.theme import Series, series, themed

__all__ = ["FORMATS", "FontWarning", "Series", "series", "themed"]
