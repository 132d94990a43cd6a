"""Requests in, outputs out: feeds vLLM's engine step by step, and leaves nothing running behind."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError, ModelError, OutOfMemoryError
from harness.wording import named_line

AHEAD = 2048
"""Requests given to vLLM at a time: more than it runs at once, so that it never waits for us; few
enough to keep memory bounded.
"""
_POLL = 0.5  # seconds between looks at whether the engine core lives


@dataclass(slots=True)
class Request:
    """Token ids and sampling parameters.

    ``payload`` is the caller's; ``arrival`` (seconds after the start) holds it back.
    """

    payload: Any
    ids: list[int]
    params: Any
    arrival: float = 0.0


class Session:
    """One batch of requests on its way: iterating yields (request, output).

    More may be added meanwhile; ending early aborts the rest. ``seconds``: what the output just
    yielded cost, which is the time of vLLM's steps since outputs last ended, shared equally by
    those that ended with it.
    """

    def __init__(self, client: VllmClient, requests: Iterable[Request]) -> None:
        self._client = client
        self._coming = iter(requests)
        self._added: deque[Request] = deque()
        self._later: list[tuple[float, int, Request]] = []
        self._live: dict[str, Request] = {}
        self.seconds = 0.0
        self.origin = time.monotonic()

    def add(self, request: Request) -> None:
        """One more request, sent before those that still wait."""
        self._added.append(request)

    def cancel(self, request: Request) -> None:
        """Ends a request whose further output is not wanted."""
        for name, live in list(self._live.items()):
            if live is request:
                del self._live[name]
                self._client.abort([name])

    def __iter__(self) -> Iterator[tuple[Request, Any]]:
        spent = 0.0
        try:
            while self._feed():
                if not self._live:
                    time.sleep(max(0.0, min(0.01, self._later[0][0] - (time.monotonic() - self.origin))))
                    continue

                started = time.perf_counter()
                outputs = self._client.step()
                spent += time.perf_counter() - started
                ended = sum(output.finished for output in outputs)
                if ended:
                    self.seconds, spent = spent / ended, 0.0

                for output in outputs:
                    request = self._live.get(output.request_id)
                    # A cancelled request may have an output in the same step.
                    if request is None:
                        continue
                    if output.finished:
                        del self._live[output.request_id]
                    yield request, output
        finally:
            self._client.abort(list(self._live))
            self._live.clear()

    def _feed(self) -> bool:
        """Gives vLLM what has arrived, up to AHEAD; false when nothing is left."""
        # Added ones first (they complete an answer that is half there), then those that were held
        # back until now, then the next of those still coming.
        now = time.monotonic() - self.origin
        while len(self._live) < AHEAD:
            if self._added:
                request = self._added.popleft()
            elif self._later and self._later[0][0] <= now:
                request = heapq.heappop(self._later)[2]
            else:
                following = next(self._coming, None)
                if following is None:
                    break
                # The number breaks ties, since requests themselves have no order.
                if following.arrival > now:
                    heapq.heappush(self._later, (following.arrival, self._client.next_number(), following))
                    continue
                request = following

            self._live[self._client.submit(request)] = request
        return bool(self._live or self._later or self._added)


class VllmClient:
    """vLLM's engine behind four verbs.

    A failure of it is a HarnessError of one line, and the same again at every later call.
    """

    def __init__(self, engine: Any, label: str, lora: Any = None) -> None:
        self._engine = engine
        self._label = label
        self._lora = lora
        self._numbers = itertools.count()
        self.broken: HarnessError | None = None
        _wake_when_dead(engine)

    def next_number(self) -> int:
        """Counts up from 0."""
        return next(self._numbers)

    def submit(self, request: Request) -> str:
        """Queues a request; returns its name. Raises ModelError when vLLM refuses it."""
        if self.broken:
            raise self.broken

        name = str(self.next_number())
        try:
            self._engine.add_request(
                name, {"prompt_token_ids": request.ids}, request.params, lora_request=self._lora
            )
        except ValueError as error:
            raise ModelError(
                f"{self._label}: vLLM refuses a request of {len(request.ids)} tokens: {named_line(error)}"
            ) from error
        except Exception as error:
            raise self._breaks(error) from error
        return name

    def step(self) -> list[Any]:
        """One step of the engine: outputs that changed.

        Raises ModelError or OutOfMemoryError when the engine has died.
        """
        if self.broken:
            raise self.broken
        try:
            outputs: list[Any] = self._engine.step()
        except Exception as error:
            raise self._breaks(error) from error
        return outputs

    def abort(self, names: list[str]) -> None:
        """Forgets requests; a dead engine has none."""
        if names and self.broken is None:
            try:
                self._engine.abort_request(names)
            except Exception as error:
                self._breaks(error)

    def _breaks(self, error: Exception) -> HarnessError:
        """Notes a failure, which every later call raises again, in one line."""
        reason = named_line(error)

        # Whichever library ran out of memory, its message says so and its class does not.
        if "out of memory" in str(error).lower() or isinstance(error, MemoryError):
            self.broken = OutOfMemoryError(
                f"{self._label}: vLLM ran out of memory: {reason}; "
                "lower gpu_memory_utilization or max_num_seqs"
            )
        else:
            self.broken = ModelError(
                f"{self._label}: vLLM's engine died while it answered ({reason}); "
                "the same command goes on where it stopped"
            )
        return self.broken


def _wake_when_dead(engine: Any) -> None:
    """Lets a step that waits for output fail when the engine core's process has died.

    vLLM (0.26 to 0.32) notes such a death and closes its sockets, but whoever waits in
    ``get_output`` hears nothing of it and waits for ever.
    """
    # Other versions may have other names, or an engine in this process that cannot die alone.
    core = getattr(engine, "engine_core", None)
    outputs, resources = getattr(core, "outputs_queue", None), getattr(core, "resources", None)
    if outputs is None or resources is None or not hasattr(resources, "engine_dead"):
        return

    # An error in the queue is what vLLM itself hands to whoever waits; only nobody puts it there.
    def watch() -> None:
        while not resources.engine_dead:
            time.sleep(_POLL)
        outputs.put_nowait(RuntimeError("the engine core's process died"))

    threading.Thread(target=watch, daemon=True, name="harness-vllm-death").start()
