"""CSV for other programs: a command's flat rows where it has some, else the raw values of its
tables.
"""

from __future__ import annotations

import csv
import io

from harness.reporting.document import Document, Screen

SUFFIXES = (".csv",)


def write(document: Document, screen: Screen) -> str:
    """Rows under a header line; several tables one below the other, parted by an empty line."""
    file = io.StringIO()
    if document.records is not None:
        fields, rows = document.records()
        writer = csv.DictWriter(file, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return file.getvalue()

    plain = csv.writer(file, lineterminator="\n")
    for number, table in enumerate(document.tables):
        if number:
            plain.writerow([])
        plain.writerow(table.headings)
        plain.writerows([cell.raw for cell in row] for row in table.rows)
    return file.getvalue()
