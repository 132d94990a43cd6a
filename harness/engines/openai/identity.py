"""Who answers at an endpoint, without files: told from the config alone, so that a finished run
needs no server to be read again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.files import ModelFiles, locate, model_identity, tokenizer_files
from harness.engines.hashes import hash_files
from harness.engines.openai.endpoint import Endpoint
from harness.engines.openai.settings import DEFAULT_KEY, Settings, read_key
from harness.engines.openai.wire import WIRE
from harness.engines.protocol import EngineInfo
from harness.errors import ModelError
from harness.sanity import Finding

_RESOURCES = ("/chat/completions", "/completions", "/models", "/chat", "/embeddings", "/responses")
"""What stands below a base_url."""


def endpoint_of(spec: ModelSpec, *, with_key: bool = False) -> Endpoint:
    """Where the model is.

    Raises ModelError without a base_url, or where a key is wanted that is not set.
    """
    if spec.base_url is None:
        raise ModelError(
            f"{spec.label}: engine: openai needs base_url, e.g. base_url: http://localhost:8000/v1"
        )

    url = spec.base_url.rstrip("/")
    for tail in _RESOURCES:
        if url.endswith(tail):
            raise ModelError(
                f"{spec.label}: base_url ends in {tail}, which is added here; say base_url: "
                f"{url.removesuffix(tail)}"
            )
    return Endpoint(url, read_key(spec) if with_key else None, spec.api_key_env or DEFAULT_KEY)


def served_model(spec: ModelSpec, mirror: Path | None) -> ModelFiles:
    """The model's name and host as its identity; files only of a named tokenizer.

    Raises ModelError. An endpoint says little of what it serves: ``revision`` is the word to change
    when it serves something else under the same name.
    """
    Settings.of(spec)
    name = f"{spec.id} at {endpoint_of(spec).host}, revision {spec.revision}"
    if spec.tokenizer is None:
        return ModelFiles(Path(), spec.revision, "endpoint", {}, model_identity(spec, name, {}))

    # The tokenizer's files decide the ids that are sent, so their hashes are part of the model's.
    folder, _, _ = locate(spec.tokenizer, spec, mirror, weights=False)
    try:
        hashes = hash_files(folder, tokenizer_files(folder))
    except OSError as error:
        raise ModelError(f"{spec.tokenizer}: cannot read {error.filename}: {error.strerror}") from error
    return ModelFiles(Path(), spec.revision, "endpoint", hashes, model_identity(spec, name, hashes), folder)


def endpoint_identity(spec: ModelSpec) -> dict[str, Any]:
    """The endpoint's part of a cell's identity: what changes the questions' form.

    Neither key nor speed settings are in it.
    """
    settings = Settings.of(spec)
    return {
        "engine": "openai",
        "versions": {},
        "device": "endpoint",
        "dtype": None,
        "endpoint": endpoint_of(spec).host,
        "api": settings.api_for(spec),
        "extra_body": settings.extra_body,
        "omit": sorted(settings.omit),
        "max_stops": settings.max_stops,
        "wire": WIRE,
    }


def make_info(
    spec: ModelSpec,
    reported: dict[str, Any],
    window: int | None,
    seconds: float,
    extra: dict[str, Any],
    findings: tuple[Finding, ...] = (),
) -> EngineInfo:
    """What the endpoint says of itself goes into the manifest."""
    # What a server says of itself may change between two runs, so it is reported and no part of an identity.
    versions = {"vllm": reported["version"]} if reported.get("version") else {}
    return EngineInfo(
        engine="openai",
        versions=versions,
        device="endpoint",
        dtype="as served",
        context_length=window,
        load_seconds=seconds,
        extra={"endpoint": endpoint_of(spec).host, "reported": reported, **extra},
        findings=findings,
    )
