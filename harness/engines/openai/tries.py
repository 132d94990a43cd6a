"""How often an endpoint was asked, how often and how that failed, and what failed tries cost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness.engines.openai.reading import count


class Tries:
    """Counts from many threads.

    ``sent``: requests, repetitions too; ``answered``: those with a usable answer; failed.KIND:
    the others by kind, a status as the server gave it, e.g. failed.http_429; ``repeated``: failures
    that were followed by another try; ``unanswered``: items that were given up.
    ``lost_prompt``, ``lost_cached`` and ``lost_output``: tokens that the server counted for failed
    tries, and so charges; ``lost_uncounted``: failed tries that had begun to answer, without a
    count.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def note(self, name: str, times: int = 1) -> None:
        """Counts ``name`` so many times."""
        with self._lock:
            self._counts[name] += times

    def fail(self, kind: str, usage: Any, begun: bool) -> None:
        """A try that failed; ``usage`` is what the server counted for it, ``begun`` whether it had
        begun to answer.
        """
        tokens, whole = count({"usage": usage} if isinstance(usage, Mapping) else {})
        with self._lock:
            self._counts[f"failed.{kind}"] += 1
            if whole:
                self._counts["lost_prompt"] += tokens.prompt
                self._counts["lost_cached"] += tokens.shared
                self._counts["lost_output"] += tokens.output
            elif begun:
                self._counts["lost_uncounted"] += 1

    def to_dict(self) -> dict[str, int]:
        """All counts so far, those of zero left out."""
        with self._lock:
            return {name: times for name, times in sorted(self._counts.items()) if times}
