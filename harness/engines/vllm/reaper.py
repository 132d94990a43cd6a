"""A small process that outlives its parent by a moment, to end what the parent started: ``python
reaper.py PID``.

vLLM's engine core is a process of its own, and after ``kill -9`` of its parent it waits for
requests for ever, memory in hand. So this process, in a session of its own, lists the parent's
descendants and kills them when the parent's end of its standard input closes, however that came
about. A parent that is done with vLLM says so by a line "done" first. Only the standard library is
used: it starts in some 20 ms. Linux only (it reads /proc); elsewhere it does nothing.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

Known = dict[int, str]
"""Process ids with their start times, so that an id given to another process since is left
alone.
"""


def processes() -> dict[int, tuple[int, str]]:
    """Every process's parent and start time."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            found[int(entry.name)] = (int(fields[1]), fields[19])
    return found


def descendants(roots: set[int]) -> Known:
    """The processes below ``roots``, this one left out."""
    table = processes()
    found: Known = {}
    seen = set(roots)
    while True:
        new = {
            pid: started
            for pid, (parent, started) in table.items()
            if parent in seen and pid not in seen and pid != os.getpid()
        }
        if not new:
            return found
        found |= new
        seen |= set(new)


def kill(known: Known) -> None:
    """Ends those of ``known`` that are still the same processes."""
    table = processes()
    for pid, started in known.items():
        if pid in table and table[pid][1] == started:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue


def main() -> None:
    """Watches standard input and the parent's descendants."""
    parent = int(sys.argv[1])
    known: Known = {}
    wait = 0.2
    while Path("/proc").is_dir():
        known |= descendants({parent, *known})
        if not select.select([0], [], [], wait)[0]:
            wait = min(wait * 1.1, 5.0)  # processes come while a model is loaded; later hardly any
            continue
        said = os.read(0, 64)
        if said.startswith(b"done"):
            return
        if not said:
            kill(known | descendants(set(known)))
            return


if __name__ == "__main__":
    main()
