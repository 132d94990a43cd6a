"""What published data there is, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.published.models import RatedModel
from harness.published.ratings import PublishedRating
from harness.published.sources import source_url


def snapshot_data(ratings: Iterable[PublishedRating]) -> list[dict[str, Any]]:
    """One row per board and source.

    Dates, how many snapshots and models, categories, whether intervals were published, where it was
    read.
    """
    groups: dict[tuple[str, str], list[PublishedRating]] = {}
    for one in ratings:
        groups.setdefault((one.board, one.source), []).append(one)

    # Boards in the order of their names, the sources of one by their first snapshots.
    return [
        {
            "board": board,
            "first": str(min(one.date for one in members)),
            "last": str(max(one.date for one in members)),
            "snapshots": len({one.date for one in members}),
            "models": len({one.model for one in members}),
            "figures": len(members),
            "intervals": _intervals(members),
            "methods": ", ".join(sorted({one.method for one in members})),
            "categories": ", ".join(sorted({one.category for one in members})),
            "styles": ", ".join(sorted({one.style for one in members})),
            "source": source_url(source),
        }
        for (board, source), members in sorted(
            groups.items(), key=lambda group: (group[0][0], min(one.date for one in group[1]))
        )
    ]


def _intervals(members: list[PublishedRating]) -> str:
    having = sum(one.lower is not None for one in members)
    return "yes" if having == len(members) else "some" if having else "no"


def model_data(model: RatedModel) -> dict[str, Any]:
    """One rated model; unknown facts are "?"."""
    weights = {True: "open", False: "closed", None: "?"}[model.open]
    return {
        "name": model.name,
        "maker": model.maker or "?",
        "country": model.country or "?",
        "weights": weights,
        "licence": model.licence or "?",
        "released": str(model.released) if model.released else "?",
        "made_from": model.made_from,
        "base_country": model.base_country,
        "unknown": ", ".join(model.unknown),
        "source": source_url(model.source),
        "released_source": source_url(model.released_source) if model.released_source else None,
        "unread": model.unread,
        "note": model.note,
    }
