"""What the keys of every predicate have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class PredicateKeys(BaseModel):
    """Keys of a claim's file: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
