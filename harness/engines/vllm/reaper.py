"""A small process that outlives its parent by a moment, to end what the parent started.

    python reaper.py PID

vLLM's engine core is a process of its own, and after ``kill -9`` of its parent it waits for
requests for ever and keeps its memory. So this process, in a session of its own, lists the parent's
descendants and kills them when the parent's end of its standard input closes, however that came
about. A parent that needs vLLM no longer writes "done" first. Only the standard library is used: it
starts in some 20 ms. Linux only (it reads /proc); elsewhere it does nothing.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

Processes = dict[int, str]
"""Process ids with their start times: an id that has passed to another process is left alone."""


def processes() -> dict[int, tuple[int, str]]:
    """Every process's parent and start time."""
    table = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # The command's name, in parentheses, may hold anything: fields are counted after it.
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            table[int(entry.name)] = (int(fields[1]), fields[19])
    return table


def descendants(roots: set[int]) -> Processes:
    """The processes below ``roots``, this one left out."""
    table = processes()
    below: Processes = {}
    ancestors = set(roots)
    while True:
        new = {
            pid: started
            for pid, (parent, started) in table.items()
            if parent in ancestors and pid not in ancestors and pid != os.getpid()
        }
        if not new:
            return below

        below |= new
        ancestors |= set(new)


def kill(family: Processes) -> None:
    """Ends those of ``family`` that are still the same processes."""
    table = processes()
    for pid, started in family.items():
        if pid in table and table[pid][1] == started:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue


def main() -> None:
    """Watches standard input and the parent's descendants."""
    parent = int(sys.argv[1])
    family: Processes = {}
    wait = 0.2
    while Path("/proc").is_dir():
        # Collected while the parent lives: once it is dead, its children belong to another process.
        family |= descendants({parent, *family})
        if not select.select([0], [], [], wait)[0]:
            wait = min(wait * 1.1, 5.0)  # processes come while a model is loaded; later hardly any
            continue

        message = os.read(0, 64)
        if message.startswith(b"done"):
            return
        if not message:  # the end of the pipe: the parent is dead
            kill(family | descendants(set(family)))
            return


if __name__ == "__main__":
    main()
