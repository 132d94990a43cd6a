"""Every module can be imported as ``import harness.room.module as m``."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest
from support import runs

import harness

OPTIONAL = {"vllm": "an extra, which needs a GPU or a build of its own"}
"""Packages that need not be installed; modules that import one of them are left out without it."""
CODE = """
import json, sys, traceback
faults = {}
for name in json.load(sys.stdin):
    try:
        exec(f"import {name} as m")
        assert m is sys.modules[name], f"the name is bound to {m!r}"
    except ImportError as error:
        faults[name] = [getattr(error, "name", None) or "", str(error)]
    except BaseException:
        faults[name] = ["", traceback.format_exc()]
print(json.dumps(faults))
"""


@pytest.mark.slow
def test_every_module_can_be_imported_by_its_name() -> None:
    """A function of a room's name, bound in the package, would hide the room from this form."""
    names = sorted(module.name for module in pkgutil.walk_packages(harness.__path__, "harness."))
    names = [name for name in names if not name.endswith("__main__") and ".data." not in name]
    assert len(names) > 300
    run = subprocess.run(
        [sys.executable, "-c", CODE],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        env=runs.test_env(),
        check=False,
    )
    assert run.returncode == 0, run.stderr
    faults = json.loads(run.stdout.splitlines()[-1])
    absent = {name: package.split(".")[0] for name, (package, _) in faults.items()}
    assert {name: faults[name] for name in faults if absent[name] not in OPTIONAL} == {}
