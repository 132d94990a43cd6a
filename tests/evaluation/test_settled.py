"""A finished run is repeated without a worker, and never from what has changed since."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.runs import write_config, write_task

from harness.config import load_config
from harness.engines.files import PACKAGED
from harness.evaluation import run_config
from harness.evaluation.inputs import InputWatch, packed, stamps_digest, unpacked
from harness.evaluation.settled import SettledCells
from harness.results.folder import RunFolder
from harness.results.journal import CellRecord, Journal
from harness.tasks import expand
from harness.workers.devices import find_machine
from harness.workers.events import CellEnded, Event, ModelPhase
from harness.workers.schedule import WorkerJob

MODEL = "tiny"


class Listener:
    """Keeps the events of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def event(self, event: Event) -> None:
        self.events.append(event)

    def message(self, text: str) -> None:
        pass

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def write_run(folder: Path, **more: Any) -> Path:
    """A config of one small model from a folder of its own, on an own file and a packaged task."""
    model = {"id": str(folder / "model"), "name": MODEL, "engine": "transformers", "chat_template": False}
    tasks = [{"file": str(folder / "own.jsonl"), "name": "own"}, {"task": "zh_arithmetic"}]
    return write_config(folder, tasks, [model], **{"limit": 3, "meter": False, **more})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run in ``run``."""
    folder = tmp_path_factory.mktemp("settled")
    shutil.copytree(PACKAGED / "tiny-qwen", folder / "model")
    write_task(folder, "own", 5)
    config = write_run(folder)
    time.sleep(0.05)
    outcome = run_config(load_config(config), out=folder / "run")
    assert outcome.exit_code == 0
    return folder


@pytest.fixture
def run(finished: Path) -> Iterator[Path]:
    """The same, put back as it was when a test has changed a file."""
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    yield finished
    for path, data in before.items():
        if path.suffix != ".sqlite" and (not path.is_file() or path.read_bytes() != data):
            path.write_bytes(data)
    restamp(finished)


def restamp(folder: Path) -> None:
    """Notes today's stamps of the same files, as a worker would that read them again."""
    journal = Journal(RunFolder(folder / "run").journal)
    key = f"settled:{MODEL}:0/1"
    entry = journal.meta(key)
    inputs = entry["inputs"]
    inputs["stamps"] = {name: stamps_digest(unpacked(journal.meta(name))) for name in inputs["stamps"]}
    inputs["written"] = stamps_digest(str(folder / "run" / name) for name in inputs["outputs"])
    journal.put_meta(key, entry)
    journal.close()


def settled(folder: Path, config: Path | None = None) -> list[CellRecord] | None:
    """What the next run of the config would take as it stands; None where it starts a worker."""
    loaded = load_config(config or folder / "config.yaml")
    out = RunFolder(folder / "run")
    names = [task.name for task in expand(loaded.config.tasks, limit=None, base_dir=loaded.base_dir).tasks]
    journal = Journal(out.journal)
    try:
        cells = SettledCells(loaded, find_machine("cpu"), out, journal)
        return cells.cells(WorkerJob(MODEL, 0, 0, 1), names)
    finally:
        journal.close()


def test_a_finished_run_starts_no_worker(run: Path) -> None:
    first = settled(run)
    assert first is not None
    assert [cell.task for cell in first] == ["own", "zh_arithmetic"]
    listener = Listener()
    outcome = run_config(load_config(run / "config.yaml"), out=run / "run", reporter=listener)
    assert outcome.exit_code == 0
    assert len(outcome.results.rows) >= 2
    assert not [event for event in listener.events if isinstance(event, ModelPhase)]
    ended = [event for event in listener.events if isinstance(event, CellEnded)]
    assert [event.before for event in ended] == [True, True]
    assert settled(run) is not None


