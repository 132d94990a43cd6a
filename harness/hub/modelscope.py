"""Models and data sets by way of ModelScope, whose package is optional (HARNESS_HUB=modelscope)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import DataError, ModelError
from harness.wording import first_line, reason_of

INSTALL = "pip install 'open-weight-harness[modelscope]'"


def fetch_model(name: str, revision: str | None, patterns: Sequence[str], ignored: Sequence[str]) -> Path:
    """The folder of a model's files that match ``patterns``. Raises ModelError in one line."""
    try:
        from modelscope import snapshot_download
    except ImportError as error:
        raise ModelError(f"{name}: HARNESS_HUB=modelscope needs the modelscope package: {INSTALL}") from error

    options: dict[str, Any] = {"allow_patterns": list(patterns), "ignore_patterns": list(ignored)}
    try:
        return Path(snapshot_download(name, revision=revision, **options))
    except Exception as error:
        raise ModelError(
            f"{name}: ModelScope could not give it ({first_line(error)}); check the name there, or unset "
            "HARNESS_HUB"
        ) from error


def fetch_dataset(path: str) -> Path:
    """The folder of a data set. Raises DataError where the package or the data is missing."""
    try:
        from modelscope import dataset_snapshot_download
    except ImportError as error:
        raise DataError(f"HARNESS_HUB=modelscope needs the package: {INSTALL}") from error

    try:
        return Path(dataset_snapshot_download(path))
    except Exception as error:
        raise DataError(f"{path}: ModelScope: {reason_of(error)}") from error
