"""AsciiDoc for harness: a table is a block of lines that begin with a bar."""

from harness.reporting import Document, Screen

SUFFIXES = (".adoc",)


def write(document: Document, screen: Screen) -> str:
    """A heading, then every table with its title and notes."""
    lines = [f"= {document.title}", ""] if document.title else []
    for table in document.tables:
        lines += [f".{table.title}"] if table.title else []
        columns = ",".join(">1" if column.number else "<1" for column in table.columns)
        lines += [f'[cols="{columns}",options=header]', "|==="]
        lines += [" ".join(f"|{escape(text)}" for text in row) for row in (table.headings, *table.texts)]
        lines += ["|===", "", *(f"{note}\n" for note in table.notes)]
    lines += [f"{note}\n" for note in document.notes]
    for points in document.lists:
        lines += [f".{points.title}", *(f"* {item}" for item in points.items), ""]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that opens no cell."""
    return "".join(sign if sign.isprintable() else " " for sign in text).replace("|", "{vbar}")
