"""A download's progress, from a hub on loopback that serves one model slowly."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.hub import downloads, presence
from harness.hub.downloads import watched
from harness.hub.models import Wanted, fetch

COMMIT = "c0ffee" + "0" * 34
FILES = {"config.json": b"{}", "tokenizer.json": b"[]", "model.safetensors": b"x" * 60_000}


class _Handler(BaseHTTPRequestHandler):
    """As much of the hub as ``snapshot_download`` asks."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def _headers(self, status: int, size: int, **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self._headers(200, len(body), Content_Type="application/json")
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self._file(body=False)

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            entries = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in FILES.items()
            ]
            self._json(entries)
        elif self.path.startswith("/api/models/"):
            siblings = [{"rfilename": name} for name in FILES]
            self._json({"id": "org/big", "sha": COMMIT, "siblings": siblings, "private": False})
        else:
            self._file(body=True)

    def _file(self, *, body: bool) -> None:
        data = FILES.get(self.path.rpartition("/")[2])
        if data is None:
            self._headers(200 if self.path == "/" else 404, 0)
            return
        etag = f'"{hashlib.sha1(data).hexdigest()}"'
        self._headers(200, len(data), ETag=etag, X_Repo_Commit=COMMIT)
        if body:
            for begin in range(0, len(data), 10_000):
                self.wfile.write(data[begin : begin + 10_000])
                self.wfile.flush()
                time.sleep(0.02)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    from huggingface_hub import constants

    monkeypatch.setenv("HF_ENDPOINT", url)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HARNESS_HUB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    presence.silence_of.cache_clear()
    yield url
    server.shutdown()
    server.server_close()


def test_a_download_is_seen_as_it_grows(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 0.0)
    monkeypatch.setattr(downloads, "EVERY", 0.0)
    reports: list[tuple[int, int]] = []
    wanted = Wanted(None, weights=True, code=False)
    with watched(lambda done, total: reports.append((done, total)), 100_000):
        folder, revision, origin = fetch("org/big", wanted, None)
    assert (revision, origin) == (COMMIT, "hub")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES

    sizes = [done for done, _ in reports]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) >= 3
    assert sizes[-1] == sum(map(len, FILES.values()))
    assert {total for _, total in reports} == {100_000}


def test_a_quick_download_is_not_worth_a_line_and_a_second_one_is_the_cache(hub: str) -> None:
    reports: list[tuple[int, int]] = []
    wanted = Wanted(None, weights=True, code=False)
    with watched(lambda done, total: reports.append((done, total)), None):
        folder, _, origin = fetch("org/big", wanted, None)
    assert (origin, reports) == ("hub", [])
    assert fetch("org/big", wanted, None) == (folder, COMMIT, "cache")


def test_nothing_is_drawn(hub: str, capfd: pytest.CaptureFixture[str]) -> None:
    with watched(lambda done, total: None, None):
        fetch("org/big", Wanted(None, weights=True, code=False), None)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_a_whole_snapshot_stands_in_for_a_hub_that_went_away(
    hub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Wanted(None, weights=True, code=False)
    folder, _, _ = fetch("org/big", wanted, None)
    monkeypatch.setattr(presence, "silence_of", lambda address: "no route")
    assert fetch("org/big", wanted, None) == (folder, COMMIT, "cache")
