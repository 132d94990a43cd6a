"""Plan, workers, and what they leave: `make_plan`, `run_config`, `RunOutcome`."""

from harness.run.plan import Plan, make_plan
from harness.run.runner import RunOutcome, run_config

__all__ = ["Plan", "RunOutcome", "make_plan", "run_config"]
