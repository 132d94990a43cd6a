"""Who a cell is: three hashes of what decides its answers. ``limit`` is no part, so that raising it computes only the new items."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CellIdentity:
    """The three parts, as plain data and as ids. Two cells with equal ``prompt_id`` were asked exactly the same."""

    prompt: dict[str, Any]
    model: dict[str, Any]
    engine: dict[str, Any]

    @property
    def prompt_id(self) -> str:
        """Task version, data fingerprint, template, shots, generation settings, seed."""
        return digest(self.prompt)

    @property
    def cell_id(self) -> str:
        """All three parts."""
        return digest({"prompt": self.prompt, "model": self.model, "engine": self.engine})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the journal and the manifest."""
        return {"prompt_id": self.prompt_id, "prompt": self.prompt, "model": self.model, "engine": self.engine}


def digest(data: Any) -> str:
    """16 hex digits of the SHA-256 of canonical JSON."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
