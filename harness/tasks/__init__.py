"""What is asked of models, and how it is marked.

Names become tasks (`expand`), tasks get their data (`load`), and a `Task` gives items to ask and
marks for their answers. lm-eval is the library of tasks and metrics; it, torch and datasets are
imported only when a task is loaded.
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
from harness.tasks.catalogue import Catalogue
from harness.tasks.entries import CatalogueEntry
from harness.tasks.expansion import expand
from harness.tasks.sources import DataSources
from harness.tasks.suite_files import Suite, suites
from harness.tasks.task import Task, load

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
    "suites",
]
