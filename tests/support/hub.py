"""A hub on loopback: lists models page by page as ``/api/models`` does, and fails on request.

The wire format is the real hub's: ``expand`` names fields, ``limit`` the page's size, ``sort`` and
``author`` choose, and the next page is named in the ``Link`` header by an opaque cursor.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


@dataclass
class Behaviour:
    """What goes wrong. ``faults``: one is used up by each request, in order; None is an answer as
    usual.

    Faults: 429 (without a pause), 429-after (Retry-After: 1), 429-limit (the hub's RateLimit
    header: 1 s), 429-long (Retry-After: 3600), 500, 404, half, nothing, html, object, number.
    ``repeat``: every page names itself as the next. ``stuck``: the same models under ever new
    cursors. ``overlap``: each page begins with the last model of the page before. ``elsewhere``:
    the next page is named at another host.
    """

    faults: deque[str | None] = field(default_factory=deque)
    token: str | None = None
    most: int = 1000
    repeat: bool = False
    stuck: bool = False
    overlap: bool = False
    elsewhere: bool = False
    slow: float = 0.0


@dataclass(frozen=True)
class Request:
    """One request as it came: when (monotonic seconds), its parameters, the token it brought."""

    when: float
    query: dict[str, list[str]]
    token: str | None


class Hub:
    """The server, as a context manager. ``requests`` is what it was asked."""

    def __init__(self, models: list[dict[str, Any]], behaviour: Behaviour | None = None) -> None:
        self.models, self.behaviour = models, behaviour or Behaviour()
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        handler = type("Bound", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Hub:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()


def model(name: str, likes: int, downloads: int, **more: Any) -> dict[str, Any]:
    """A model as the hub keeps it."""
    entry = {
        "_id": f"{abs(hash(name)):024x}"[:24],
        "id": name,
        "author": name.split("/")[0],
        "likes": likes,
        "downloads": downloads,
        "downloadsAllTime": 10 * downloads,
        "createdAt": "2025-01-20T03:46:07.000Z",
        "pipeline_tag": "text-generation",
        "tags": ["transformers", "safetensors", "license:mit", "region:us"],
        "safetensors": {"parameters": {"BF16": 7}, "total": 7},
        "library_name": "transformers",
        "private": False,
    }
    return entry | more


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: Hub

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        behaviour = self.owner.behaviour
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        with self.owner.lock:
            self.owner.requests.append(Request(time.monotonic(), query, token))
            fault = behaviour.faults.popleft() if behaviour.faults else None
        time.sleep(behaviour.slow)
        if behaviour.token is not None and token is not None and token != behaviour.token:
            self._send(401, {"error": f"Invalid credentials in Authorization header: {token}"})
        elif parts.path != "/api/models":
            self._send(404, {"error": "Not found"})
        elif fault in ("429", "429-after", "429-limit", "429-long"):
            headers = {
                "429-after": {"Retry-After": "1"},
                "429-limit": {"RateLimit": '"api";r=0;t=1'},
                "429-long": {"Retry-After": "3600"},
            }
            self._send(429, {"error": "We had to rate limit your IP."}, headers.get(fault))
        elif fault in ("500", "404"):
            self._send(int(fault), {"error": f"as asked, for {token}"})
        elif fault == "nothing":
            self.close_connection = True
        elif fault == "html":
            self._bytes(200, b"<html>gateway</html>", {})
        elif fault == "object":
            self._send(200, {"error": "soon"})
        else:
            self._page(query, fault)

    def _page(self, query: dict[str, list[str]], fault: str | None) -> None:
        owner, behaviour = self.owner, self.owner.behaviour
        found = [one for one in owner.models if query.get("author", [one["author"]])[0] == one["author"]]
        if "sort" in query:
            found = sorted(found, key=lambda one: -one[query["sort"][0]])
        size = min(int(query.get("limit", ["30"])[0]), behaviour.most)
        begin = int(base64.b64decode(query["cursor"][0]).decode().split("#")[0]) if "cursor" in query else 0
        page = found[max(0, begin - behaviour.overlap) : begin + size] if begin else found[:size]
        fields = {"_id", "id", *query.get("expand", [])}
        answer: Any = [{key: value for key, value in one.items() if key in fields} for one in page]
        if fault == "number":
            answer[0]["likes"] = "many"
        following = begin if behaviour.repeat or behaviour.stuck else begin + size
        headers = {}
        if following < len(found):
            mark = f"{following}#{len(owner.requests)}" if behaviour.stuck else str(following)
            cursor = base64.b64encode(mark.encode()).decode()
            rest = {key: values for key, values in query.items() if key != "cursor"} | {"cursor": [cursor]}
            host = "https://hub.invalid" if behaviour.elsewhere else owner.url
            headers["Link"] = f'<{host}/api/models?{urlencode(rest, doseq=True)}>; rel="next"'
        self._bytes(200, json.dumps(answer).encode(), headers, half=fault == "half")

    def _send(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        self._bytes(status, json.dumps(data).encode(), headers or {})

    def _bytes(self, status: int, data: bytes, headers: dict[str, str], half: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if half else data)
        self.close_connection = self.close_connection or half
