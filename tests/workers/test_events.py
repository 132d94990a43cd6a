"""Events over the wire: what is sent arrives as it was, and what is not understood is a note."""

from __future__ import annotations

import io
import json

import pytest

from harness.workers.events import (
    KINDS,
    CellEnded,
    CellProgress,
    CommandAnswered,
    CommandRefused,
    Event,
    EventDecoder,
    ModelPhase,
    RunPlanned,
    WorkerExited,
    WorkerFailed,
    WorkerNote,
    WorkerStarted,
    encode_event,
)
from harness.workers.stream import EventStream

EVENTS: list[Event] = [
    WorkerStarted(7),
    RunPlanned(("one", "two"), ("a",), 2),
    ModelPhase("m", "files"),
    CellProgress("m", "a", 3, 10),
    CellEnded("m", "a", "ok", metric="acc", value=0.5, n=4, ci95=(0.1, 0.9)),
    CellEnded("m", "a", "failed", reason="a half character: \udc80, 中文, a line\nbreak"),
    WorkerNote("see the log"),
    WorkerFailed("no such model"),
    CommandAnswered({"walls": [1.0, 2.0], "info": {"engine": "mock"}}),
    CommandRefused("ClockError", "the clock stood still"),
    WorkerExited("m", 1, "killed", -9),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_arrives_as_it_was(event: Event) -> None:
    line = encode_event(event)
    assert "\n" not in line
    assert line.isascii()
    assert EventDecoder().decode(line) == (event,)


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(KINDS) == 14
    assert all(KINDS[kind.kind] is kind for kind in KINDS.values())


@pytest.mark.parametrize("line", ["Loading weights: 100%", '["event"]', '{"pid": 1}', '{"event": 3}', ""])
def test_other_lines_are_no_events(line: str) -> None:
    assert EventDecoder().decode(line) == ()


def test_an_unknown_event_is_a_note_once() -> None:
    decoder = EventDecoder()
    line = json.dumps({"event": "heartbeat", "seconds": 3})
    (note,) = decoder.decode(line)
    assert isinstance(note, WorkerNote)
    assert "heartbeat" in note.text
    assert decoder.decode(line) == ()


def test_an_unknown_field_is_dropped_with_a_note() -> None:
    decoder = EventDecoder()
    line = json.dumps({"event": "started", "pid": 3, "host": "node7"})
    event, note = decoder.decode(line)
    assert event == WorkerStarted(3)
    assert isinstance(note, WorkerNote)
    assert "host" in note.text
    assert decoder.decode(line) == (WorkerStarted(3),)


def test_an_event_that_lacks_a_field_is_left_out_with_a_note() -> None:
    (note,) = EventDecoder().decode('{"event": "cell-progress", "model": "m", "task": "a"}')
    assert isinstance(note, WorkerNote)
    assert "done, total" in note.text


def test_progress_is_sent_ten_times_per_second_at_most() -> None:
    stream = io.StringIO()
    events = EventStream(stream)
    for done in range(1, 1001):
        events.progress(CellProgress("m", "a", done, 1000), force=done == 1000)
    lines = stream.getvalue().splitlines()
    assert len(lines) < 20
    assert EventDecoder().decode(lines[-1]) == (CellProgress("m", "a", 1000, 1000),)


def test_a_parent_that_is_gone_stops_nothing() -> None:
    stream = io.StringIO()
    events = EventStream(stream)
    stream.close()
    events.send(WorkerNote("nobody hears this"))
