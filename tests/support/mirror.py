"""The mirror of real models and datasets that tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def models_or_skip() -> Path:
    """The mirror's folder; skips the test, with the reason, where it has no models."""
    folder = Path(os.environ.get("HARNESS_MIRROR") or ROOT.parent / "shared" / "mirror")
    if not (folder / "models").is_dir():
        pytest.skip(f"no mirror at {folder}; set HARNESS_MIRROR")
    return folder
