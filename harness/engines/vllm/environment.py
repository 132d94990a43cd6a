"""Environment variables that vLLM reads, set before it is imported.

What the user has set stays.
"""

from __future__ import annotations

import logging
import os
import sys

log = logging.getLogger(__name__)

_ALWAYS = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    # We ask for one token more than the model's window, for the token that every request must
    # generate and that is never read again.
    "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",
    # The worker may have asked torch about the GPU already, and CUDA does not survive a fork.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}
_ON_CPU = {
    # Binding to cores of its choice hurts whatever else runs there.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind"
}


def prepare(own: dict[str, str], device: str, in_process: bool) -> None:
    """Sets vLLM's variables: ``own`` (the config's) over the environment's, and those over ours."""
    late = [name for name, value in own.items() if "vllm" in sys.modules and os.environ.get(name) != value]
    if late:
        log.warning("vLLM was imported before; it may not heed %s", ", ".join(late))

    os.environ.update(own)
    ours = _ALWAYS | (_ON_CPU if device == "cpu" else {})
    for name, value in ours.items():
        os.environ.setdefault(name, value)

    # Follows from in_process alone, which a variable left over from elsewhere must not turn round.
    if in_process:
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    elif "VLLM_ENABLE_V1_MULTIPROCESSING" not in own:
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "1"
