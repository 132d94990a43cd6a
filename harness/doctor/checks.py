"""`harness doctor`: whether this machine can run what a config asks, as typed checks, each with
what to do about it.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.doctor import devices, disks, network, plugins, software
from harness.doctor.findings import Check
from harness.doctor.vllm import check_vllm
from harness.hub.caches import hub_cache


def examine(mirror: Path | None = None, results: Path = Path("results")) -> list[Check]:
    """All checks, in order.

    ``results`` is where runs are to be written. Takes as long as importing torch.
    """
    named = os.environ.get("HARNESS_MIRROR")
    folder = mirror or (Path(named).expanduser() if named else None)

    # torch and two servers are each waited for during seconds, so they are asked at once.
    with ThreadPoolExecutor(4) as pool:
        torch = pool.submit(software.probe_torch)
        hub = pool.submit(network.check_hub)
        scope = pool.submit(network.check_modelscope)
        checks = [software.check_python(), *software.check_packages()]
        checks += [plugins.check_engines(), plugins.check_formats()]

        facts = torch.result()
        cuda = devices.check_cuda(facts, devices.probe_driver())
        checks += [*software.check_torch(facts), cuda, check_vllm(facts)]
        checks += [
            disks.check_disk("disk for results", results, 1, needed=True),
            disks.check_disk("disk for downloads", hub_cache(), 20, needed=False),
        ]
        return [
            *checks,
            hub.result(),
            scope.result(),
            network.check_mirror(folder),
            network.check_token(),
        ]
