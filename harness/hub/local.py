"""Models that lie on this machine as folders: packaged ones, the user's own, the mirror's."""

from __future__ import annotations

from pathlib import Path

from harness.config.presets import BUNDLED, bundled_model_dir
from harness.hub.models import Origin


def local_folder(name: str, mirror: Path | None) -> tuple[Path, Origin] | None:
    """(folder, origin) of a model or a tokenizer, or None where it has to be fetched.

    A packaged model's folder is given whether or not it is there. The hub's cache is another
    question (`harness.hub.caches.cached_file`): what it holds may be a part.
    """
    if name.startswith(BUNDLED):
        return bundled_model_dir(name), "bundled"
    if (folder := Path(name).expanduser()).is_dir():
        return folder, "folder"
    # "../name" means a folder of the user's; below a mirror it would name any other one.
    if name.startswith((".", "/", "~")):
        return None
    if mirror is not None and (copy := mirror / "models" / name).is_dir():
        return copy, "mirror"
    return None
