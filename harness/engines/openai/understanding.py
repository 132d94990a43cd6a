"""An answer of another shape than was asked for is one item's failure, counted and paid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from harness.engines.openai.client import EndpointClient
from harness.engines.openai.endpoint import EndpointError

Understood = TypeVar("Understood")


def understood(read: Callable[[], Understood], client: EndpointClient, usage: Any) -> Understood:
    """What ``read`` makes of an answer; an answer of another shape is this item's failure."""
    try:
        return read()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        client.count("answers of another shape")
        client.tries.note("answered", -1)
        client.tries.fail("unreadable", usage, begun=True)
        raise EndpointError(f"{client.endpoint.host}: {client.clean(str(error))}") from error
