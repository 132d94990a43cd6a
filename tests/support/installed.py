"""A package of the tests, or harness itself, as pip installs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("harness", "configs", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")


def install(package: Path, folder: Path) -> Path:
    """Installs a package's sources below ``folder``, without a network; returns the path to import from."""
    # setuptools builds beside the sources, which must stay as they are.
    shutil.copytree(package, folder / "source")
    return _install(folder)


def install_harness(folder: Path) -> Path:
    """Installs this checkout's harness below ``folder``; returns the path to import from.

    Its libraries are those of the environment that the tests run in.
    """
    for name in SOURCES:
        source, target = ROOT / name, folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return _install(folder)


def _install(folder: Path) -> Path:
    source, target = folder / "source", folder / "site"
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return target
