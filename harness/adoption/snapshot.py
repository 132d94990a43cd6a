"""A snapshot of the hub: asked page by page, kept page by page, so that a killed one is gone on
with where it was.

While it is taken it lies beside its target as ``.NAME.part``: a header line, the models of each
page, and after each page one line that says where the next begins. What follows the last such line
was half written and is dropped.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from harness.adoption.client import EXPAND, HubClient, Parameters
from harness.adoption.files import SCHEMA, SUFFIXES, plain, row_of, write_snapshot
from harness.adoption.rows import HubModel, of_hub
from harness.errors import ConfigError, DataError
from harness.results.files import disk_errors
from harness.version import __version__

PAGE = 1000
"""Models a page; the hub gives fewer where it wants to."""
STALE = datetime.timedelta(hours=24)
"""An unfinished snapshot older than this is begun anew: its figures would be of two days."""


@dataclass(frozen=True)
class Query:
    """Which models: all of some organisations, or the ``top`` most liked and most downloaded of the
    hub (None: the whole hub).
    """

    organizations: tuple[str, ...] = ()
    top: int | None = 1000

    @property
    def selection(self) -> str:
        """The selection in a word, as `Snapshot` has it."""
        return "organizations" if self.organizations else "whole" if self.top is None else f"top{self.top}"

    def lists(self) -> list[dict[str, str]]:
        """The lists that are asked for one after the other, as the API's parameters."""
        if self.organizations:
            return [{"author": name} for name in self.organizations]
        return [{"sort": "downloads"}] if self.top is None else [{"sort": "likes"}, {"sort": "downloads"}]

    def as_data(self) -> dict[str, Any]:
        """For the header."""
        return {
            "organizations": list(self.organizations),
            "top": None if self.organizations else self.top,
            "expand": list(EXPAND),
        }


@dataclass(frozen=True)
class Taken:
    """What a snapshot holds. ``empty``: organisations of which the hub lists no model;
    ``repeated``: models that came on two pages.
    """

    file: Path
    models: int
    repeated: int
    empty: list[str]
    resumed: bool


@dataclass
class _State:
    """How far the part file is: the list that is asked, its next page, and the models that each
    list has brought.
    """

    place: int = 0
    next: Parameters | None = None
    repeated: int = 0
    seen: list[set[str]] = field(default_factory=list)

    def kept(self) -> set[str]:
        """Every model so far."""
        return set().union(*self.seen)


def take(
    client: HubClient, query: Query, out: Path, progress: Callable[[int, int], None] = lambda models, pages: None, *,
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
) -> Taken:  # fmt: skip
    """Takes a snapshot into ``out`` (.jsonl or .csv.gz), going on with an unfinished one of the
    same query and endpoint.

    ``progress`` hears of models and pages so far. Raises ConfigError for another suffix, a file
    that is there already, or an unfinished snapshot of another query; DataError where the hub
    refuses or repeats itself: what came is kept, and the same call goes on.
    """
    if not out.name.endswith(SUFFIXES):
        raise ConfigError(f"--out {out}: a snapshot is written as {' or '.join(SUFFIXES)}")
    if out.exists():
        raise ConfigError(f"{out} is there already: name another file with --out, or remove it")
    part = out.with_name(f".{out.name}.part")
    head: dict[str, Any] = {
        "record": "part",
        "endpoint": client.where,
        "query": query.as_data(),
        "began": now().isoformat(timespec="seconds"),
    }
    with disk_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a", encoding="utf-8", newline="") as file:
            _lock(file, part)
            found = _resume(part, head, query, now())
            state, head = found or (_State(seen=[set() for _ in query.lists()]), head)
            if found is None:
                file.write(json.dumps(head) + "\n")
            for models, pages in _ask(client, query, state, file):
                progress(models, pages)

    models = len(state.kept())
    header = _header(head, query.selection, models, now())
    write_snapshot(out, header, _kept(part))
    part.unlink()
    empty = [name for name, seen in zip(query.organizations, state.seen, strict=False) if not seen]
    return Taken(out, models, state.repeated, empty, resumed=found is not None)


