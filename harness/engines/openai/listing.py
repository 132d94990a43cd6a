"""What an endpoint lists of its models, and where it should have been asked."""

from __future__ import annotations

import logging
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines.openai.client import EndpointClient
from harness.engines.openai.endpoint import EndpointError
from harness.errors import ModelError

log = logging.getLogger(__name__)


_TELL_THEIR_VERSION = frozenset({"vllm"})
"""Servers, by what they call themselves, that answer ``/version``."""


def look_up(client: EndpointClient, spec: ModelSpec) -> dict[str, Any]:
    """What the endpoint says of the model; {} where it says nothing.

    Raises ModelError where it does not answer, or answers elsewhere. A list without the model is
    only worth a warning: Ollama lists ``name:latest`` and answers to ``name``.
    """
    try:
        listed = client.get("/models")
    except EndpointError as error:
        # LM Studio answers a path that it does not know with an error under HTTP 200.
        other = (
            ""
            if error.status in (401, 403) or (error.tired and "web page" not in str(error))
            else _elsewhere(client)
        )
        if not other and "web page" in str(error):
            advice = "base_url is a web page's address: say that of the API, which mostly ends in /v1"
            raise ModelError(f"{spec.label}: {client.endpoint.host}/models: {advice}") from error
        if not other:
            raise
        raise ModelError(f"{error}{other}") from error
    entries = _entries(listed)
    if listed is None and (other := _elsewhere(client)):
        raise ModelError(f"{spec.label}: {client.endpoint.host}/models is not there{other}")

    client.served = tuple(entries)
    if entries and spec.id not in entries:
        log.warning(
            "%s does not list %s, but %s", client.endpoint.host, spec.id, client.clean(", ".join(entries))
        )
    entry = entries.get(spec.id) or entries.get(f"{spec.id}:latest", {})
    reported = {
        key: entry[key] for key in ("owned_by", "root", "max_model_len") if entry.get(key) is not None
    }

    # A gateway may list anything; what is no window or name is not taken for one.
    window = reported.get("max_model_len", 1)
    if isinstance(window, bool) or not isinstance(window, int) or window < 1:
        del reported["max_model_len"]
    if not isinstance(reported.get("owned_by", ""), str):
        del reported["owned_by"]
    if reported.get("owned_by") in _TELL_THEIR_VERSION:
        answer = client.get("/version", root=True)
        reported |= (
            {"version": str(answer["version"])} if isinstance(answer, dict) and "version" in answer else {}
        )
    if client.software.lower().startswith("llama.cpp"):
        reported["owned_by"] = "llamacpp"
    return reported


def _entries(listed: Any) -> dict[str, dict[str, Any]]:
    models = listed.get("data") if isinstance(listed, dict) else None
    return (
        {str(entry.get("id")): entry for entry in models or () if isinstance(entry, dict)}
        if isinstance(models, list)
        else {}
    )


def _elsewhere(client: EndpointClient) -> str:
    """A hint where the API stands below /v1 and base_url does not say so; "" where it does not."""
    if client.endpoint.url.endswith("/v1"):
        return ""
    try:
        entries = _entries(client.get("/v1/models"))
    except EndpointError:
        return ""
    return f"; did you mean base_url: {client.endpoint.url}/v1" if entries else ""
