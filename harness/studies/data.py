"""What studies look at.

The published ratings, prices and tokenizer counts at hand, and the runs that were named.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError, DataError
from harness.published import TokenPrice, load_prices, load_ratings, rated_models
from harness.published.ratings import LMARENA
from harness.published.sources import USER_FOLDER
from harness.studies.board import Board

if TYPE_CHECKING:
    from harness.adoption import Snapshot
    from harness.results.query import Run

TOKENIZERS = Path("results") / "recorded" / "tokenizers.json"


@dataclass(frozen=True)
class Data:
    """Data that is read at its first use.

    ``folder`` holds what a user imported (`harness published import`).
    """

    runs: tuple[Run, ...] = ()
    folder: Path | None = USER_FOLDER
    tokenizers: Path = field(default=TOKENIZERS)

    @cached_property
    def board(self) -> Board:
        """LMArena's text leaderboard over time."""
        return Board.of(load_ratings(self.folder), rated_models(self.folder))

    def board_of(self, name: str) -> Board:
        """A board by name: LMArena's, or one of scores.

        Raises ConfigError for one that is not there.
        """
        from harness.config.problems import suggest
        from harness.studies.scoreboards import NAMES, scoreboard

        if name == LMARENA:
            return self.board
        if name in NAMES:
            return scoreboard(name)
        imported = load_ratings(self.folder, board=name)
        if not imported:
            names = (LMARENA, *NAMES)
            raise ConfigError(
                f"unknown board {name!r}{suggest(name, names)}; known: {', '.join(names)}, and imported ones"
            )
        return Board.of(imported, rated_models(self.folder))

    @cached_property
    def prices(self) -> dict[str, TokenPrice]:
        """$ per million tokens by the rated model's name."""
        return load_prices()

    @cached_property
    def adoption(self) -> list[Snapshot]:
        """The hub's likes and downloads as dated lists.

        The packaged ones and those of `harness adoption snapshot`.
        """
        from harness.adoption.published import USER_FOLDER as TAKEN
        from harness.adoption.published import snapshots

        return snapshots(TAKEN if self.folder is not None else None)

    @cached_property
    def tokens(self) -> dict[str, Any] | None:
        """What `harness tokenizers --out` wrote; None where it is not there.

        Raises DataError for a file of another kind.
        """
        if not self.tokenizers.is_file():
            return None
        try:
            counts: dict[str, Any] = json.loads(self.tokenizers.read_text(encoding="utf-8"))
            counts["tokenizers"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self.tokenizers}: not what `harness tokenizers --out` writes: {error}"
            ) from error
        return counts
