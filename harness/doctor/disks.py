"""Room on disks, and permission to use it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness.doctor.findings import Check, Level
from harness.wording import gibibytes

GIB = 2**30


def check_disk(name: str, folder: Path, want: int, *, needed: bool) -> Check:
    """Free space and permission at a folder, or at the nearest one above that exists.

    ``want`` is in GiB; without permission where it is ``needed`` no run can work.
    """
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        free = shutil.disk_usage(nearest).free / GIB
    except OSError as error:
        return Check(name, "bad", f"{folder}: {error.strerror}", "choose another folder")

    # Before the space, for nothing can be written however much there is.
    if not os.access(nearest, os.W_OK):
        level: Level = "bad" if needed else "warn"
        advice = "use --out FOLDER" if needed else "set HF_HOME"
        return Check(name, level, f"no permission to write at {folder}", advice)

    text = f"{gibibytes(free * GIB)} free at {folder}"
    if free < 0.1:
        return Check(name, "bad", text, "free some space")
    if free < want:
        return Check(name, "warn", text, f"want {want} GiB: free some or use another disk")
    return Check(name, "ok", text)
