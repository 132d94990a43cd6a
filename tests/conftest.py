"""What every test process starts from.

Two test processes share two cores: one thread each, or OpenMP's busy waiting costs several times
the work. And pytest-xdist tells its workers a terminal's width, which a pipe does not have.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("COLUMNS", None)
