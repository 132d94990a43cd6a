"""Where a run keeps what `harness bench` measured, read and checked."""

from __future__ import annotations

import json
from pathlib import Path

from harness.errors import RunFolderError
from harness.results.query import FILE
from harness.results.speed import SPEED_VERSION, SpeedResults, SpeedRow
from harness.wording import first_problem

SPEED = "speed.json"


def speed_file(run: str | Path) -> Path | None:
    """The speed.json of a run folder or of a run in results/, if there is one."""
    named = Path(run).expanduser()
    files = [
        place / SPEED
        for place in (named, named.parent if named.name == FILE else named, Path("results") / named)
    ]
    return next((file for file in files if file.is_file()), None)


def read_speed_rows(file: Path) -> list[SpeedRow]:
    """The rows of a speed.json. Raises RunFolderError where it is none, or of another version."""
    from pydantic import ValidationError

    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{file}: cannot be read as JSON: {error}") from None
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SPEED_VERSION:
        raise RunFolderError(
            f"{file}: expected speed records of schema_version {SPEED_VERSION}, got {version!r}: "
            f"measure again"
        )
    try:
        return SpeedResults.model_validate(data).rows
    except ValidationError as error:
        raise RunFolderError(
            f"{file}: {first_problem(error)}; `harness schema speed` says what is expected"
        ) from error
