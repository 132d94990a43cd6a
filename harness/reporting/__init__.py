"""What a person looks at.

Reads results only; imports no engine, so a report opens in a second anywhere: `make_table`,
`render`.
"""

from harness.reporting.render import render
from harness.reporting.table import Table, make_table

__all__ = ["Table", "make_table", "render"]
