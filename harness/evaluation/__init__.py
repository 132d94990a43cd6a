"""Plan, workers, and what they leave: `make_plan`, `run_config`, `RunOutcome`.

Nothing is imported before it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.evaluation.plan import Plan, make_plan
    from harness.evaluation.runner import RunOutcome, run_config

__all__ = ["Plan", "RunOutcome", "make_plan", "run_config"]
_HOMES = {"Plan": "plan", "make_plan": "plan", "RunOutcome": "runner", "run_config": "runner"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"harness.evaluation.{_HOMES[name]}"), name)
