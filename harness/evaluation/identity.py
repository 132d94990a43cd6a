"""Who a cell is: three hashes of what decides its answers.

``limit`` is no part, so that raising it computes only the new items.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.config.schema import ModelSpec
    from harness.engines.files import ModelFiles
    from harness.tasks import Task
    from harness.tasks.api import PromptStyle


RULES = 2
"""Raised when the way in which items are encoded, cut or scored changes an answer: 2 since options
that leave no token are scored and one rule ends a thought. Answers that an older version gave are
then asked again.
"""


@dataclass(frozen=True)
class CellIdentity:
    """The three parts, as plain data and as ids.

    Two cells with equal ``prompt_id`` were asked exactly the same.
    """

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
        return digest({"prompt": self.prompt, "model": self.model, "engine": self.engine, "rules": RULES})

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the journal and the manifest."""
        return {
            "prompt_id": self.prompt_id,
            "prompt": self.prompt,
            "model": self.model,
            "engine": self.engine,
            "rules": RULES,
        }


def cell_identity(
    spec: ModelSpec, device: str, files: ModelFiles, task: Task, style: PromptStyle
) -> CellIdentity:
    """The identity of a model's cell, before its model is loaded.

    `harness.config.roles` says which key of a config is in which part.
    """
    from harness.engines import engine_identity

    return CellIdentity(
        task.identity(style), _model_part(spec, files, task, style), engine_identity(spec, device, files)
    )


def _model_part(spec: ModelSpec, files: ModelFiles, task: Task, style: PromptStyle) -> dict[str, Any]:
    """Its files and how it is talked to.

    Think tags decide where stop texts count, so they matter only where text is generated.
    """
    tags = (
        [style.think.open, style.think.close]
        if style.think is not None and task.kind == "completion"
        else None
    )

    return {
        "model_id": files.model_id,
        "id": spec.id,
        "revision": files.revision,
        "hashes": files.hashes,
        "think_tags": tags,
    }


def digest(data: Any) -> str:
    """16 hex digits of the SHA-256 of canonical JSON."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
