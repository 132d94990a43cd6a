"""Which reporter a stream gets: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from harness.progress.reporters import LineReporter, Reporter, SilentReporter


def reporter_for(*, quiet: bool = False, every: bool = False, stream: Any = None) -> Reporter:
    """Bars where ``stream`` (standard error) is a terminal, lines elsewhere.

    With ``quiet`` messages only; with ``every`` one line per cell.
    """
    stream = stream or sys.stderr
    if quiet:
        return SilentReporter(stream)
    if stream.isatty():
        from harness.progress.bars import RichReporter

        return RichReporter(stream, every=every)
    return LineReporter(stream, every=every)
