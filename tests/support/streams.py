"""A server on loopback that answers each POST with the next of some scripts: bytes, pauses, and how
the connection ends.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from harness.config.schema import ModelSpec

USAGE = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}


@dataclass
class Script:
    """``parts`` are sent one after another, a number is a pause in seconds.

    ``cut``: the connection breaks behind the last part, whose body was promised to go on.
    """

    parts: Sequence[bytes | float] = ()
    status: int = 200
    kind: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


def event(data: Any) -> bytes:
    """One event of a stream."""
    return b"data: " + (data if isinstance(data, str) else json.dumps(data)).encode() + b"\n\n"


def delta(content: Any = None, finish: str | None = None, **more: Any) -> bytes:
    """One chunk of a chat."""
    fields = more if content is None else {"content": content, **more}
    return event({"model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": finish}]})


def counted(usage: Any = USAGE) -> bytes:
    """The chunk that holds the token counts."""
    return event({"model": "m", "choices": [], "usage": usage})


def chat(*texts: str, pause: float = 0.0, usage: Any = USAGE) -> Script:
    """A usual stream: the role first, then texts with pauses before them, the end, the counts."""
    parts: list[bytes | float] = [delta("", role="assistant")]
    for text in texts:
        parts += [pause, delta(text)]
    return Script([*parts, delta("", "stop"), *([counted(usage)] if usage else []), event("[DONE]")])


def refused(status: int, message: str) -> Script:
    """An error in OpenAI's words."""
    return Script([json.dumps({"error": {"message": message}}).encode()], status, "application/json")


class ScriptedServer:
    """As a context manager. ``bodies`` is what it was asked, ``connections`` how often one was
    opened; the last script repeats."""

    def __init__(self, *scripts: Script, models: Sequence[str] = ("m",)) -> None:
        self.scripts, self.models = deque(scripts), list(models)
        self.bodies: list[dict[str, Any]] = []
        self.connections = 0
        self.lock = threading.Lock()
        handler = type("Bound", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> ScriptedServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def spec(self, **more: Any) -> ModelSpec:
        """A chat model of this server."""
        quick = {"backoff": 0.02, "concurrency": 1, **more.pop("engine_args", {})}
        plain: dict[str, Any] = {"id": "m", "engine": "openai", "base_url": self.url, "chat_template": True}
        return ModelSpec(**plain | {"engine_args": quick} | more)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: ScriptedServer

    def setup(self) -> None:
        super().setup()
        self.owner.connections += 1

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        data = json.dumps({"data": [{"id": name} for name in self.owner.models]}).encode()
        self.send_response(200 if self.path == "/v1/models" else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.owner.lock:
            self.owner.bodies.append(body)
            scripts = self.owner.scripts
            script = scripts.popleft() if len(scripts) > 1 else scripts[0]
        self.send_response(script.status)
        for name, value in {"Content-Type": script.kind, **script.headers}.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for part in script.parts:
                if isinstance(part, bytes):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                else:
                    time.sleep(part)
            if script.cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:  # the client did not wait
            self.close_connection = True
