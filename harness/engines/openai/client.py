"""HTTP to one endpoint: each request is tried until it is answered, until it cannot be, or until
nobody waits for it any more.

Uses httpx2, which huggingface_hub brings. The key lives in one header of one client; whatever a
server says is cleaned of it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from harness.engines.openai.complaints import AGAIN, complaint_of, words_of
from harness.engines.openai.endpoint import Endpoint, EndpointError
from harness.engines.openai.folding import REFUSED
from harness.engines.openai.limits import Gate, Throttle
from harness.engines.openai.settings import Settings
from harness.retries import PassingError, backoff, retry_after, retrying
from harness.version import __version__
from harness.wording import one_line

log = logging.getLogger(__name__)

CONNECT = 10.0
"""Seconds for a connection; an endpoint that takes longer is not there."""
LOOKS = 2
"""Repetitions of a question that only looks whether somebody is there: who forgot to start the
server should learn it soon.
"""
_ALONE = {"localhost", "127.0.0.1", "::1"}


class EndpointClient:
    """Usable from many threads. ``counts``: requests sent, tried again, and why."""

    def __init__(self, endpoint: Endpoint, settings: Settings) -> None:
        self.endpoint, self._settings = endpoint, settings
        headers = {"User-Agent": f"open-weight-harness/{__version__}"}
        if endpoint.key:
            headers["Authorization"] = f"Bearer {endpoint.key}"

        self._http = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(settings.timeout, connect=min(CONNECT, settings.timeout)),
            limits=httpx2.Limits(
                max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency
            ),
            follow_redirects=False,  # the key must not follow to another host
            # no proxy stands before this machine itself
            trust_env=urlsplit(endpoint.url).hostname not in _ALONE,
        )

        self._gate = Gate()
        self._requests, self._tokens = (
            Throttle(settings.requests_per_minute),
            Throttle(settings.tokens_per_minute),
        )
        self.counts: Counter[str] = Counter()
        self.software = ""
        """The ``Server`` header of the last answer."""
        self.served: tuple[str, ...] = ()
        """Names of models that the endpoint lists, for messages."""
        self._counting = threading.Lock()

    def get(self, path: str, *, root: bool = False) -> Any:
        """A resource's JSON, or None where the endpoint has none such (or hides it); ``root``:
        above /v1.

        Raises EndpointError.
        """
        try:
            address = self.endpoint.root + path if root else path
            return self._persist("GET", address, None, threading.Event(), min(self._settings.retries, LOOKS))
        except EndpointError as error:
            if error.status in (403, 404, 405):
                return None
            raise

    def post(
        self, path: str, body: Mapping[str, Any], estimate: float = 0, stop: threading.Event | None = None
    ) -> dict[str, Any]:
        """The answer to a request that may cost about ``estimate`` tokens.

        Raises EndpointError; at once when ``stop`` is set.
        """
        stop = stop or threading.Event()
        now = time.monotonic()
        wait = max(self._requests.take(1, now), self._tokens.take(estimate, now))
        if wait and stop.wait(wait):
            raise EndpointError("stopped before it was asked")

        answer = self._persist("POST", path, body, stop, self._settings.retries)
        if not isinstance(answer, dict):
            raise EndpointError(
                f"{self.endpoint.host}{path}: expected a JSON object, got {type(answer).__name__}"
            )

        # The budget per minute was booked by an estimate; what was really spent is known now.
        usage = answer.get("usage")
        total = usage.get("total_tokens") if isinstance(usage, dict) else None
        if isinstance(total, int) and total > 0:
            self._tokens.correct(total - estimate)
        return answer

    def count(self, name: str) -> None:
        """Counts one more of something that happened."""
        with self._counting:
            self.counts[name] += 1

    def close(self) -> None:
        """Ends all connections."""
        self._http.close()

    def _persist(
        self, method: str, path: str, body: Mapping[str, Any] | None, stop: threading.Event, retries: int
    ) -> Any:
        """Tries, waits, tries again. Raises EndpointError when it is given up or ``stop`` is set."""
        settings = self._settings

        def once() -> Any:
            if not self._gate.wait(stop):
                raise EndpointError("stopped before it was answered")
            return self._once(method, path, body)

        # A pause that the endpoint asks for holds for every thread, so the gate waits for it.
        loop = retrying(
            retries,
            settings.max_wait,
            wait=lambda failure, attempt: (
                0.0 if failure.wait is not None else backoff(attempt, settings.backoff, settings.max_wait)
            ),
            sleep=stop.wait,
            noted=lambda failure: self.count(f"failed: {failure}"),
            before_sleep=lambda failure, _: self._gate.close_for(failure.wait or 0.0),
        )
        try:
            return loop(once)
        except PassingError as failure:
            raise self._given_up(failure, path, retries) from failure

    def _given_up(self, failure: PassingError, path: str, retries: int) -> EndpointError:
        words = _colon(self.clean(failure.words))
        if failure.wait is not None and failure.wait > self._settings.max_wait:
            text = f"{self._where(path)}: {failure}, asks to wait {failure.wait:.0f} s{words}"
            return EndpointError(
                f"{text}; run the same command later, or raise engine_args.max_wait", fatal=True
            )
        return EndpointError(
            f"{self._where(path)}: {failure}, {retries + 1} times{words}; the same command asks again",
            tired=True,
        )

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        """One try. Raises PassingError or EndpointError."""
        self.count("requests")
        content = None if body is None else json.dumps(body, ensure_ascii=True).encode()
        headers = {"Content-Type": "application/json"} if content else {}

        try:
            with self._http.stream(method, self._address(path), content=content, headers=headers) as response:
                data = self._read(response)
        except httpx2.TimeoutException as error:
            kind = "no connection" if isinstance(error, httpx2.ConnectTimeout) else "no answer"
            raise PassingError(
                f"{kind} in {self._settings.timeout if kind == 'no answer' else CONNECT:g} s"
            ) from error
        except httpx2.TransportError as error:
            raise PassingError(_transport_reason(error)) from error

        if response.status_code >= 300:
            self._refuse(response.status_code, response.headers, self._words(data), path)
        self.software = response.headers.get("server", self.software)
        try:
            answer = json.loads(data)
        except ValueError as error:
            if data.lstrip()[:1] == b"<":
                raise PassingError("an answer that is not JSON but a web page") from error
            raise PassingError(
                "an answer that is not JSON", words=data[:200].decode("utf-8", "replace")
            ) from error

        # A proxy's web page and a gateway's error both come under HTTP 200.
        self._check(answer, response.headers, path, None if method == "GET" else "choices")
        return answer

    def _check(self, answer: Any, headers: Mapping[str, str], path: str, wanted: str | None) -> None:
        """Raises what an error under HTTP 200 means: many a gateway answers so."""
        complaint = complaint_of(answer, wanted)
        if complaint is None:
            return
        if complaint.passing:
            wait = retry_after(headers)
            raise PassingError(
                "HTTP 200 with an error", complaint.wait if wait is None else wait, complaint.text
            )
        text = f"{self._where(path)}: HTTP 200 with an error{_colon(self.clean(complaint.text))}"
        raise EndpointError(
            text, fatal=complaint.lasting, status=complaint.status or 400, said=complaint.text
        )

    def _read(self, response: httpx2.Response) -> bytes:
        """The body; a server that sends a byte now and then is late all the same."""
        end = time.monotonic() + self._settings.timeout
        parts = []
        for part in response.iter_bytes():
            parts.append(part)
            if time.monotonic() > end:
                raise PassingError(f"no whole answer in {self._settings.timeout:g} s")
        return b"".join(parts)

    def _refuse(self, status: int, headers: Mapping[str, str], words: str, path: str) -> None:
        """Raises what a status means."""
        where, quote = self._where(path), _colon(self.clean(words))
        # A template's refusal of a role is final, though llama.cpp calls it a fault of the
        # server's.
        if status in AGAIN and "insufficient_quota" not in words and not REFUSED.search(words):
            raise PassingError(f"HTTP {status}", retry_after(headers), words)

        if status in (401, 403):
            have = (
                f"the key in {self.endpoint.key_name} was refused"
                if self.endpoint.key
                else f"no key: set {self.endpoint.key_name}"
            )
            raise EndpointError(f"{where}: HTTP {status}, {have}{quote}", fatal=True, status=status)

        if status == 404 and self.served:
            quote += f"; it lists {self.clean(', '.join(self.served[:8]))}"
        if status < 400 and headers.get("location"):
            target = self.clean(headers["location"].split("?")[0])
            quote += f"; it sends on to {target}, which base_url should name"
        fatal = status in (402, 404, 405, 429) or status < 400
        raise EndpointError(f"{where}: HTTP {status}{quote}", fatal=fatal, status=status, said=words)

    def _address(self, path: str) -> str:
        return path if path.startswith(self.endpoint.root) else self.endpoint.url + path

    def _where(self, path: str) -> str:
        return self.endpoint.host + path.removeprefix(self.endpoint.root)

    @staticmethod
    def _words(data: bytes) -> str:
        """What the server gives as its reason."""
        text = data.decode("utf-8", "replace")
        try:
            return words_of(json.loads(text)) or text
        except ValueError:
            return text

    def clean(self, text: str) -> str:
        """Text from outside on one short line, without the key."""
        if self.endpoint.key:
            text = text.replace(self.endpoint.key, "[key]")
        return one_line(text, 300)


def _colon(text: str) -> str:
    return f": {text}" if text.strip() else ""


def _transport_reason(error: httpx2.TransportError) -> str:
    if isinstance(error, httpx2.ConnectError):
        return "no connection: is the server started, and base_url right"
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError):
        return "the connection ended before the whole answer"
    return f"the connection failed ({type(error).__name__})"
