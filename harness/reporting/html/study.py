"""What a study lays into the page: texts and tables of cells, and plots as bytes.

Whoever makes one says nothing in markup.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from harness.reporting.html.tables import Grid


@dataclass(frozen=True)
class StatementView:
    """One statement of a claim: what it says, its outcome, the figure with its uncertainty, what
    that rests on; ``command`` would bring what is missing. ``look`` is the outcome's style class:
    holds, fails, unclear or missing.
    """

    says: str
    outcome: str
    look: str
    measured: str
    rests: str
    command: str = ""


@dataclass(frozen=True)
class Plate:
    """A plot with its title, what is to be read from it, and its table.

    ``svg`` is None where there is nothing to draw.
    """

    title: str
    svg: bytes | None
    lines: tuple[str, ...]
    grid: Grid

    @property
    def drawing(self) -> Markup | None:
        """The plot as an element of the page: only what draws is taken over from its SVG."""
        from harness.reporting.plots.svg import inline

        return inline(self.svg.decode(), self.title) if self.svg is not None else None


@dataclass(frozen=True)
class Study:
    """A claim in one language: verdict, statements under ``headers`` (four), plots, and what a
    reader must know before citing it.

    ``look`` is the verdict's style class: supported, partly-supported, not-supported, cannot-tell
    or not-yet-measured.
    """

    id: str
    claim: str
    origin: str
    verdict: str
    look: str
    headers: tuple[str, ...]
    statements: tuple[StatementView, ...]
    plates: tuple[Plate, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Studies:
    """All studies of a page, and the sources of their published ratings as (title, address)."""

    studies: tuple[Study, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
