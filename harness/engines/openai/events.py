"""Server-sent events: the lines of a streamed answer as JSON chunks (WHATWG HTML, 9.2.6), read as
leniently as servers write them.
"""

from __future__ import annotations

import json
from typing import Any

DONE = "[DONE]"
"""The last event of OpenAI's streams."""
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")


def looks_streamed(body: bytes) -> bool:
    """Whether a body begins as a stream of events does, whatever its content type says."""
    return body.lstrip().startswith(_FIELDS)


class EventReader:
    """Bytes in parts of any size; chunks out as soon as they are whole.

    ``done``: whether the stream said that it is over. Comments (keep-alives) and names of events
    say nothing.
    """

    def __init__(self) -> None:
        self.done = False
        self._rest = b""
        self._lines: list[str] = []

    def feed(self, part: bytes) -> list[Any]:
        """The chunks that this part completes. Raises ValueError for an event that is not JSON."""
        # Only whole lines are decoded: a part may end within a character.
        *lines, self._rest = (self._rest + part).split(b"\n")
        return [chunk for line in lines for chunk in self._line(line)]

    def close(self) -> list[Any]:
        """The chunks of a last line that no line feed ended. Raises ValueError as `feed` does."""
        chunks = [*self._line(self._rest), *self._line(b"")]
        self._rest = b""
        return chunks

    def _line(self, line: bytes) -> list[Any]:
        text = line.decode("utf-8", "replace").rstrip("\r")
        if not text.strip():
            if self._lines:
                raise ValueError(f"an event that is not JSON: {' '.join(self._lines)[:200]}")
            return []
        if not text.startswith("data:"):
            return []

        self._lines.append(text.removeprefix("data:").strip())
        data = "\n".join(self._lines)
        if data == DONE:
            self.done, self._lines = True, []
            return []

        # An event ends at a blank line, which some servers leave out: whole JSON ends it, too.
        try:
            chunk = json.loads(data)
        except ValueError:
            return []
        self._lines = []
        return [chunk]
