"""The hub, ModelScope, the mirror and the token, as the doctor sees them."""

from __future__ import annotations

from pathlib import Path

from harness.doctor.findings import Check, Level
from harness.doctor.software import installed
from harness.hub import presence
from harness.hub.caches import token_source


def check_hub() -> Check:
    """Whether the Hugging Face hub, or the one that HF_ENDPOINT names, answers."""
    endpoint = presence.endpoint()
    if (switch := presence.offline_switch()) is not None:
        advice = "unset it to download; the cache and a mirror work without"
        return Check("hub", "warn", f"{endpoint} not asked: {switch} is set", advice)
    silence = presence.silence_of(endpoint)
    if silence is None:
        return Check("hub", "ok", f"{endpoint} answers")
    return Check("hub", "warn", f"{endpoint} does not answer ({silence})", presence.REMEDY)


def check_modelscope() -> Check:
    """Whether ModelScope can serve instead of the hub."""
    chosen = presence.modelscope_chosen()
    # What is missing is a fault only where the environment asks for it.
    level: Level = "warn" if chosen else "ok"
    version = installed("modelscope")
    if version is None:
        advice = "`pip install 'open-weight-harness[modelscope]'`, then HARNESS_HUB=modelscope"
        return Check("ModelScope", level, "not installed", advice)

    host = presence.MODELSCOPE.removeprefix("https://")
    silence = presence.silence_of(presence.MODELSCOPE)
    if silence is not None:
        text = f"{version}; {host} does not answer ({silence})"
        return Check("ModelScope", level, text, presence.REMEDY if chosen else "")
    return Check(
        "ModelScope", "ok", f"{version}; {host} answers", "" if chosen else "HARNESS_HUB=modelscope uses it"
    )


def check_mirror(folder: Path | None) -> Check:
    """The mirror's models and datasets, counted."""
    if folder is None:
        advice = (
            "without a hub: --mirror FOLDER or HARNESS_MIRROR, with datasets/ORG/NAME and models/ORG/NAME"
        )
        return Check("mirror", "ok", "none named", advice)
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
    source = token_source()
    if source is not None:
        return Check("hub token", "ok", source)
    return Check(
        "hub token", "ok", "none", "gated models (Llama, Gemma) need one: `hf auth login`, or HF_TOKEN"
    )
