"""What a person looks at.

Reads results only; imports no engine, so a report opens in a second anywhere: `make_table`, and
`render.render` for terminals and files.
"""

from harness.reporting.table import Table, make_table

__all__ = ["Table", "make_table"]
