"""The predicates that a claim's file may name.

Each tests one statement against data and says what the data show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from harness.config.problems import suggest
from harness.errors import ConfigError
from harness.studies.data import Data
from harness.studies.finding import StatementFinding
from harness.studies.predicates import (
    adoption,
    changes,
    chips,
    cost,
    counts,
    likes,
    runs,
    sizes,
    speed,
    standing,
    votes,
)
from harness.wording import first_problem

PREDICATES: dict[str, tuple[type[Any], Callable[[Any, Data], StatementFinding]]] = {
    "lead": (votes.LeadKeys, votes.lead),
    "close": (votes.Close, votes.close),
    "narrowed": (changes.Narrowed, changes.narrowed),
    "gained": (changes.Gained, changes.gained),
    "share": (standing.ShareKeys, standing.share),
    "top": (standing.TopKeys, standing.top),
    "present": (standing.Present, standing.present),
    "lag": (standing.Behind, standing.behind),
    "medians": (sizes.Medians, sizes.medians),
    "at_equal_size": (sizes.AtEqualSize, sizes.at_equal_size),
    "releases": (counts.Releases, counts.releases),
    "training_tokens": (counts.TrainingTokens, counts.training_tokens),
    "slower": (speed.Slower, speed.slower),
    "cheaper": (cost.Cheaper, cost.cheaper),
    "tokens": (cost.TokensKeys, cost.tokens),
    "chips": (chips.Chips, chips.chips),
    "index": (runs.ByIndex, runs.by_index),
    "printed": (adoption.Printed, adoption.printed),
    "most_liked": (likes.MostLiked, likes.liked_more),
    "liked_rank": (likes.LikedRank, likes.liked_rank),
    "downloads": (adoption.Downloads, adoption.downloads),
    "needs_run": (runs.NeedsRun, runs.needs_run),
}
"""Name to (its keys, the test)."""


def ask_predicate(predicate: str, values: dict[str, Any], data: Data) -> StatementFinding:
    """Asks one predicate. Raises ConfigError for one that is not known, or keys that it has not."""
    if predicate not in PREDICATES:
        raise ConfigError(
            f"unknown predicate {predicate!r}{suggest(predicate, PREDICATES)}; known: {', '.join(PREDICATES)}"
        )

    shape, ask = PREDICATES[predicate]
    try:
        keys = shape.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            key, known = str(first["loc"][0]), shape.model_fields
            hint = suggest(key, known) or f"; it has {', '.join(known)}"
            raise ConfigError(f"predicate {predicate}: unknown key {key!r}{hint}") from error
        raise ConfigError(f"predicate {predicate}: {first_problem(error)}") from error
    return ask(keys, data)
