"""An OpenAI-compatible server on loopback, backed by a real model, that fails on request.

It speaks as much of the wire format as an engine may ask for: ``/v1/models``, ``/v1/completions``
(text or token ids, ``echo`` with ``logprobs``, vLLM's ``prompt_logprobs``) and
``/v1/chat/completions`` (with the model's own template, thoughts cut out or not).
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from harness.config.schema import ModelSpec
from harness.engines import open_engine
from harness.engines.transformers.engine import TransformersEngine
from support.endpoint_answers import chat, chunks, complete, refusal


@dataclass
class Behaviour:
    """What the server can do, and what goes wrong. ``faults``: one is used up by each POST, in
    order; None is an answer as usual.

    Faults: 429, 429-after (with Retry-After: 1), 429-long (with Retry-After: 3600), 500, 400, half,
    nothing, slow, html, hollow, and mappings, which are sent as they are under HTTP 200.
    ``refuses``: fields answered with HTTP 400 in OpenAI's words, or, with ``strict``, with HTTP 422
    in FastAPI's. ``defaults``: what a server fills into a request that does not say it (vLLM: from
    generation_config.json). ``roles``: those that its template knows. ``padding``: how it falsifies
    a prompt's log-probabilities. ``specials``: texts that it takes for special tokens and leaves
    out unless told not to. ``edit``: what becomes of an answer before it is sent.
    ``streams``: whether it heeds ``stream``.
    """

    scoring: tuple[str, ...] = ("prompt_logprobs", "echo")
    ids: bool = True
    reasoning: str | None = None
    key: str | None = None
    max_model_len: int | None = None
    refuses: tuple[str, ...] = ()
    strict: bool = False
    top_k_from: int | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    roles: tuple[str, ...] = ("system", "user", "assistant")
    owned_by: str = "tests"
    padding: str | None = None
    edit: Callable[[dict[str, Any]], Any] | None = None
    home: str | None = None
    lists: bool = True
    specials: tuple[str, ...] = ()
    slow: float = 2.0
    wrong: float = 0.0
    faults: deque[Any] = field(default_factory=deque)
    always: str | dict[str, Any] | None = None
    streams: bool = False


@dataclass(frozen=True)
class Request:
    """One request as it came: when (monotonic seconds), where, what."""

    when: float
    path: str
    body: dict[str, Any]


class Server:
    """The server, as a context manager. ``requests`` is what it was asked."""

    def __init__(
        self, engine: TransformersEngine, name: str, behaviour: Behaviour | None = None, port: int = 0
    ) -> None:
        self.engine, self.name, self.behaviour = engine, name, behaviour or Behaviour()
        self.requests: list[Request] = []
        self.flying = self.most_flying = 0
        self.gone = False
        self.lock = threading.Lock()
        handler = type("Bound", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    @property
    def port(self) -> int:
        return self._http.server_port

    def __enter__(self) -> Server:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gone = True  # connections that are open still lead to threads
        self._http.shutdown()
        self._http.server_close()

    def posts(self, path: str = "") -> list[Request]:
        return [request for request in self.requests if request.body and request.path.endswith(path)]

    def spec(self, **more: Any) -> ModelSpec:
        quick = {"backoff": 0.02, **more.pop("engine_args", {})}
        return ModelSpec(id=self.name, engine="openai", base_url=self.url, engine_args=quick, **more)


def load(name: str = "tiny-qwen") -> TransformersEngine:
    """A packaged model in fp32 behind the project's own engine."""
    engine = open_engine(ModelSpec(id=f"bundled/{name}", dtype="float32"), device="cpu")
    assert isinstance(engine, TransformersEngine)
    return engine


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement
    owner: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        if self.owner.gone:
            self.close_connection = True
            return
        self._note({})
        if not self._known():
            return
        if self.path == "/v1/models" and self.owner.behaviour.lists:
            entry: dict[str, Any] = {
                "id": self.owner.name,
                "object": "model",
                "owned_by": self.owner.behaviour.owned_by,
            }
            if self.owner.behaviour.max_model_len:
                entry["max_model_len"] = self.owner.behaviour.max_model_len
            self._send(200, {"object": "list", "data": [entry]})
        elif self.owner.behaviour.home:
            self._send_bytes(200, self.owner.behaviour.home.encode(), {"Content-Type": "text/html"})
        else:
            self._send(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.owner.gone:
            self.close_connection = True
            return
        with self.owner.lock:
            self.owner.flying += 1
            self.owner.most_flying = max(self.owner.most_flying, self.owner.flying)
        try:
            self._note(body)
            if self._known():
                self._post(body)
        finally:
            with self.owner.lock:
                self.owner.flying -= 1

    def _post(self, body: dict[str, Any]) -> None:
        behaviour = self.owner.behaviour
        with self.owner.lock:
            fault = behaviour.always or (behaviour.faults.popleft() if behaviour.faults else None)
        if not self.path.startswith("/v1/"):
            self._send(404, {"detail": "Not Found"})
        elif isinstance(fault, dict | list):
            self._send(200, fault)
        elif fault in ("429", "500", "400"):
            self._send(int(fault), {"error": {"message": f"as asked: {fault}"}})
        elif fault in ("429-after", "429-long"):
            self._send(
                429,
                {"error": {"message": "slow down"}},
                {"Retry-After": "1" if fault == "429-after" else "3600"},
            )
        elif fault == "nothing":
            self.close_connection = True
        elif fault == "html":
            self._send_bytes(200, b"<html>gateway</html>", {})
        elif fault == "hollow":
            self._send(200, {"object": "text_completion", "choices": []})
        elif body.get("model") != self.owner.name:
            self._send(
                404, {"error": {"message": f"The model {body.get('model')!r} does not exist.", "code": 404}}
            )
        elif refused := [name for name in behaviour.refuses if name in body]:
            self._send_bytes(*refusal(behaviour, refused, body), {})
        elif behaviour.top_k_from is not None and body.get("top_k", 1) < behaviour.top_k_from:
            self._send(
                400,
                {
                    "error": {
                        "message": f"top_k must be at least {behaviour.top_k_from}, got {body['top_k']}."
                    }
                },
            )
        elif strange := {one["role"] for one in body.get("messages", ())} - set(behaviour.roles):
            self._send(
                400,
                {"error": {"message": f"{sorted(strange)[0].capitalize()} role not supported", "code": 400}},
            )
        else:
            if fault == "slow":
                time.sleep(behaviour.slow)
            if self.owner.gone:  # the test is over, and the next one may use the same model
                self.close_connection = True
                return
            self._answer(body, fault == "half")

    def _answer(self, body: dict[str, Any], half: bool) -> None:
        try:
            answer = (
                chat(self.owner, body)
                if self.path.endswith("/chat/completions")
                else complete(self.owner, body)
            )
        except ValueError as error:
            self._send(400, {"error": {"message": str(error)}})
            return
        if self.owner.behaviour.edit:
            answer = self.owner.behaviour.edit(answer)
        if body.get("stream") and self.owner.behaviour.streams and not half:
            events = [*(json.dumps(chunk) for chunk in chunks(answer)), "[DONE]"]
            whole = "".join(f"data: {event}\n\n" for event in events).encode()
            self._send_bytes(200, whole, {"Content-Type": "text/event-stream"})
            return
        data = json.dumps(answer).encode()
        if not half:
            self._send_bytes(200, data, {})
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.close_connection = True

    def _note(self, body: dict[str, Any]) -> None:
        with self.owner.lock:
            self.owner.requests.append(Request(time.monotonic(), self.path, body))

    def _known(self) -> bool:
        """Refuses a wrong key, and repeats it in its answer as careless servers do."""
        key, given = self.owner.behaviour.key, self.headers.get("Authorization", "")
        if key is None or given == f"Bearer {key}":
            return True
        self._send(
            401,
            {
                "error": {
                    "message": f"Incorrect API key provided: {given.removeprefix('Bearer ')}",
                    "code": "invalid_api_key",
                }
            },
        )
        return False

    def _send(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(data).encode(), headers or {})

    def _send_bytes(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client did not wait: nobody is left to tell
            self.close_connection = True
