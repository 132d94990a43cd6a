"""What is asked: names to tasks (`expand`), tasks with their data (`load`), items to ask and marks
to give (`Task`).

lm-eval is the library of tasks and metrics; it, torch and datasets are imported only when a task is
loaded.
"""

from harness.tasks.api import (
    Expansion,
    GroupSpec,
    Marks,
    MetricValue,
    PromptStyle,
    Provenance,
    SampleMark,
    TaskSpec,
)
from harness.tasks.catalogue import Catalogue, CatalogueEntry
from harness.tasks.expansion import Suite, expand, suites
from harness.tasks.sources import DataSources
from harness.tasks.task import Task, load, render_example

__all__ = [
    "Catalogue",
    "CatalogueEntry",
    "DataSources",
    "Expansion",
    "GroupSpec",
    "Marks",
    "MetricValue",
    "PromptStyle",
    "Provenance",
    "SampleMark",
    "Suite",
    "Task",
    "TaskSpec",
    "expand",
    "load",
    "render_example",
    "suites",
]
