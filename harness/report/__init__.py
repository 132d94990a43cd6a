"""What a person looks at. Reads results only; imports no engine, so a report opens in a second anywhere: `make_table`, `render`."""

from harness.report.render import render
from harness.report.table import Table, make_table

__all__ = ["Table", "make_table", "render"]
