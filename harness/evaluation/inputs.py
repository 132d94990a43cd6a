"""What a worker read, so that a later run can tell without torch whether anything has changed.

A list of files written by hand would forget one. So a worker hears of every file that Python opens
and every folder that it lists (PEP 578's audit events), and adds the modules that are imported;
`InputWatch.record` keeps each one's stamp: its number on the disk, its size, and when its content
and its entry last changed. What Python does not open itself is told by events of our own: where
data was looked for in vain, and what came from a hub.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.hub import presence
from harness.hub.caches import own_cache

_SYSTEM = ("/proc", "/sys", "/dev")
"""Folders of the kernel, whose files change at every look."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_PATHS = "paths:"
"""Key of a list of paths in the journal, by its digest: workers of one engine import the same."""


@dataclass
class InputWatch:
    """Everything that this process reads from `start` on."""

    begin: int = field(default_factory=time.time_ns)
    opened: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    commits: dict[str, str] = field(default_factory=dict)
    """Data sets that came from the hub, and the commit of each."""
    lasting: bool = True
    """False once something was read whose change nobody could notice."""

    @classmethod
    def start(cls) -> InputWatch:
        """Begins to listen; a process cannot stop listening to its audit events."""
        watch = cls()
        sys.addaudithook(watch.hear)
        return watch

    def hear(self, event: str, details: tuple[Any, ...]) -> None:
        """Takes one audit event. Most are of other kinds, so their names are all that is looked at."""
        if event == "open":
            path, mode, flags = details
            reading = not set(mode or "") & set("wax+") and not (flags or 0) & _WRITING
            if reading and isinstance(path, (str, bytes, os.PathLike)):
                self.opened.add(_absolute(path))
        elif event in ("os.listdir", "os.scandir"):
            if isinstance(details[0], (str, bytes, os.PathLike)):
                self.listed.add(_absolute(details[0]))
        elif event == "harness.looked_for":
            self.opened.add(_absolute(details[0]))
        elif event == "harness.data":
            self._take_data(*details)

    def _take_data(self, origin: str, path: str, commit: str | None) -> None:
        if origin == "hub" and commit:
            self.commits[path] = commit
        elif origin in ("cache", "missing"):
            # Without a switch that forbids it, the next run would ask the hub again.
            self.lasting &= presence.offline_switch(for_data=True) is not None
        elif origin in ("hub", "modelscope", "custom"):
            self.lasting = False

    def record(self, folder: Path) -> dict[str, Any] | None:
        """The inputs as plain data, with the lists of their paths under ``paths``.

        Files below ``folder`` (the run's own) are outputs. None where a change could go unnoticed:
        a file that is younger than this process may have been read before it was written.
        """
        if not self.lasting:
            return None
        own = (str(folder), str(own_cache()), *_SYSTEM)
        importing = {os.path.abspath(entry or ".") for entry in sys.path_importer_cache}  # noqa: PTH100
        modules = {_absolute(file) for file in _module_files()}

        # A folder from which modules are imported changes with every bytecode file in it.
        reads = {path for path in self.opened | (self.listed - importing) if not _bytecode(path)}
        groups = [
            sorted(path for path in group if not path.startswith(own))
            for group in (modules, (reads | set(site_folders())) - modules)
        ]
        for path in (path for group in groups for path in group):
            stamp = file_stamp(path)
            if stamp is not None and max(stamp[2:]) >= self.begin:
                return None
        return {
            "stamps": {paths_digest(group): stamps_digest(group) for group in groups},
            "commits": self.commits,
            "paths": {paths_digest(group): packed(group) for group in groups},
        }


def _absolute(path: Any) -> str:
    # os.path, since pathlib would make this several times slower, for thousands of files.
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100


def _bytecode(path: str) -> bool:
    return path.endswith((".pyc", "__pycache__"))


def _module_files() -> list[str]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return [file for file in files if isinstance(file, str)]


def site_folders() -> list[str]:
    """Folders of installed packages: an entry comes or goes with each that is installed or removed."""
    return [entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]


def file_stamp(path: str) -> tuple[int, int, int, int] | None:
    """Number on the disk, size, and when content and entry last changed; None where nothing is.

    The entry's time betrays a copy that keeps the content's (``cp -p``, ``rsync -a``).
    """
    try:
        stat = os.stat(path)  # noqa: PTH116 - thousands of files
    except (OSError, ValueError):
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def stamps_digest(paths: Iterable[str]) -> str:
    """One digest of the stamps of all paths."""
    stamps = repr([file_stamp(path) for path in paths])
    return hashlib.sha256(stamps.encode()).hexdigest()[:32]


def paths_digest(paths: Sequence[str]) -> str:
    """What a list of paths is known by."""
    return _PATHS + hashlib.sha256("\0".join(paths).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def packed(paths: Sequence[str]) -> str:
    """A list of paths as a short text: thousands of modules lie in a few folders."""
    return base64.b85encode(zlib.compress(json.dumps(list(paths)).encode())).decode()


def unpacked(text: str) -> list[str]:
    """The paths of `packed`."""
    paths: list[str] = json.loads(zlib.decompress(base64.b85decode(text)))
    return paths
