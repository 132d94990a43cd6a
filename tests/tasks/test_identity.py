"""A task's identity is the same in every process: also where its prompt is made by partial
functions, as xcopa's and xnli's are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.parity import MIRROR

SCRIPT = """
import json, sys
from pathlib import Path
from harness.config.schema import TaskEntry
from harness.tasks import DataSources, PromptStyle, expand, load
entries = [TaskEntry(task=name) for name in sys.argv[2:]]
specs = expand(entries, limit=None, base_dir=Path()).tasks
sources = DataSources(mirror=Path(sys.argv[1]))
print(json.dumps([load(spec, sources).identity(PromptStyle()) for spec in specs]))
"""


def test_identities_do_not_change_from_process_to_process() -> None:
    if not (MIRROR / "datasets").is_dir():
        pytest.skip(f"no mirror of real datasets at {MIRROR}: set HARNESS_MIRROR")
    names = [
        "xcopa_zh",
        "gsm8k",
        "truthfulqa_mc2",
        "ceval-valid_logic",
        "c3_mixed",
        "hellaswag",
        "zh_letters",
        "mgsm_en_cot_zh",
    ]
    said = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(MIRROR), *names],
            capture_output=True,
            text=True,
            check=True,
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            },
        )
        said.append(json.loads(done.stdout.splitlines()[-1]))
    assert said[0] == said[1]
    assert " at 0x" not in json.dumps(said)