def edit_data(folder: Path) -> None:
    """One letter, and the old time of change put back."""
    path = folder / "own.jsonl"
    stat = path.stat()
    path.write_text(path.read_text("utf-8").replace("第 1 题", "第 9 题"), "utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def edit_weights(folder: Path) -> None:
    path = folder / "model" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def edit_template(folder: Path) -> None:
    path = folder / "model" / "tokenizer_config.json"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")


def add_template(folder: Path) -> None:
    (folder / "model" / "chat_template.jinja").write_text("{{ messages }}", "utf-8")


def lose_samples(folder: Path) -> None:
    next((folder / "run" / "samples").rglob("*.parquet")).unlink()


def touch_samples(folder: Path) -> None:
    next((folder / "run" / "samples").rglob("*.parquet")).write_bytes(b"")


@pytest.mark.parametrize(
    "change", [edit_data, edit_weights, edit_template, add_template, lose_samples, touch_samples]
)
def test_a_changed_file_is_looked_at_again(run: Path, change: Callable[[Path], None]) -> None:
    assert settled(run) is not None
    change(run)
    assert settled(run) is None
    (run / "model" / "chat_template.jinja").unlink(missing_ok=True)


@pytest.mark.parametrize(
    "more",
    [
        {"limit": 4},
        {"seed": 5},
        {"date": "2020-01-01"},
        {"fewshot_as_multiturn": False},
        {"meter": True},
        {"usd_per_hour": 2.0},
    ],
    ids=str,
)
def test_a_changed_config_is_looked_at_again(run: Path, tmp_path: Path, more: dict[str, Any]) -> None:
    config = write_run(run, **more).rename(tmp_path / "config.yaml")
    write_run(run)
    assert settled(run) is not None
    assert settled(run, config) is None


def test_thresholds_and_other_models_change_no_cell(run: Path, tmp_path: Path) -> None:
    expect = [{"model": MODEL, "task": "own", "metric": "acc", "min": 1.1}]
    config = write_run(run, expect=expect).rename(tmp_path / "config.yaml")
    write_run(run)
    assert settled(run, config) is not None
    # The threshold itself is compared anew, without a worker.
    assert run_config(load_config(config), out=run / "run").exit_code == 3


def test_versions_and_environment_count(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = importlib.metadata.version
    with monkeypatch.context() as patch:
        patch.setattr(importlib.metadata, "version", lambda name: "9" if name == "torch" else original(name))
        assert settled(run) is None
    with monkeypatch.context() as patch:
        patch.setenv("HF_ENDPOINT", "https://elsewhere")
        assert settled(run) is None
    assert settled(run) is not None


def test_what_was_looked_for_in_vain_may_come(tmp_path: Path) -> None:
    watch = InputWatch()
    watch.hear("harness.looked_for", (str(tmp_path / "later"),))
    watch.begin += 10**9
    before = watch.record(tmp_path / "run")
    (tmp_path / "later").mkdir()
    watch.begin = time.time_ns() + 10**9
    after = watch.record(tmp_path / "run")
    assert before
    assert after
    assert before["stamps"] != after["stamps"]


def test_a_file_younger_than_its_reader_is_not_trusted(tmp_path: Path) -> None:
    watch = InputWatch()
    (tmp_path / "data").write_text("old")
    watch.hear("open", (str(tmp_path / "data"), "r", 0))
    assert watch.record(tmp_path / "run") is None


def test_data_of_the_hub_is_trusted_by_its_commit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    assert watched(("hub", "some/data", "abc")).commits == {"some/data": "abc"}
    assert watched(("hub", "some/data", "abc")).lasting
    for origin in ("cache", "missing", "modelscope", "custom"):
        assert not watched((origin, "some/data", "abc")).lasting

    # With the hub forbidden, the cache is all that the next run would read, too.
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert watched(("missing", "some/data", None)).lasting
    assert watched(("cache", "some/data", None)).lasting
    assert not watched(("modelscope", "some/data", None), ("cache", "some/data", None)).lasting


def watched(*data: tuple[str, str, str | None]) -> InputWatch:
    """A watch that has heard of these data sets."""
    watch = InputWatch()
    for details in data:
        watch.hear("harness.data", details)
    return watch


def test_only_reading_is_an_input(tmp_path: Path) -> None:
    watch = InputWatch()
    watch.hear("open", (str(tmp_path / "a"), "w", 0))
    watch.hear("open", (str(tmp_path / "b"), None, os.O_RDWR | os.O_CREAT))
    watch.hear("open", (3, "r", 0))
    watch.hear("open", (b"/c", "rb", 0))
    watch.hear("os.listdir", (None,))
    watch.hear("os.scandir", (str(tmp_path),))
    assert watch.opened == {"/c"}
    assert watch.listed == {str(tmp_path)}
    assert unpacked(packed(["/c", "/数据"])) == ["/c", "/数据"]
