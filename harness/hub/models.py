"""Fetching a model from the hub, with its cache and its mirrors, or from ModelScope.

Only what is needed is fetched: configuration, tokenizer, safetensors; Python files only with
trust_remote_code; never pickles.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import ModelError
from harness.hub import downloads, modelscope, presence

Origin = Literal["folder", "bundled", "mirror", "cache", "hub", "modelscope", "endpoint"]

_TEXTS = ["*.json", "*.txt", "*.model", "*.tiktoken", "*.jinja"]
_WEIGHTS = ["*.safetensors"]
_CODE = ["*.py"]
_IGNORED = ["*/*", "consolidated*", "*.gguf"]


@dataclass(frozen=True)
class Wanted:
    """What to fetch: a revision (None: the default branch), with weights or not, with Python code
    or not.
    """

    revision: str | None
    weights: bool
    code: bool

    @property
    def patterns(self) -> list[str]:
        return _TEXTS + (_WEIGHTS if self.weights else []) + (_CODE if self.code else [])


def fetch(name: str, wanted: Wanted, mirror: Path | None) -> tuple[Path, str | None, Origin]:
    """(folder, revision, origin) of a model or a tokenizer. Raises ModelError in one line."""
    if presence.modelscope_chosen():
        folder = modelscope.fetch_model(name, wanted.revision, wanted.patterns, _IGNORED)
        return folder, wanted.revision, "modelscope"
    return _from_hub(name, wanted, mirror)


def _from_hub(name: str, wanted: Wanted, mirror: Path | None) -> tuple[Path, str | None, Origin]:
    from huggingface_hub import snapshot_download

    options: dict[str, Any] = {
        "revision": wanted.revision,
        "allow_patterns": wanted.patterns,
        "ignore_patterns": _IGNORED,
    }
    cached = _cached(name, wanted, snapshot_download, options)

    # A commit's files never change, so a whole snapshot of one needs no question to the hub.
    pinned = wanted.revision is not None and len(wanted.revision) == 40
    if cached is not None and (pinned or presence.hub_absence() is not None):
        return cached, cached.name, "cache"

    try:
        folder = Path(
            snapshot_download(name, etag_timeout=presence.WAIT, tqdm_class=downloads.bar_class(), **options)
        )
    except Exception as error:
        # The branch may have moved on while the hub fails half way; what is whole here still counts.
        if cached is not None:
            return cached, cached.name, "cache"
        raise ModelError(f"{name}: {_reason(error, name, mirror)}") from error

    if not _complete(folder, wanted):
        _explain_incomplete(name, folder, wanted)
    return folder, folder.name, "hub" if cached is None or cached != folder else "cache"


def _cached(name: str, wanted: Wanted, download: Any, options: dict[str, Any]) -> Path | None:
    """The hub cache's snapshot when it has all that is wanted."""
    try:
        folder = Path(download(name, local_files_only=True, **options))
    except Exception:  # not in the cache, or not a name the hub could have: fetching says so
        return None
    return folder if _complete(folder, wanted) else None


def _complete(folder: Path, wanted: Wanted) -> bool:
    """Whether a snapshot has its configuration and, if wanted, every weights file that its index
    names (downloads may have stopped).
    """
    import json

    if not (folder / "config.json").is_file() and not (folder / "tokenizer_config.json").is_file():
        return False
    if not wanted.weights:
        return True
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return all((folder / shard).is_file() for shard in shards)
    return any(folder.glob("*.safetensors"))


def _explain_incomplete(name: str, folder: Path, wanted: Wanted) -> None:
    """Raises the ModelError that says why a snapshot cannot be used: pickles only, nothing but a
    few files, no configuration.
    """
    from huggingface_hub import HfApi

    try:
        files = HfApi().list_repo_files(name, revision=wanted.revision)
    except Exception:  # the hub went away in between
        files = [path.name for path in folder.iterdir()]
    pickles = [file for file in files if file.endswith((".bin", ".pt", ".pth")) and "/" not in file]
    if wanted.weights and pickles and not any(file.endswith(".safetensors") for file in files):
        raise ModelError(
            f"{name}: only pickle weights ({pickles[0]}), which can run code when read; look for a revision "
            "with safetensors"
        )
    if not any(file.endswith("config.json") for file in files):
        raise ModelError(
            f"{name}: the repository has no config.json; is it a model in the transformers layout?"
        )
    raise ModelError(
        f"{name}: the download is incomplete in {folder}; run again when the hub answers (HF_ENDPOINT names "
        "another)"
    )


def _reason(error: Exception, name: str, mirror: Path | None) -> str:
    """One line: what happened and the ways to mend it."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    endpoint = presence.endpoint()

    if isinstance(error, GatedRepoError):
        return f"gated; accept its licence at {endpoint}/{name}, then log in (hf auth login) or set HF_TOKEN"
    if isinstance(error, RevisionNotFoundError):
        return f"no such revision at {endpoint}/{name}; look at its branches and tags"
    if isinstance(error, RepositoryNotFoundError):
        return f"not at {endpoint} (or private: set HF_TOKEN); check the name"
    if isinstance(error, HFValidationError):
        return "neither a folder nor a hub name (ORG/NAME)"
    if _disk_full(error):
        return "no space left for the download; free some or set HF_HOME to another disk"

    # What is left is a hub out of reach, for which there are four ways round.
    where = f"not in the mirror {mirror}" if mirror else "no mirror set"
    switch = presence.offline_switch()
    state = f"{switch} is set and the hub cache does not hold it" if switch else f"{endpoint} did not answer"
    return (
        f"cannot be fetched ({state}; {where}). Mend it by one of: mirror: FOLDER in the YAML or "
        f"HARNESS_MIRROR; HF_ENDPOINT={presence.MIRRORS[0]}; "
        "HARNESS_HUB=modelscope; a filled hub cache (HF_HOME)"
    )


def _disk_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno == 28:
            return True
        error = error.__cause__
    return False
