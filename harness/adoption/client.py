"""The hub's list of models, page by page, asked politely.

Why not ``huggingface_hub.HfApi.list_models``: it yields models and hides the page's cursor, so that
a snapshot could not be continued after a kill; a body that is no JSON, or half a one, ends it;
and it takes a token from the machine's login unasked. What it would ask (``/api/models`` with
``expand``) is asked here, through the same HTTP library.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from harness.errors import ConfigError, DataError
from harness.hub.presence import HUB
from harness.retries import PassingError, backoff, retry_after, retrying
from harness.version import __version__
from harness.wording import one_line

PATH = "/api/models"
EXPAND = (
    "author",
    "createdAt",
    "downloads",
    "downloadsAllTime",
    "likes",
    "pipeline_tag",
    "safetensors",
    "tags",
)
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses that may pass."""
Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Manners:
    """How politely is asked: seconds between pages, tries of one page, and the longest pause that
    is waited for at once.

    The hub lets strangers ask 500 times in five minutes; a page every 0.7 s stays below that.
    """

    pause: float = 0.7
    retries: int = 6
    backoff: float = 1.0
    max_wait: float = 330.0
    timeout: float = 60.0


@dataclass(frozen=True)
class Page:
    """One page: the entries as they came, and the parameters of the next one; None at the end."""

    entries: tuple[dict[str, Any], ...]
    next: tuple[tuple[str, str], ...] | None


@dataclass
class HubClient:
    """A client of one hub. ``said`` hears of every failure that may pass. Close it, or use it as a
    context manager.
    """

    endpoint: str = HUB
    token: str | None = None
    manners: Manners = Manners()
    said: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    requests: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        bare(self.endpoint)
        headers = {"User-Agent": f"open-weight-harness/{__version__}", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"

        loopback = urlsplit(self.endpoint).hostname in ("localhost", "127.0.0.1", "::1")
        self._http = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(self.manners.timeout, connect=10.0),
            follow_redirects=False,  # the token must not follow to another host
            trust_env=not loopback,  # no proxy stands before this machine itself
        )

    def __enter__(self) -> HubClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def where(self) -> str:
        """The hub's address without credentials."""
        return bare(self.endpoint)

    def page(self, parameters: Parameters) -> Page:
        """One page.

        Raises DataError, one line, where the hub refuses, or where a failure did not pass.
        """
        if self.requests:
            self.sleep(self.manners.pause)

        manners = self.manners
        loop = retrying(
            manners.retries,
            manners.max_wait,
            wait=lambda failure, attempt: (
                backoff(attempt, manners.backoff, manners.max_wait) if failure.wait is None else failure.wait
            ),
            sleep=self.sleep,
            before_sleep=lambda failure, seconds: self.said(
                f"{self.where}: {failure}; asking again in {seconds:.0f} s"
            ),
        )
        try:
            return loop(self._once, parameters)
        except PassingError as failure:
            raise self._given_up(failure) from failure

    def _given_up(self, failure: PassingError) -> DataError:
        if failure.wait is not None and failure.wait > self.manners.max_wait:
            text = f"asks to wait {failure.wait:.0f} s; run the same command again after that"
        else:
            text = f"{self.manners.retries + 1} times; run the same command again later"
        return DataError(f"{self.where}: {failure}, {text}")

    def _once(self, parameters: Parameters) -> Page:
        self.requests += 1
        try:
            response = self._http.get(self.endpoint.rstrip("/") + PATH, params=list(parameters))
        except httpx2.TimeoutException as error:
            raise PassingError(f"no answer in {self.manners.timeout:g} s") from error
        except httpx2.ConnectError as error:
            raise PassingError("no connection") from error
        except httpx2.TransportError as error:
            raise PassingError("the connection ended before the whole answer") from error

        if response.status_code != 200:
            self._refuse(response)
        try:
            entries = json.loads(response.content)
        except ValueError as error:
            raise PassingError("an answer that is not JSON") from error
        # A mirror's page of another kind must not become a snapshot of no models.
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise PassingError("an answer that is no list of models")
        return Page(tuple(entries), _next(response.links))

    def _refuse(self, response: httpx2.Response) -> None:
        """Raises what a status means."""
        status = response.status_code
        if status in AGAIN:
            raise PassingError(f"HTTP {status}", _asked(response.headers))
        if status in (401, 403):
            have = "the token in HF_TOKEN was refused" if self.token else "it wants a token: set HF_TOKEN"
            raise DataError(f"{self.where}: HTTP {status}: {have}")

        words = one_line(response.text, 200)
        if status in (400, 410):  # cursors do not live for ever
            words += "; where this snapshot was begun earlier, remove its .part file to begin anew"
        if self.token:
            words = words.replace(self.token, "[token]")
        raise DataError(f"{self.where}{PATH}: HTTP {status}{': ' + words if words else ''}")


def _asked(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: ``Retry-After``, or the reset of the hub's ``RateLimit: "api";r=0;t=55``."""
    seconds = retry_after(headers)
    if seconds is None and (reset := re.search(r"\bt=(\d+)", headers.get("ratelimit", ""))):
        seconds = float(reset[1])
    return None if seconds is None or math.isnan(seconds) else seconds


def _next(links: Mapping[str | None, Any]) -> tuple[tuple[str, str], ...] | None:
    """Only the query of the next page's address is taken: mirrors name the hub there, and the token
    must not go to another host.
    """
    url = (links.get("next") or {}).get("url")
    if not url:
        return None
    return tuple(parse_qsl(urlsplit(str(url)).query, keep_blank_values=True))


def bare(endpoint: str) -> str:
    """An endpoint without scheme and credentials. Raises ConfigError for what is no address."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"HF_ENDPOINT: expected an address like {HUB}, got {endpoint!r}")
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}{parts.path.rstrip('/')}"
