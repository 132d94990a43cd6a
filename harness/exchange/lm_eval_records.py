"""An evaluation of lm-eval as plain data, whichever file it was read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class TaskMetrics:
    """One task's metrics: (metric, filter) to (value, standard error).

    ``n`` documents, 0 where that is not known; ``better``: whether more of a metric is better.
    """

    metrics: dict[tuple[str, str], tuple[float, float | None]] = field(default_factory=dict)
    fewshot: int | None = None
    version: str | None = None
    n: int = 0
    better: dict[str, bool] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


@dataclass
class Evaluation:
    """One evaluation of one model.

    ``samples`` by task where they were logged; ``groups`` name their leaf tasks.
    """

    model: str | None
    facts: dict[str, Any]
    tasks: dict[str, TaskMetrics]
    groups: dict[str, TaskMetrics] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    created: str | None = None
    notes: list[str] = field(default_factory=list)
