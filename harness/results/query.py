"""Reading runs: one as checked `Results` or as a `Run`, all below a folder, a row as plain values."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.errors import ConfigError, RunFolderError
from harness.results.folder import RunFolder
from harness.results.schema import READABLE, SCHEMA_VERSION, Results, Row
from harness.wording import first_problem

FILE = "results.json"


@dataclass(frozen=True)
class Run:
    """A run that is kept: its folder, its results, and its manifest, which is read when asked for."""

    folder: RunFolder
    results: Results

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest; empty where there is none or it cannot be read."""
        try:
            data = json.loads(self.folder.manifest.read_bytes())
        except (OSError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}


def read_run(path: str | Path) -> Run:
    """The run of a folder, a results.json, or a run in results/ by name.

    Raises ConfigError, RunFolderError.
    """
    file = find_results(path)
    return Run(RunFolder(file.parent), read_results(file))


def find_runs(folder: str | Path) -> Iterator[Path]:
    """Folders at or below ``folder`` that hold a results.json, in order of their paths.

    Raises ConfigError where it is no folder.
    """
    top = Path(folder).expanduser()
    if not top.is_dir():
        raise ConfigError(f"{folder}: no such folder: name the one that holds your runs, e.g. results")

    for here, inner, files in os.walk(top):
        inner[:] = sorted(
            name for name in inner if not name.startswith(".") and name not in ("samples", "logs")
        )
        if FILE in files:
            yield Path(here)


def find_results(path: str | Path) -> Path:
    """The results.json of a run folder, a file, or a run's name (``smoke`` for ``results/smoke``).

    Raises ConfigError where there is nothing of that name, RunFolderError for a folder without
    results.
    """
    named = Path(path).expanduser()
    file = named if named.exists() else Path("results") / named
    if not file.exists():
        raise ConfigError(
            f"{path}: no such run: expected a run folder, its {FILE}, or the name of a run in results/"
        )

    # A folder without it is no unknown name: somebody's run has not ended, or is not one.
    if file.is_dir():
        file = file / FILE
        if not file.exists():
            raise RunFolderError(
                f"{path}: this folder holds no {FILE}: no run has ended here; `harness run` "
                "writes it at the end"
            )
    return file


def read_results(path: str | Path) -> Results:
    """The results of a run folder, a results.json, or a run in results/ by name.

    Raises ConfigError, RunFolderError.
    """
    file = find_results(path)
    try:
        data = json.loads(file.read_bytes())
    except OSError as error:
        raise RunFolderError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RunFolderError(f"{file}: not JSON: {error}") from error
    return _checked(file, data)


def _checked(file: Path, data: Any) -> Results:
    from pydantic import ValidationError

    if not isinstance(data, dict) or "schema_version" not in data:
        raise RunFolderError(f"{file}: no results of this harness: schema_version is missing")

    # Older versions are brought up to date by the records themselves, whose new fields have
    # defaults.
    version = data["schema_version"]
    if version not in READABLE:
        hint = (
            "a newer harness wrote it: upgrade this one"
            if isinstance(version, int) and version > SCHEMA_VERSION
            else "run it again"
        )
        raise RunFolderError(
            f"{file}: schema_version is {version!r}, this harness reads {READABLE[0]} to "
            f"{READABLE[-1]}: {hint}"
        )
    try:
        return Results.model_validate({**data, "schema_version": SCHEMA_VERSION})
    except ValidationError as error:
        raise RunFolderError(
            f"{file}: {first_problem(error)}; `harness schema results` says what is expected"
        ) from error


def flat_row(row: Row, run: str) -> dict[str, Any]:
    """A row as one level of plain values, the run's name first.

    ``ci95`` becomes ci95_lo and ci95_hi, ``tokens`` tokens_prompt and so on, ``picks`` its shares.
    """
    flat: dict[str, Any] = {"run": run}
    for name, value in row.model_dump().items():
        if name == "ci95":
            flat["ci95_lo"], flat["ci95_hi"] = value if value is not None else (None, None)
        elif name == "picks":
            flat |= _flat_picks(value)
        elif name == "tokens":
            flat |= {f"tokens_{kind}": count for kind, count in value.items()}
        else:
            flat[name] = value
    return flat


def _flat_picks(picks: dict[str, Any] | None) -> dict[str, Any]:
    """The commonest answer, how often it was given and right, and the best constant answer."""
    one = picks or {}
    of = one.get("of") or 1
    return {
        "pick": one.get("commonest"),
        "pick_share": one["given"] / of if one else None,
        "pick_right_share": one["right"] / of if one else None,
        "constant": one.get("constant"),
        "constant_score": one.get("constant_score"),
    }
