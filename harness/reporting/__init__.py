"""What a person looks at.

Reads results only; imports no engine, so a report opens in a second anywhere: `make_table`,
`render`; every command's `Document`, and the writers that write it down.
"""

from harness.reporting.document import Document, Screen
from harness.reporting.rendering import render
from harness.reporting.table import ScoreTable, make_table

__all__ = ["Document", "ScoreTable", "Screen", "make_table", "render"]
