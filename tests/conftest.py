"""Two test processes share two cores: one thread each, or OpenMP's busy waiting costs several times the work."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