def _header(head: dict[str, Any], selection: str, models: int, now: datetime.datetime) -> dict[str, Any]:
    """The header record: when and what was asked, how much came, and by which version."""
    return {
        "record": "header",
        "schema_version": SCHEMA,
        "date": head["began"][:10],
        "began": head["began"],
        "ended": now.isoformat(timespec="seconds"),
        "endpoint": head["endpoint"],
        "query": head["query"],
        "selection": selection,
        "models": models,
        "harness": __version__,
    }


def _ask(client: HubClient, query: Query, state: _State, file: IO[str]) -> Iterator[tuple[int, int]]:
    """Asks every page that is missing and writes it; yields models and pages so far.

    Raises DataError.
    """
    lists, known, pages = query.lists(), state.kept(), 0
    top = None if query.organizations else query.top
    while state.place < len(lists):
        seen = state.seen[state.place]
        parameters = state.next or _first(lists[state.place], top)
        page = client.page(parameters)
        fresh = {row.model: row for row in _rows(client, page.entries) if row.model not in seen}
        if page.next is not None and (not fresh or tuple(page.next) == tuple(parameters)):
            raise DataError(
                f"{client.where}: its pages repeat themselves after {len(known)} models; run the same command again later"
            )

        kept = list(fresh.values())[: None if top is None else top - len(seen)]
        state.repeated += len(page.entries) - len(fresh)
        seen.update(row.model for row in kept)
        known.update(row.model for row in kept)
        state.next = None if top is not None and len(seen) >= top else page.next
        mark = {
            "record": "page",
            "list": state.place,
            "next": state.next,
            "repeated": len(page.entries) - len(fresh),
        }
        file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in (*map(plain, kept), mark))
        file.flush()
        os.fsync(file.fileno())

        state.place += state.next is None
        pages += 1
        yield len(known), pages


def _first(given: dict[str, str], top: int | None) -> Parameters:
    size = PAGE if top is None else min(PAGE, top)
    return [*given.items(), ("limit", str(size)), *(("expand", name) for name in EXPAND)]


def _rows(client: HubClient, entries: Iterable[dict[str, Any]]) -> Iterator[HubModel]:
    for entry in entries:
        try:
            yield of_hub(entry)
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError(f"{client.where}: a model that cannot be read: {error}") from error


def _lock(file: IO[str], part: Path) -> None:
    """Holds the part file until it is closed. Raises ConfigError where another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigError(
            f"{part}: another process takes this snapshot; wait for it, or name another --out"
        ) from error


def _resume(
    part: Path, head: dict[str, Any], query: Query, now: datetime.datetime
) -> tuple[_State, dict[str, Any]] | None:
    """The state of an unfinished snapshot, cut after its last whole page. None where there is none,
    or it is of another day.

    Raises ConfigError where it is of another query.
    """
    raw = part.read_bytes()
    first, _, _ = raw.partition(b"\n")
    try:
        known = json.loads(first)
        age = now - datetime.datetime.fromisoformat(known["began"])
        same = (known["endpoint"], known["query"]) == (head["endpoint"], head["query"])
    except (ValueError, KeyError, TypeError):
        os.truncate(part, 0)  # new, or killed within its first line
        return None
    if not same:
        raise ConfigError(
            f"{part} is an unfinished snapshot of another query or endpoint: remove it, or name another file with --out"
        )
    if age > STALE:
        os.truncate(part, 0)
        return None
    return _replay(part, raw, len(query.lists())), known


def _replay(part: Path, raw: bytes, lists: int) -> _State:
    """What the whole pages of a part file say; the file is cut after the last of them."""
    state = _State(seen=[set() for _ in range(lists)])
    end = place = raw.index(b"\n") + 1
    waiting: list[str] = []
    while (stop := raw.find(b"\n", place)) >= 0:
        record = json.loads(raw[place:stop])
        place = stop + 1
        if record.get("record") != "page":
            waiting.append(record["model"])
            continue
        state.seen[record["list"]].update(waiting)
        state.repeated += record["repeated"]
        state.next = (
            tuple((str(key), str(value)) for key, value in record["next"]) if record["next"] else None
        )
        state.place = record["list"] + (state.next is None)
        end, waiting = place, []
    with part.open("r+b") as file:
        file.truncate(end)
    return state


def _kept(part: Path) -> Iterator[HubModel]:
    """The models of a part file, each once."""
    seen: set[str] = set()
    with part.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            record = json.loads(line)
            if "record" not in record and record["model"] not in seen:
                seen.add(record["model"])
                yield row_of(part, number, record)
