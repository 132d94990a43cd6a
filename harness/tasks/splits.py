"""A DatasetDict that says which splits there are when one is missing.

Imports datasets: load only when data is read.
"""

from __future__ import annotations

from typing import Any

from datasets import DatasetDict

from harness.errors import DataError


class Splits(DatasetDict):  # type: ignore[misc]
    """Splits of one config; ``origin`` names the dataset in the error of a missing split."""

    origin: str = "the dataset"

    def __getitem__(self, key: Any) -> Any:
        if key not in self:
            present = ", ".join(map(str, self)) or "none"
            raise DataError(f"{self.origin} has no split {str(key)!r}; it has: {present}")
        return super().__getitem__(key)
