"""A package of the tests, as pip installs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def install(package: Path, folder: Path) -> Path:
    """Installs a package's sources below ``folder``, without a network; returns the path to import from."""
    # setuptools builds beside the sources, which must stay as they are.
    source, target = folder / "source", folder / "site"
    shutil.copytree(package, source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return target
