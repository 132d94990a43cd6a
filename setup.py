"""The one step of the build that pyproject.toml has no word for: ``configs/`` travels in the wheel.

A checkout keeps its configs at the top, where people look for them; an installed package needs them
beside its code, as ``harness/data/configs``. They are copied while the wheel is built, so that there
is one source.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SOURCE = Path("configs")
TARGET = Path("harness") / "data" / "configs"


class BuildWithConfigs(build_py):
    """Copies the configs into the built package; an editable install reads them where they are."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copytree(SOURCE, Path(self.build_lib) / TARGET, dirs_exist_ok=True)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        files = [path.relative_to(SOURCE) for path in SOURCE.rglob("*") if path.is_file()]
        copies = [str(Path(self.build_lib) / TARGET / file) for file in files]
        return super().get_outputs(include_bytecode) + ([] if self.editable_mode else copies)


setup(cmdclass={"build_py": BuildWithConfigs})
