"""``speed.json`` and ``speed-manifest.json``: what was found, and what is needed to find it again."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.results.files import write_json
from harness.results.folder import RunFolder
from harness.results.speed import SpeedResults, SpeedRow
from harness.run.devices import Machine
from harness.run.manifest import ENVIRONMENT, describe_hardware, package_versions
from harness.version import __version__

if TYPE_CHECKING:
    from harness.config import LoadedConfig


def write_results(folder: RunFolder, loaded: LoadedConfig, machine: Machine, rows: Sequence[SpeedRow]) -> SpeedResults:
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
            "harness_version": __version__,
            "config": loaded.config.model_dump(mode="json"),
            "config_hash": loaded.hash,
            "config_files": [path.name for path in loaded.sources],
            "python": platform.python_version(),
            "platform": platform.platform(),
            "packages": package_versions(),
            "hardware": describe_hardware(machine),
            "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            "command": ["harness", *sys.argv[1:]],
            "models": {row.model: row.identity.model_dump(mode="json") for row in rows},
        },
    )
    return results
