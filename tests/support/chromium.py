"""A headless Chromium driven over its debugging pipe: no driver, no port, no further package."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--mute-audio",
)


def find_chromium() -> str | None:
    """The browser's path, if there is one."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )


class Browser:
    """One page.

    ``requests`` are the addresses it asked for, ``complaints`` its console errors, exceptions and
    policy violations.
    """

    def __init__(self, profile: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._events: list[str] = []
        self._profile, self._session = profile, ""
        self._numbers, self._rest = itertools.count(1), b""

    def __enter__(self) -> Browser:
        path = find_chromium()
        assert path is not None, "asked for only where there is one"
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # the browser reads commands from file 3 and writes answers to file 4
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        command = [
            "bash",
            "-c",
            shell,
            "chromium",
            path,
            *FLAGS,
            "--remote-debugging-pipe",
            f"--user-data-dir={self._profile}",
        ]
        self._process = subprocess.Popen(
            command,
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer; events that come meanwhile are kept.

        Raises RuntimeError where the browser refuses.
        """
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params} | (
            {"sessionId": self._session} if self._session else {}
        )
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self, seconds: float = 60) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            part = os.read(self._in, 1 << 20) if ready else b""
            if not part:
                raise RuntimeError("the browser does not answer")
            self._rest += part
        head, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(head)
        if "method" in message:
            self._note(message["method"], message["params"])
        return message

    def _note(self, method: str, params: Mapping[str, Any]) -> None:
        self._events.append(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" or (
            method == "Runtime.consoleAPICalled" and params["type"] == "error"
        ):
            self.complaints.append(str(params))

    def open(self, file: Path) -> float:
        """Loads a file and returns the seconds until its load event."""
        self._events.clear()
        begin = time.monotonic()
        self.send("Page.navigate", url=file.resolve().as_uri())
        while "Page.loadEventFired" not in self._events:
            self._read()
        return time.monotonic() - begin

    def run(self, script: str) -> Any:
        """The value of an expression in the page. Raises RuntimeError where it throws."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"].get("description"))
        return found["result"].get("value")

    def key(self, char: str) -> None:
        """Presses and releases a key that types ``char``."""
        named = {"\t": ("Tab", 9), "\r": ("Enter", 13)}.get(char)
        facts = {"key": named[0], "windowsVirtualKeyCode": named[1]} if named else {"key": char}
        self.send(
            "Input.dispatchKeyEvent", type="keyDown", **({} if char == "\t" else {"text": char}), **facts
        )
        self.send("Input.dispatchKeyEvent", type="keyUp", **facts)

    def look(self, width: int, scheme: str = "light", height: int = 900) -> None:
        """Sets the window's size and the colour scheme that the system asks for."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, file: Path, height: int | None = None) -> None:
        """A screenshot as PNG, of the whole page or of its first ``height`` pixels."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": size["width"],
            "height": min(size["height"], height or 1e9),
            "scale": 1,
        }
        found = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(found["data"]))
