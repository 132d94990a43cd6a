"""The report as one page: a self-contained HTML file that asks for nothing from any network
(`page`).
"""

from harness.reporting.html.assemble import page

__all__ = ["page"]
