"""Many items asked at once by threads, each answer handed on when it is there; what fails fails
alone.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from harness.engines.openai.endpoint import EndpointError

GIVE_UP = 3
"""So many items in a row (but no fewer than are in flight) that were tried in vain, and the
endpoint counts as gone.
"""
Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Pool(Generic[Asked, Given]):
    """Asks ``work(item, stop)`` for every item on ``threads`` threads.

    The threads are daemons: no late answer holds up an exit.
    """

    def __init__(self, work: Callable[[Asked, threading.Event], Given], threads: int) -> None:
        self._work, self._threads = work, threads

    def run(self, items: Sequence[Asked]) -> Iterator[Given]:
        """Answers in order of arrival. Raises EndpointError after the last answer that could be
        had, with the first failure's reason.
        """
        todo, done, stop = deque(items), queue.Queue[Given | BaseException](), threading.Event()
        # A plain loop of threads: the executors of the standard library wait for theirs at exit, and a
        # request to an endpoint that hangs would hold the program for minutes.
        count = min(self._threads, len(items))
        for _ in range(count):
            threading.Thread(target=self._serve, args=(todo, done, stop), daemon=True).start()

        failures: list[EndpointError] = []
        finished = answered = row = 0
        try:
            # What is in flight is taken also after a stop: a thread takes its item before it looks
            # at the flag.
            while finished < len(items) - len(todo) if stop.is_set() else finished < len(items):
                outcome = done.get()
                finished += 1
                if isinstance(outcome, EndpointError):
                    failures.append(outcome)
                    row = row + 1 if outcome.tired else row
                    if row >= max(GIVE_UP, count):
                        stop.set()
                elif isinstance(outcome, BaseException):
                    raise outcome
                else:
                    row, answered = 0, answered + 1
                    yield outcome
        finally:
            stop.set()

        if failures:
            raise _summary(failures, len(items) - answered, len(items))

    def _serve(
        self, todo: deque[Asked], done: queue.Queue[Given | BaseException], stop: threading.Event
    ) -> None:
        while not stop.is_set():
            try:
                item = todo.popleft()
            except IndexError:
                return

            try:
                done.put(self._work(item, stop))
            except BaseException as error:
                if isinstance(error, EndpointError) and error.fatal:
                    # here, not where it is read: no thread may take another item meanwhile
                    stop.set()
                done.put(error)


def _summary(failures: Sequence[EndpointError], missing: int, asked: int) -> EndpointError:
    """The reason that weighs most: what ended the run, else the first."""
    first = next((failure for failure in failures if failure.fatal), failures[0])
    if asked == 1 or first.fatal:
        return EndpointError(str(first), fatal=first.fatal)
    return EndpointError(f"{missing} of {asked} items were not answered; the first reason: {first}")
