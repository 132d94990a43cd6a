"""Whether the hub is there: its address, the variables that forbid asking it, and one short question.

`huggingface_hub` retries for a minute where no network answers; one question of a few seconds
decides here whether it is asked at all, and its answer holds for the rest of the process.
"""

from __future__ import annotations

import contextlib
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache

HUB = "https://huggingface.co"
MIRRORS = ("https://hf-mirror.com",)
"""Public mirrors of the hub, for messages: addresses that HF_ENDPOINT may name."""
MODELSCOPE = "https://modelscope.cn"
WAIT = 5.0
"""Seconds to wait for a first answer: a machine without a network should learn it soon."""
REMEDY = (
    f"set mirror: in the YAML or HARNESS_MIRROR, HF_ENDPOINT={MIRRORS[0]}, HARNESS_HUB=modelscope, "
    "or fill the hub's cache"
)
"""What to do where the hub is out of reach."""
_SWITCHES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_DATA_SWITCHES = (*_SWITCHES, "HF_DATASETS_OFFLINE")
_TRUE = frozenset({"1", "TRUE", "YES", "ON"})
_LOCAL_ONLY: ContextVar[bool] = ContextVar("local_only", default=False)


def endpoint() -> str:
    """The hub's address: HF_ENDPOINT or huggingface.co."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def offline_switch(*, for_data: bool = False) -> str | None:
    """The variable that forbids asking the hub, or None, by huggingface_hub's and datasets' rules."""
    names = _DATA_SWITCHES if for_data else _SWITCHES
    return next((name for name in names if os.environ.get(name, "").upper() in _TRUE), None)


def modelscope_chosen() -> bool:
    """Whether HARNESS_HUB names ModelScope in place of the Hugging Face hub."""
    return os.environ.get("HARNESS_HUB", "").lower() == "modelscope"


@contextlib.contextmanager
def local_only() -> Iterator[None]:
    """Inside, the hub counts as out of reach whatever the environment says: planning asks no network."""
    token = _LOCAL_ONLY.set(True)
    try:
        yield
    finally:
        _LOCAL_ONLY.reset(token)


def hub_absence(*, for_data: bool = False) -> str | None:
    """Why the hub is not to be asked, in one line, or None where it answers."""
    if _LOCAL_ONLY.get():
        return "the network is not asked"
    if (switch := offline_switch(for_data=for_data)) is not None:
        return f"{switch} is set"
    silence = silence_of(endpoint())
    return f"{endpoint()} does not answer: {silence}" if silence else None


@cache
def silence_of(address: str) -> str | None:
    """Why a server does not answer within WAIT seconds, or None where it does; asked once per process.

    Any answer counts but those of a server or a proxy that is itself in trouble (5xx, 407).
    """
    outcome: list[str | None] = []

    # Looking up a host's name knows no time limit of its own, so the question has a thread.
    thread = threading.Thread(target=lambda: outcome.append(_ask(address)), daemon=True)
    thread.start()
    thread.join(WAIT + 1)
    return outcome[0] if outcome else f"no answer in {WAIT:.0f} s"


def _ask(address: str) -> str | None:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=WAIT):
            return None
    except urllib.error.HTTPError as error:
        # 501 only says that the server does not know HEAD.
        well = error.code == 501 or (error.code < 500 and error.code != 407)
        return None if well else f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", None) or error) or type(error).__name__
