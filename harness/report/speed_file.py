"""Where a run keeps what `harness bench` measured, read as plain rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import RunFolderError
from harness.results.query import FILE

SPEED, SPEED_VERSION = "speed.json", 1


def speed_file(run: str | Path) -> Path | None:
    """The speed.json of a run folder or of a run in results/, if there is one."""
    named = Path(run).expanduser()
    files = [place / SPEED for place in (named, named.parent if named.name == FILE else named, Path("results") / named)]
    return next((file for file in files if file.is_file()), None)


def read_speed_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a speed.json. Raises RunFolderError where it is none, or of another version."""
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{file}: cannot be read as JSON: {error}") from None
    if not isinstance(data, dict) or data.get("schema_version") != SPEED_VERSION or not isinstance(data.get("rows"), list):
        got = data.get("schema_version") if isinstance(data, dict) else type(data).__name__
        raise RunFolderError(f"{file}: expected speed records of schema_version {SPEED_VERSION}, got {got!r}: measure again")
    return list(data["rows"])
