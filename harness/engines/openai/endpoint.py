"""Where an endpoint is, and the error of a request that it did not answer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.errors import ModelError


class EndpointError(ModelError):
    """A request that was not answered. ``fatal``: no other request would be. ``tired``: repeated
    until it was given up.

    ``status`` is the HTTP status where the endpoint refused it, ``said`` the server's own words.
    """

    def __init__(
        self,
        text: str,
        *,
        fatal: bool = False,
        tired: bool = False,
        status: int | None = None,
        said: str = "",
    ) -> None:
        super().__init__(text)
        self.fatal, self.tired, self.status, self.said = fatal, tired, status, said


class StoppedError(EndpointError):
    """A request that nobody waits for any more: no failure of the endpoint's."""


@dataclass(frozen=True)
class Endpoint:
    """Where to ask. ``key_name`` is the variable that the key came from, for messages."""

    url: str
    key: str | None
    key_name: str

    @property
    def root(self) -> str:
        """The server above its API: without a last ``/v1``."""
        return self.url.removesuffix("/v1")

    @property
    def host(self) -> str:
        """Host, port and path, without scheme and credentials."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname}{port}{parts.path.rstrip('/')}"
