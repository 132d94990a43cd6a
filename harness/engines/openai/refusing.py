"""What a refused or failed request means, and what to write in the config so that it works: one line
each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2

from harness.engines.openai.complaints import AGAIN, Complaint
from harness.engines.openai.endpoint import Endpoint, EndpointError
from harness.engines.openai.folding import REFUSED
from harness.engines.openai.receiving import RequestFailure
from harness.retries import retry_after
from harness.wording import one_line

SHOWN = 8
"""Models of an endpoint's list that a message names."""
LOCAL = {"localhost", "127.0.0.1", "::1"}
WEB_PAGE = "an answer that is not JSON but a web page"
_NO_MODEL = re.compile(
    r"model_not_found|no such model|unknown model|invalid model|模型不存在"
    r"|model\b.{0,80}?\b(not (exist|found|available)|unknown|invalid)",
    re.IGNORECASE,
)
"""Words for a model that a server does not have."""
_WANTS_TLS = re.compile(r"plain HTTP request|HTTP request to an HTTPS", re.IGNORECASE)
"""nginx's and Go's words for a port that speaks https."""


@dataclass(frozen=True)
class Refusals:
    """Errors of one endpoint, in words that say what to do."""

    endpoint: Endpoint

    def clean(self, text: str) -> str:
        """Text from outside on one short line, without the key."""
        if self.endpoint.key:
            text = text.replace(self.endpoint.key, "[key]")
        return one_line(text, 300)

    def where(self, path: str) -> str:
        """Host and path of a request, without scheme and credentials."""
        return self.endpoint.host + path.removeprefix(self.endpoint.root)

    def of_status(
        self, status: int, headers: Mapping[str, str], words: str, path: str, served: Sequence[str]
    ) -> Exception:
        """What an HTTP status means; ``words`` are the server's, ``served`` the models that it lists."""
        where, quote = self.where(path), colon(self.clean(words))
        # A template's refusal of a role is final, though llama.cpp calls it a fault of the
        # server's.
        if status in AGAIN and "insufficient_quota" not in words and not REFUSED.search(words):
            return RequestFailure(f"http_{status}", f"HTTP {status}", retry_after(headers), words)

        if status in (401, 403):
            name = self.endpoint.key_name
            have = (
                f"the key in {name} was refused"
                if self.endpoint.key
                else f"no key: set {name} (export {name}=…), or name another variable with api_key_env"
            )
            return EndpointError(f"{where}: HTTP {status}, {have}{quote}", fatal=True, status=status)

        # Servers say 400 or 404 for a model that they do not have; no other request would be answered.
        unknown = status in (400, 404, 422) and _NO_MODEL.search(words) is not None
        if (unknown or status == 404) and served:
            more = ", …" if len(served) > SHOWN else ""
            quote += f"; say id: one of {self.clean(', '.join(served[:SHOWN]))}{more}"
        if self.endpoint.url.startswith("http://") and _WANTS_TLS.search(words):
            quote += f"; say base_url: https://{self.endpoint.url.removeprefix('http://')}"
        if status < 400 and headers.get("location"):
            target = self.clean(headers["location"].split("?")[0])
            quote += f"; it sends on to {target}, which base_url should name"
        fatal = unknown or status in (402, 404, 405, 429) or status < 400
        return EndpointError(f"{where}: HTTP {status}{quote}", fatal=fatal, status=status, said=words)

    def of_complaint(
        self, complaint: Complaint, headers: Mapping[str, str], path: str, begun: bool
    ) -> Exception:
        """What an error under HTTP 200 means: many a gateway answers so.

        An answer that had ``begun`` was not refused, so it is asked for again unless the error
        lasts.
        """
        if complaint.passing or (begun and not complaint.lasting):
            wait = retry_after(headers) if complaint.wait is None else complaint.wait
            what = "an error in the stream" if begun else "HTTP 200 with an error"
            return RequestFailure("error_in_answer", what, wait, complaint.text)
        text = f"{self.where(path)}: HTTP 200 with an error{colon(self.clean(complaint.text))}"
        return EndpointError(
            text, fatal=complaint.lasting, status=complaint.status or 400, said=complaint.text
        )


def colon(text: str) -> str:
    """``: text``, or nothing."""
    return f": {text}" if text.strip() else ""


def transport_failure(error: httpx2.TransportError, seconds: float, url: str) -> RequestFailure:
    """What a connection's error means; ``seconds`` are those that were waited for an answer."""
    if isinstance(error, httpx2.ConnectTimeout):
        return RequestFailure("connection", "no connection in 10 s")
    if isinstance(error, httpx2.TimeoutException):
        return RequestFailure("timeout", f"no answer in {seconds:g} s")
    if isinstance(error, httpx2.ConnectError):
        return RequestFailure("connection", _connect_reason(error, url))
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError):
        return RequestFailure("dropped", "the connection ended before the whole answer")
    return RequestFailure("dropped", f"the connection failed ({type(error).__name__})")


def _connect_reason(error: httpx2.ConnectError, url: str) -> str:
    """A server without TLS that is asked over https breaks off in the handshake."""
    words = str(error).lower()
    if url.startswith("https://") and any(mark in words for mark in ("ssl", "tls", "wrong_version")):
        if "certificate" in words:
            return "its certificate is not valid for this host: is base_url the right one"
        return f"it does not speak https: say base_url: http://{url.removeprefix('https://')}"
    return "no connection: is the server started, and base_url right"
