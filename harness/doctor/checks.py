"""`harness doctor`: whether this machine can run what a config asks, as typed checks, each with
what to do about it.

torch is asked in a process of its own: a broken CUDA installation may hang or crash whoever imports
it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.doctor.findings import Check, Level, in_range
from harness.doctor.vllm import check_vllm

RANGES = {
    "torch": ">=2.11,<2.14",
    "transformers": ">=5.16.1,<5.20",
    "lm-eval": "==0.4.13",
    "datasets": ">=4.0",
    "accelerate": ">=1.10",
    "pydantic": ">=2.10",
}
"""Supported versions, as in pyproject.toml (a test compares them)."""
WAIT = 3.0
"""Seconds that a hub has to answer."""
GIB = 2**30
HUB_HELP = "set mirror: in the YAML or HARNESS_MIRROR, HF_ENDPOINT=https://hf-mirror.com, HARNESS_HUB=modelscope, or fill the hub's cache"

PROBE = """
import json, torch
cuda = torch.cuda.is_available()
cpu = getattr(torch.backends.cpu, "get_cpu_capability", lambda: "")()
fast = [name for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported") if getattr(torch.cpu, name, bool)()]
devices = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())] if cuda else []
print(json.dumps({
    "version": torch.__version__, "threads": torch.get_num_threads(), "cpu": cpu, "cpu_bf16": bool(fast), "built": torch.version.cuda,
    "cuda": cuda, "devices": [[d.name, d.total_memory] for d in devices], "cuda_bf16": cuda and torch.cuda.is_bf16_supported(),
}))
"""


def examine(mirror: Path | None = None, results: Path = Path("results")) -> list[Check]:
    """All checks, in order. Asks two hubs and torch at once; takes as long as importing torch."""
    folder = mirror or _path(os.environ.get("HARNESS_MIRROR"))
    with ThreadPoolExecutor(4) as pool:
        torch = pool.submit(probe_torch)
        hub = pool.submit(check_hub)
        scope = pool.submit(check_modelscope)
        checks = [check_python(), *check_packages()]
        found = torch.result()
        checks += [*check_torch(found), check_cuda(found), check_vllm(found)]
        checks += [
            check_disk("disk for results", results, 1),
            check_disk("disk for downloads", hub_cache(), 20),
        ]
        checks += [hub.result(), scope.result(), check_mirror(folder), check_token()]
    return checks


def check_python() -> Check:
    """The interpreter; one older than 3.11 does not get this far."""
    return Check("Python", "ok", f"{sys.version.split()[0]} ({sys.executable})")


def check_packages() -> list[Check]:
    """Installed versions against the supported ranges, without importing anything."""
    return [_package(name, wanted) for name, wanted in RANGES.items() if name != "torch"]


def _package(name: str, wanted: str) -> Check:
    found = installed(name)
    if found is None:
        return Check(name, "bad", "not installed", f"pip install '{name}{wanted}'")
    if not in_range(found, wanted):
        return Check(name, "warn", found, f"tested with {wanted}: pip install '{name}{wanted}'")
    return Check(name, "ok", found)


def installed(name: str) -> str | None:
    """A distribution's version, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def probe_torch(timeout: float = 120) -> dict[str, Any]:
    """What torch says of itself and its devices, or ``{"error": one line}``."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"importing it took more than {timeout:.0f} s"}
    except OSError as error:
        return {"error": str(error)}
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return {"error": lines[-1] if lines else f"it ended with code {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def check_torch(found: Mapping[str, Any]) -> list[Check]:
    """torch, and what the CPU is good for."""
    if "error" in found:
        return [
            Check(
                "torch", "bad", f"cannot be used: {found['error']}", f"pip install 'torch{RANGES['torch']}'"
            )
        ]
    inside = in_range(found["version"], RANGES["torch"])
    torch = Check(
        "torch",
        "ok" if inside else "warn",
        found["version"],
        "" if inside else f"tested with {RANGES['torch']}",
    )
    bf16 = "bf16 in hardware" if found["cpu_bf16"] else "bf16 emulated"
    hint = (
        "" if found["cpu_bf16"] or found["cuda"] else "keep dtype: float32 on this CPU; bf16 is slower here"
    )
    return [
        torch,
        Check(
            "CPU", "ok", f"{found['threads']} threads, {found['cpu'] or 'capability unknown'}, {bf16}", hint
        ),
    ]


def check_cuda(found: Mapping[str, Any]) -> Check:
    """GPUs as torch sees them, or why it sees none."""
    driver = driver_version()
    if found.get("cuda"):
        names = ", ".join(f"{name} ({memory / GIB:.0f} GiB)" for name, memory in found["devices"])
        bf16 = "bf16" if found.get("cuda_bf16") else "no bf16: use dtype: float16"
        return Check(
            "CUDA", "ok", f"{names}; driver {driver or 'unknown'}, CUDA {found.get('built')}, {bf16}"
        )
    if driver is None:
        return Check(
            "CUDA",
            "ok",
            "no NVIDIA GPU found",
            "small models run on the CPU; models over 2B parameters want a GPU",
        )
    if "error" in found:
        return Check("CUDA", "warn", f"driver {driver}, but torch cannot be asked", "mend torch first")
    if not found.get("built"):
        return Check(
            "CUDA",
            "warn",
            f"driver {driver}, but this torch is built for the CPU",
            "install a CUDA build of torch (pytorch.org)",
        )
    advice = "update the driver, or install a torch for an older CUDA; see CUDA_VISIBLE_DEVICES"
    return Check("CUDA", "warn", f"driver {driver}, but torch (CUDA {found['built']}) sees no device", advice)


def driver_version() -> str | None:
    """The NVIDIA driver's version, or None where nvidia-smi finds none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    query = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return next((line.strip() for line in done.stdout.splitlines() if line.strip()), None)


