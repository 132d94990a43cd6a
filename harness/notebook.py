"""How results show themselves in a notebook: in a few lines as text, as tables where HTML is shown.

Objects of every floor inherit `NotebookTables`; what lays them out lives in `harness.reporting`,
above most of them, so it is looked up by its name the first time that a notebook asks.
"""

from __future__ import annotations

from importlib import import_module

LAYOUT = "harness.reporting.anything"


class NotebookTables:
    """An object that a notebook shows as the tables of `harness.report`."""

    def _repr_html_(self) -> str:
        """The tables as HTML, escaped, without scripts."""
        html: str = import_module(LAYOUT).fragment_of(self)
        return html
