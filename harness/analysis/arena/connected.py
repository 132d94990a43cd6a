"""Whether votes determine ratings at all: Ford's condition (Amer. Math. Monthly 64, 1957)."""

from __future__ import annotations

import numpy as np

from harness.analysis.arena.votes import Votes
from harness.errors import DataError
from harness.wording import list_some

MOST = 8
"""Names that an error lists."""


def check(votes: Votes) -> None:
    """Raises DataError, with the names, where ratings are not finite.

    They are finite where, however the models are split into two groups, each group won at least
    once (a tie counts) against the other: the graph of who won against whom must be strongly
    connected.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    # Groups that never met have no common scale at all.
    wins = votes.wins()
    notes = " ".join(["", *votes.notes])
    met, group = connected_components(csr_array(wins > 0), connection="weak")
    if met > 1:
        raise DataError(
            f"groups of models that never met cannot be rated together: {_parts(votes, group)};"
            f" rate them apart, or use --without.{notes}"
        )

    # Within one group a strength is finite only where both wins and losses bound it.
    parts, group = connected_components(csr_array(wins > 0), connection="strong")
    if parts == 1:
        return

    lost, won = wins.sum(axis=0), wins.sum(axis=1)
    never = [(f"{what}: {_names(names)}", names) for what, names in _extremes(votes, won, lost) if names]

    if never:
        cases = "; ".join(text for text, _ in never)
        raise DataError(
            f"a rating would be infinite: {cases}; add battles, or leave them out:"
            f" {_advice([n for _, ns in never for n in ns])}.{notes}"
        )

    raise DataError(
        f"groups of models between which only one side ever won: {_parts(votes, group)}; add"
        f" battles, or use --without.{notes}"
    )


def _extremes(votes: Votes, won: np.ndarray, lost: np.ndarray) -> list[tuple[str, list[str]]]:
    names = np.array(votes.models, dtype=object)
    return [("never lost", list(names[lost == 0])), ("never won", list(names[won == 0]))]


def _parts(votes: Votes, group: np.ndarray) -> str:
    """The groups, smallest first; the biggest by its size."""
    members = [
        [votes.models[index] for index in np.flatnonzero(group == number)]
        for number in range(int(group.max()) + 1)
    ]
    members.sort(key=len)
    return "; ".join(f"({_names(one)})" for one in members[:MOST])


def _names(names: list[str]) -> str:
    return list_some(names, MOST)


def _advice(names: list[str]) -> str:
    return " ".join(f"--without {name!r}" if " " in name else f"--without {name}" for name in names[:MOST])