def hub_cache() -> Path:
    """Where the hub's client keeps downloads."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    return Path(named or Path(home) / "hub").expanduser()


def check_disk(name: str, folder: Path, want: int) -> Check:
    """Free space and permission at a folder, or at the nearest one above that exists; ``want`` in
    GiB.
    """
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    try:
        free = shutil.disk_usage(there).free / GIB
    except OSError as error:
        return Check(name, "bad", f"{folder}: {error.strerror}", "choose another folder")
    text = f"{free:.0f} GiB free at {folder}" if free >= 10 else f"{free:.1f} GiB free at {folder}"
    if not os.access(there, os.W_OK):
        level: Level = "bad" if name == "disk for results" else "warn"
        return Check(
            name,
            level,
            f"no permission to write at {folder}",
            "use --out FOLDER" if level == "bad" else "set HF_HOME",
        )
    if free < 0.1:
        return Check(name, "bad", text, "free some space")
    return Check(
        name,
        "ok" if free >= want else "warn",
        text,
        "" if free >= want else f"want {want} GiB: free some or use another disk",
    )


def check_hub() -> Check:
    """Whether the Hugging Face hub, or the one that HF_ENDPOINT names, answers."""
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        return Check(
            "hub",
            "warn",
            f"{endpoint} not asked: HF_HUB_OFFLINE is set",
            "unset it to download; the cache and a mirror work without",
        )
    reason = _unreachable(endpoint)
    if reason is None:
        return Check("hub", "ok", f"{endpoint} answers")
    return Check("hub", "warn", f"{endpoint} does not answer ({reason})", HUB_HELP)


def check_modelscope() -> Check:
    """Whether ModelScope can serve instead of the hub."""
    wanted = os.environ.get("HARNESS_HUB", "").lower() == "modelscope"
    have = installed("modelscope")
    if have is None:
        return Check(
            "ModelScope",
            "warn" if wanted else "ok",
            "not installed",
            "pip install 'open-weight-harness[modelscope]', then HARNESS_HUB=modelscope",
        )
    reason = _unreachable("https://modelscope.cn")
    if reason is not None:
        return Check(
            "ModelScope",
            "warn" if wanted else "ok",
            f"{have}; modelscope.cn does not answer ({reason})",
            HUB_HELP if wanted else "",
        )
    return Check(
        "ModelScope",
        "ok",
        f"{have}; modelscope.cn answers",
        "" if wanted else "HARNESS_HUB=modelscope uses it",
    )


def _unreachable(url: str) -> str | None:
    """Why a server does not answer within WAIT seconds, or None where it does; looking up its name
    counts, too.
    """
    pool = ThreadPoolExecutor(1)
    asked = pool.submit(_ask, url)
    try:
        return asked.result(WAIT + 0.5)
    except TimeoutError:
        return f"no answer in {WAIT:.0f} s"
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ask(url: str) -> str | None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=WAIT):
            return None
    except urllib.error.HTTPError as error:
        return None if error.code < 500 and error.code != 407 else f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", None) or error) or type(error).__name__


def check_mirror(folder: Path | None) -> Check:
    """The mirror's models and datasets, counted."""
    if folder is None:
        return Check(
            "mirror",
            "ok",
            "none named",
            "without a hub: --mirror FOLDER or HARNESS_MIRROR, with datasets/ORG/NAME and models/ORG/NAME",
        )
    if not folder.is_dir():
        return Check("mirror", "bad", f"{folder} is no folder", "correct HARNESS_MIRROR, mirror: or --mirror")
    models, datasets = (_entries(folder / kind) for kind in ("models", "datasets"))
    level: Level = "ok" if models + datasets else "warn"
    advice = "" if level == "ok" else "expected datasets/ORG/NAME and models/ORG/NAME in it"
    return Check("mirror", level, f"{folder}: {models} models, {datasets} datasets", advice)


def _entries(folder: Path) -> int:
    """Folders two levels down: ORG/NAME."""
    try:
        return sum(entry.is_dir() for org in folder.iterdir() if org.is_dir() for entry in org.iterdir())
    except OSError:
        return 0


def check_token() -> Check:
    """Whether there is a hub token; it is never shown."""
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    file = _path(os.environ.get("HF_TOKEN_PATH")) or home / "token"
    where: dict[str, Callable[[], bool]] = {
        "in HF_TOKEN": lambda: bool(os.environ.get("HF_TOKEN")),
        f"in {file}": file.is_file,
    }
    found = next((place for place, there in where.items() if there()), None)
    if found is not None:
        return Check("hub token", "ok", found)
    return Check(
        "hub token", "ok", "none", "gated models (Llama, Gemma) need one: hf auth login, or HF_TOKEN"
    )


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None
