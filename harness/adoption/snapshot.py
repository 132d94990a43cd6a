"""A snapshot of the hub, asked and stored page by page.

One that was killed continues where it stopped. While it is taken it lies beside its target as
``.NAME.part``: a header line, the models of each page, and after each page one line that says where
the next begins. What follows the last such line was half written and is dropped.
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
"""Models per page; the hub gives fewer where it wants to."""
STALE = datetime.timedelta(hours=24)
"""An unfinished snapshot older than this is begun anew: its figures would be of two days."""


@dataclass(frozen=True)
class Query:
    """Which models a snapshot asks for.

    All of some organisations, or the ``top`` most liked and most downloaded of the hub (None: the
    whole hub).
    """

    organizations: tuple[str, ...] = ()
    top: int | None = 1000

    @property
    def selection(self) -> str:
        """The selection in a word, as `Snapshot` has it."""
        return "organizations" if self.organizations else "whole" if self.top is None else f"top{self.top}"

    def lists(self) -> list[dict[str, str]]:
        """The lists that are fetched one after the other, as the API's parameters."""
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
class TakenSnapshot:
    """What a snapshot holds.

    ``empty``: organisations of which the hub lists no model; ``repeated``: models that came on two
    pages.
    """

    file: Path
    models: int
    repeated: int
    empty: list[str]
    resumed: bool


@dataclass
class _State:
    """How far the part file is.

    The list that is fetched, its next page, and the models that each list has brought.
    """

    position: int = 0
    next: Parameters | None = None
    repeated: int = 0
    models: list[set[str]] = field(default_factory=list)

    def every_model(self) -> set[str]:
        """Every model so far."""
        return set().union(*self.models)


def take(
    client: HubClient,
    query: Query,
    out: Path,
    progress: Callable[[int, int], None] = lambda models, pages: None,
    *,
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
) -> TakenSnapshot:
    """Takes a snapshot into ``out`` (.jsonl or .csv.gz).

    An unfinished one of the same query and endpoint is continued. ``progress`` hears of models and
    pages so far. Raises ConfigError for another suffix, a file that is there already, or an
    unfinished snapshot of another query; DataError where the hub refuses or repeats itself: what
    came is stored, and the same call continues.
    """
    _check_target(out)
    part = out.with_name(f".{out.name}.part")
    head: dict[str, Any] = {
        "record": "part",
        "endpoint": client.where,
        "query": query.as_data(),
        "began": now().isoformat(timespec="seconds"),
    }

    # Appended and locked before it is read: two processes must not take one snapshot.
    with disk_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a", encoding="utf-8", newline="") as file:
            _lock(file, part)
            resumed = _resume(part, head, query, now())
            state, head = resumed or (_State(models=[set() for _ in query.lists()]), head)
            if resumed is None:
                file.write(json.dumps(head) + "\n")
            for models, pages in _ask(client, query, state, file):
                progress(models, pages)

    models = len(state.every_model())
    header = _header(head, query.selection, models, now())
    write_snapshot(out, header, _stored(part))
    part.unlink()
    empty = [name for name, names in zip(query.organizations, state.models, strict=False) if not names]
    return TakenSnapshot(out, models, state.repeated, empty, resumed=resumed is not None)


def _check_target(out: Path) -> None:
    if not out.name.endswith(SUFFIXES):
        raise ConfigError(f"--out {out}: a snapshot is written as {' or '.join(SUFFIXES)}")
    if out.exists():
        raise ConfigError(f"{out} is there already: name another file with --out, or remove it")


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
    lists, all_models, pages = query.lists(), state.every_model(), 0
    top = None if query.organizations else query.top
    while state.position < len(lists):
        models_of_list = state.models[state.position]
        parameters = state.next or _first(lists[state.position], top)

        page = client.page(parameters)
        fresh = {row.model: row for row in _rows(client, page.entries) if row.model not in models_of_list}

        # A cursor that leads back would be followed for ever.
        if page.next is not None and (not fresh or tuple(page.next) == tuple(parameters)):
            raise DataError(
                f"{client.where}: its pages repeat themselves after {len(all_models)} models; run"
                f" the same command again later"
            )

        rows = list(fresh.values())[: None if top is None else top - len(models_of_list)]
        state.repeated += len(page.entries) - len(fresh)
        models_of_list.update(row.model for row in rows)
        all_models.update(row.model for row in rows)
        state.next = None if top is not None and len(models_of_list) >= top else page.next

        mark = {"list": state.position, "next": state.next, "repeated": len(page.entries) - len(fresh)}
        _write_page(file, rows, mark)
        state.position += state.next is None
        pages += 1
        yield len(all_models), pages


def _write_page(file: IO[str], rows: Iterable[HubModel], mark: dict[str, Any]) -> None:
    """The rows of a page, then the mark that makes them count, on the disk before the next page."""
    records = (*map(plain, rows), {"record": "page"} | mark)
    file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    file.flush()
    os.fsync(file.fileno())


def _first(list_parameters: dict[str, str], top: int | None) -> Parameters:
    size = PAGE if top is None else min(PAGE, top)
    return [*list_parameters.items(), ("limit", str(size)), *(("expand", name) for name in EXPAND)]


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
    """The state of an unfinished snapshot, cut after its last whole page.

    None where there is none, or it is of another day. Raises ConfigError where it is of another
    query.
    """
    raw = part.read_bytes()
    first, _, _ = raw.partition(b"\n")
    try:
        earlier = json.loads(first)
        age = now - datetime.datetime.fromisoformat(earlier["began"])
        same = (earlier["endpoint"], earlier["query"]) == (head["endpoint"], head["query"])
    except (ValueError, KeyError, TypeError):
        os.truncate(part, 0)  # new, or killed within its first line
        return None

    if not same:
        raise ConfigError(
            f"{part} is an unfinished snapshot of another query or endpoint: remove it, or name"
            f" another file with --out"
        )
    if age > STALE:
        os.truncate(part, 0)
        return None
    return _replay(part, raw, len(query.lists())), earlier


def _replay(part: Path, raw: bytes, lists: int) -> _State:
    """What the whole pages of a part file say; the file is cut after the last of them."""
    state = _State(models=[set() for _ in range(lists)])
    end = position = raw.index(b"\n") + 1

    waiting: list[str] = []
    while (stop := raw.find(b"\n", position)) >= 0:
        record = json.loads(raw[position:stop])
        position = stop + 1

        # Models count once their page's mark follows.
        if record.get("record") != "page":
            waiting.append(record["model"])
            continue
        state.models[record["list"]].update(waiting)
        state.repeated += record["repeated"]
        state.next = (
            tuple((str(key), str(value)) for key, value in record["next"]) if record["next"] else None
        )
        state.position = record["list"] + (state.next is None)
        end, waiting = position, []

    with part.open("r+b") as file:
        file.truncate(end)
    return state


def _stored(part: Path) -> Iterator[HubModel]:
    """The models of a part file, each once."""
    names: set[str] = set()
    with part.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            record = json.loads(line)
            if "record" not in record and record["model"] not in names:
                names.add(record["model"])
                yield row_of(part, number, record)
