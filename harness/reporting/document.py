"""What every command shows: a `Document` of tables, notes and lists. Commands build it, writers
(`harness.reporting.writers`) write it down; nothing else formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from harness.notebook import NotebookTables
from harness.reporting.texts import Phrase, translated
from harness.wording import list_first

NONE = "–"
"""A figure that is not there."""
Emphasis = Literal["", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class TableCell:
    """What a reader sees, and the raw value behind it, where there is one, for CSV and JSON."""

    text: str
    value: Any = None
    emphasis: Emphasis = ""
    best: bool = False
    """The best of its row or column beyond doubt, which a paper sets in bold."""

    @property
    def raw(self) -> Any:
        """The value for machines: the figure itself, else the text without its indent."""
        return self.text.strip() if self.value is None else self.value


@dataclass(frozen=True)
class Column:
    """A heading and how its cells are set.

    The order of columns is their importance: where a table is too wide, the last ones go first
    into a further table, each time beside the ``key`` columns, which name the rows, and such others
    as tell rows of one name apart.
    """

    heading: str
    number: bool = False
    """Figures are set to the right and never broken; texts to the left, and folded if need be."""
    key: bool = False
    group: str = ""
    """Neighbours of one group (a model's score and its bad answers) are never parted."""


def keys(*headings: str) -> list[Column]:
    """Columns of texts that name the rows. Headings are texts of the catalogue, not data."""
    return [Column(Phrase(heading), key=True) for heading in headings]


def texts(*headings: str) -> list[Column]:
    """Columns of texts. Headings are texts of the catalogue, not data."""
    return [Column(Phrase(heading)) for heading in headings]


def numbers(*headings: str) -> list[Column]:
    """Columns of figures. Headings are texts of the catalogue, not data."""
    return [Column(Phrase(heading), number=True) for heading in headings]


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns, with a heading and footnotes.

    Raises ValueError for a row that is not as long as the headings: its figures would stand under
    other ones.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    notes: tuple[str, ...] = ()
    breaks: frozenset[int] = frozenset()
    """Rows that begin a new section."""
    strong: frozenset[int] = frozenset()
    """Rows that sum up others."""
    caption: str = ""
    """What a paper says below or above it, where the title alone would not do."""
    label: str = ""
    """The title in English, from which a reference is made in every language."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"{self.title}: a row of {len(row)} cells under {len(self.columns)} headings: {row}"
                )

    @classmethod
    def of(
        cls,
        title: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[TableCell | str]],
        notes: Iterable[str] = (),
        **more: Any,
    ) -> Table:
        """A table of cells or plain texts."""
        cells = (
            tuple(cell if isinstance(cell, TableCell) else TableCell(cell) for cell in row) for row in rows
        )
        return cls(title, tuple(columns), tuple(cells), tuple(notes), **more)

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings in order."""
        return tuple(column.heading for column in self.columns)

    @property
    def texts(self) -> list[tuple[str, ...]]:
        """The cells' texts, row by row."""
        return [tuple(cell.text for cell in row) for row in self.rows]

    def without_empty(self) -> Table:
        """Without the columns of figures in which no row says anything."""
        columns = [
            position
            for position, column in enumerate(self.columns)
            if not column.number or any(row[position].text not in ("", NONE) for row in self.rows)
        ]
        rows = tuple(tuple(row[position] for position in columns) for row in self.rows)
        return replace(self, columns=tuple(self.columns[position] for position in columns), rows=rows)


@dataclass(frozen=True)
class Points:
    """A list below the tables: reasons, warnings, differing items."""

    title: str
    items: tuple[str, ...]
    warnings: frozenset[int] = frozenset()
    """Items that are warnings."""


Fields = Sequence[str]
Records = tuple[Fields, Iterable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Document(NotebookTables):
    """Tables one below the other under a title, notes that hold for all, and lists.

    ``data`` and ``records`` are what a command says to machines: everything as plain data for
    JSON, and (columns, flat rows) for CSV. Where a command has neither, the tables' raw values
    are written.
    """

    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    lists: tuple[Points, ...] = ()
    data: Callable[[], Any] | None = field(default=None, compare=False)
    records: Callable[[], Records] | None = field(default=None, compare=False)
    language: str = "en"
    label: str = ""
    """The title in English, from which references to the tables are made in every language."""

    def __repr__(self) -> str:
        """Its title, and the size of each table."""
        sizes = [f"{len(table.rows)} × {len(table.columns)}" for table in self.tables]
        return f"Document {self.title!r}: tables of {list_first(sizes, 4) or 'nothing'}"

    def in_language(self, language: str) -> Document:
        """With the texts of the catalogue in ``language``; names and other data stay as they are."""
        if language == self.language:
            return self

        def say(text: str) -> str:
            return translated(text, language)

        return replace(
            self,
            title=say(self.title),
            tables=tuple(_in_language(table, say) for table in self.tables),
            notes=tuple(map(say, self.notes)),
            lists=tuple(
                replace(points, title=say(points.title), items=tuple(map(say, points.items)))
                for points in self.lists
            ),
            language=language,
            label=self.label or self.title,
        )


def _in_language(table: Table, say: Callable[[str], str]) -> Table:
    return replace(
        table,
        title=say(table.title),
        caption=say(table.caption),
        columns=tuple(replace(column, heading=say(column.heading)) for column in table.columns),
        rows=tuple(tuple(replace(cell, text=say(cell.text)) for cell in row) for row in table.rows),
        notes=tuple(map(say, table.notes)),
        label=table.label or table.title,
    )


@dataclass(frozen=True)
class Screen:
    """What a writer must know of the place it writes for."""

    width: int = 100
    """Columns of the terminal; other forms have no width."""
    colour: bool = False
