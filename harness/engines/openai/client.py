"""HTTP to one endpoint: each request is tried until it is answered, until it cannot be, or until
nobody waits for it any more.

Uses httpx2, which huggingface_hub brings. The key lives in one header of one client; whatever a
server says is cleaned of it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from harness.engines.openai.complaints import complaint_of, words_of
from harness.engines.openai.endpoint import Endpoint, EndpointError, StoppedError
from harness.engines.openai.limits import Gate, Throttle
from harness.engines.openai.receiving import Receiver, Reply, RequestFailure
from harness.engines.openai.refusing import LOCAL, WEB_PAGE, Refusals, colon, transport_failure
from harness.engines.openai.settings import Settings
from harness.engines.openai.tries import Tries
from harness.retries import PassingError, backoff, retrying
from harness.version import __version__

log = logging.getLogger(__name__)

CONNECT = 10.0
"""Seconds for a connection; an endpoint that takes longer is not there."""
LOOKS = 2
"""Repetitions of a question that only looks whether somebody is there: who forgot to start the
server should learn it soon.
"""


class EndpointClient:
    """Usable from many threads.

    ``counts``: reasons of failures and of ends, in words; ``tries``: requests and failures by kind.
    """

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
            trust_env=urlsplit(endpoint.url).hostname not in LOCAL,
        )

        self._gate = Gate()
        self._requests, self._tokens = (
            Throttle(settings.requests_per_minute),
            Throttle(settings.tokens_per_minute),
        )
        self.refusals = Refusals(endpoint)
        self.counts: Counter[str] = Counter()
        self.tries = Tries()
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
            retries = min(self._settings.retries, LOOKS)
            return self._persist("GET", address, None, threading.Event(), retries).answer
        except EndpointError as error:
            if error.status in (403, 404, 405):
                return None
            raise

    def post(
        self, path: str, body: Mapping[str, Any], estimate: float = 0, stop: threading.Event | None = None
    ) -> Reply:
        """The answer to a request that may cost about ``estimate`` tokens, and when it came.

        Raises EndpointError; at once when ``stop`` is set.
        """
        stop = stop or threading.Event()
        now = time.monotonic()
        wait = max(self._requests.take(1, now), self._tokens.take(estimate, now))
        if wait and stop.wait(wait):
            raise StoppedError("stopped before it was asked")

        reply = self._persist("POST", path, body, stop, self._settings.retries)
        if not isinstance(reply.answer, dict):
            raise EndpointError(
                f"{self.endpoint.host}{path}: expected a JSON object, got {type(reply.answer).__name__}"
            )

        # The budget per minute was booked by an estimate; what was really spent is known now.
        usage = reply.answer.get("usage")
        total = usage.get("total_tokens") if isinstance(usage, dict) else None
        if isinstance(total, int) and total > 0:
            self._tokens.correct(total - estimate)
        return reply

    def count(self, name: str) -> None:
        """Counts one more of something that happened."""
        with self._counting:
            self.counts[name] += 1

    def close(self) -> None:
        """Ends all connections."""
        self._http.close()

    def _persist(
        self, method: str, path: str, body: Mapping[str, Any] | None, stop: threading.Event, retries: int
    ) -> Reply:
        """Tries, waits, tries again. Raises EndpointError when it is given up or ``stop`` is set."""
        settings = self._settings

        def once() -> Reply:
            if not self._gate.wait(stop):
                raise StoppedError("stopped before it was answered")
            return self._once(method, path, body)

        def pause(failure: PassingError) -> None:
            if method == "POST":
                self.tries.note("repeated")
            self._gate.close_for(failure.wait or 0.0)

        # A pause that the endpoint asks for holds for every thread, so the gate waits for it.
        loop = retrying(
            retries,
            settings.max_wait,
            wait=lambda failure, attempt: (
                0.0 if failure.wait is not None else backoff(attempt, settings.backoff, settings.max_wait)
            ),
            sleep=stop.wait,
            noted=lambda failure: self.count(f"failed: {failure}"),
            before_sleep=lambda failure, _: pause(failure),
        )
        try:
            reply: Reply = loop(once)
            return reply
        except PassingError as failure:
            raise self._given_up(failure, path, retries) from failure

    def _given_up(self, failure: PassingError, path: str, retries: int) -> EndpointError:
        words = colon(self.clean(failure.words))
        if failure.wait is not None and failure.wait > self._settings.max_wait:
            text = f"{self.refusals.where(path)}: {failure}, asks to wait {failure.wait:.0f} s{words}"
            return EndpointError(
                f"{text}; run the same command later, or raise engine_args.max_wait", fatal=True
            )
        times = f"{failure}, {retries + 1} times{words}; the same command asks again"
        return EndpointError(f"{self.refusals.where(path)}: {times}", tired=True)

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Reply:
        """One try, counted. Raises PassingError or EndpointError."""
        self.count("requests")
        if method == "GET":
            return self._exchange(method, path, None, Receiver(self._settings.timeout))

        self.tries.note("sent")
        receiver = Receiver(self._settings.timeout)
        try:
            reply = self._exchange(method, path, body, receiver)
        except (RequestFailure, EndpointError) as error:
            kind = error.kind if isinstance(error, RequestFailure) else f"http_{error.status}"
            # What was answered in part is charged all the same.
            assembly = receiver.assembly
            begun = assembly is not None and assembly.first is not None
            self.tries.fail(kind, receiver.usage or _usage_in(receiver.body), begun)
            raise
        self.tries.note("answered")
        return reply

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None, receiver: Receiver) -> Reply:
        """One request and its answer, in one piece or as a stream."""
        content = None if body is None else json.dumps(body, ensure_ascii=True).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        address = path if path.startswith(self.endpoint.root) else self.endpoint.url + path

        sent, cut = time.perf_counter(), False
        try:
            with self._http.stream(method, address, content=content, headers=headers) as response:
                receiver.read(response.iter_bytes(), lambda: _hang_up(response))
        except httpx2.TransportError as error:
            # Some servers keep a connection open behind the last event of a stream.
            cut = True
            if not receiver.complete and receiver.complaint is None:
                raise transport_failure(error, self._settings.timeout, self.endpoint.url) from error
        end = time.perf_counter()

        if response.status_code >= 300:
            words = self._words(receiver.body)
            raise self.refusals.of_status(response.status_code, response.headers, words, path, self.served)
        self.software = response.headers.get("server", self.software)
        answer = self._whole(receiver, response.headers, path)
        # A proxy's web page and a gateway's error both come under HTTP 200.
        complaint = complaint_of(answer, None if method == "GET" else "choices")
        if complaint is not None:
            raise self.refusals.of_complaint(complaint, response.headers, path, False)

        assembly = receiver.assembly
        if assembly is None:
            return Reply(answer, sent, end)
        last = end if assembly.last is None else assembly.last
        first = last if assembly.first is None else assembly.first
        return Reply(answer, sent, last, first, streamed=True, cut=cut)

    def _whole(self, receiver: Receiver, headers: Mapping[str, str], path: str) -> Any:
        """The answer's JSON. Raises RequestFailure or EndpointError where it is none, or not whole."""
        assembly = receiver.assembly
        if receiver.complaint is not None:
            begun = assembly is not None and assembly.first is not None
            raise self.refusals.of_complaint(receiver.complaint, headers, path, begun)
        if assembly is not None:
            if not receiver.complete:
                raise RequestFailure("dropped", "the stream ended before the answer did")
            return assembly.answer()

        data = receiver.body
        try:
            return json.loads(data)
        except ValueError as error:
            if data.lstrip()[:1] == b"<":
                raise RequestFailure("unreadable", WEB_PAGE) from error
            words = data[:200].decode("utf-8", "replace")
            raise RequestFailure("unreadable", "an answer that is not JSON", words=words) from error

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
        return self.refusals.clean(text)


def _hang_up(response: httpx2.Response) -> None:
    """Ends a connection that another thread is reading from: it reads an end at once."""
    stream = response.extensions.get("network_stream")
    plug = None if stream is None else stream.get_extra_info("socket")
    if isinstance(plug, socket.socket):
        with contextlib.suppress(OSError):
            plug.shutdown(socket.SHUT_RDWR)


def _usage_in(body: bytes) -> Any:
    """The token counts of an answer that could not be used; None where it holds none."""
    try:
        data = json.loads(body)
    except ValueError:
        return None
    return data.get("usage") if isinstance(data, dict) else None
