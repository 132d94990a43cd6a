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
from harness.engines.tokenizer import ChatTemplate
from harness.engines.transformers.engine import TransformersEngine
from harness.items import Completion, Sampling, ThinkTags
from harness.thoughts import scan
from support.endpoint_logprobs import MODEL_LOCK, echo, prompt_logprobs


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
    always: str | None = None


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
            self._send_bytes(*_refusal(behaviour, refused, body), {})
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
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client did not wait: nobody is left to tell
            self.close_connection = True


def _refusal(behaviour: Behaviour, refused: list[str], body: dict[str, Any]) -> tuple[int, bytes]:
    """HTTP status and body for fields that are not taken."""
    if behaviour.strict:
        told = [
            {
                "type": "extra_forbidden",
                "loc": ["body", name],
                "msg": "Extra inputs are not permitted",
                "input": body[name],
            }
            for name in refused
        ]
        return 422, json.dumps({"detail": told}).encode()
    text = f"Unrecognized request argument supplied: {refused[0]}"
    if refused[0] == "max_tokens":
        text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    return 400, json.dumps(
        {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": None}}
    ).encode()


def complete(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """A plain completion."""
    prompt, behaviour = body["prompt"], server.behaviour
    if isinstance(prompt, str):
        ids = server.engine.encoder.encode([prompt])[prompt]
    elif behaviour.ids:
        ids = list(prompt)
    else:
        raise ValueError("prompt: expected a string")
    choice, written = _written(server, body, ids)
    if "prompt_logprobs" in body and "prompt_logprobs" in behaviour.scoring:
        choice["prompt_logprobs"] = prompt_logprobs(server, ids)
    if body.get("echo") and "echo" in behaviour.scoring:
        choice["logprobs"] = echo(server, ids)
    return _reply("text_completion", choice, len(ids), written)


def chat(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """A chat completion, through the model's own template."""
    thinking = body.get("chat_template_kwargs", {}).get("enable_thinking")
    prompt = ChatTemplate(server.engine.encoder, thinking)(
        body["messages"], body.get("add_generation_prompt", True)
    )
    ids = server.engine.encoder.encode([prompt])[prompt]
    choice, written = _written(server, body, ids)
    message = {"role": "assistant", "content": choice.pop("text")}
    if server.behaviour.reasoning:
        text = message["content"]
        tags = ThinkTags("<think>", "</think>", opened=prompt.rstrip().endswith("<think>"))
        start = scan(text, tags).start
        thought, answer = (text, None) if start is None else (text[:start], text[start:])
        bare = thought.strip().removeprefix("<think>").removesuffix("</think>")
        message |= {"content": answer, server.behaviour.reasoning: bare}
    return _reply("chat.completion", choice | {"message": message}, len(ids), written)


def _written(server: Server, body: dict[str, Any], ids: list[int]) -> tuple[dict[str, Any], int]:
    budget = body.get("max_completion_tokens") or body.get("max_tokens") or 16
    if server.behaviour.max_model_len and len(ids) + budget > server.behaviour.max_model_len:
        raise ValueError(
            f"maximum context length is {server.behaviour.max_model_len} tokens, asked for {len(ids)} + {budget}"
        )
    told = (
        {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0, "seed": 0}
        | server.behaviour.defaults
        | body
    )
    sampling = Sampling(
        told["temperature"], told["top_p"], max(told["top_k"], 0), told["repetition_penalty"], told["seed"]
    )
    item = Completion(
        "k",
        "",
        tuple(body.get("stop", ())),
        budget,
        sampling,
        prompt_ids=tuple(ids),
        ignore_eos=body.get("ignore_eos", False),
    )
    with MODEL_LOCK:
        (answer,) = server.engine.generate([item])
    text = answer.text
    for special in server.behaviour.specials if body.get("skip_special_tokens", True) else ():
        text = text.replace(special, "")
    choice: dict[str, Any] = {
        "index": 0,
        "text": text,
        "finish_reason": "length" if answer.finish == "length" else "stop",
    }
    if body.get("return_token_ids"):
        choice["token_ids"] = list(answer.output_ids or ())
    return choice, answer.tokens.output


def _reply(kind: str, choice: dict[str, Any], prompt: int, written: int) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
    return {"id": "x", "object": kind, "choices": [choice], "usage": usage}
