"""How widely models are used.

The hub's likes and downloads as dated snapshots, and what follows from them by organisation and
country.
"""

from harness.adoption.files import read_snapshots
from harness.adoption.rows import HubModel, Snapshot

__all__ = ["HubModel", "Snapshot", "read_snapshots"]
