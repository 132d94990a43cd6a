"""``speed.json`` and ``speed-manifest.json``: what was found, and what is needed to find it
again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.evaluation.manifest import describe_hardware, describe_session
from harness.results.files import write_json
from harness.results.folder import RunFolder
from harness.results.speed import SpeedResults, SpeedRow
from harness.version import __version__
from harness.workers.devices import Machine

if TYPE_CHECKING:
    from harness.config import LoadedConfig


def write_results(
    folder: RunFolder, loaded: LoadedConfig, machine: Machine, rows: Sequence[SpeedRow]
) -> SpeedResults:
    """Writes both files. Raises RunFolderError."""
    results = SpeedResults(
        name=loaded.config.name,
        harness_version=__version__,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        config_hash=loaded.hash,
        machine=describe_hardware(machine),
        rows=list(rows),
    )
    write_json(folder.path / "speed.json", results.model_dump(mode="json"))
    write_json(
        folder.path / "speed-manifest.json",
        {
            **describe_session(loaded, machine),
            "models": {row.model: row.identity.model_dump(mode="json") for row in rows},
        },
    )
    return results
