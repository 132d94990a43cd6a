"""Snapshots against a hub on loopback: pages, failures, politeness, and what a kill leaves."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from support.hub import Behaviour, Hub, model
from support.mirror import ROOT

from harness.adoption import read_snapshots
from harness.adoption.client import EXPAND, HubClient, Manners
from harness.adoption.snapshot import Query, take
from harness.errors import ConfigError, DataError

QUICK = Manners(pause=0.0, retries=3, backoff=0.01, max_wait=30.0, timeout=5.0)
MODELS = [model(f"org-{place % 3}/model-{place}", 100 + place, 5000 - 7 * place) for place in range(25)]


def snap(hub: Hub, out: Path, query: Query | None = None, **more: Any) -> Any:
    with HubClient(hub.url, more.pop("token", None), more.pop("manners", QUICK), **more) as client:
        return take(client, query or Query(("org-0", "org-1")), out)


def names(path: Path) -> set[str]:
    return {row.model for one in read_snapshots([path]) for row in one.rows}


@pytest.mark.parametrize("suffix", [".jsonl", ".csv.gz"])
def test_all_pages_of_organisations(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"x{suffix}"
    with Hub(MODELS, Behaviour(most=4)) as hub:
        done = snap(hub, out)
    assert (done.models, done.repeated, done.empty, done.resumed) == (17, 0, [], False)
    (found,) = read_snapshots([out])
    wanted = {one["id"]: one for one in MODELS if one["author"] in ("org-0", "org-1")}
    assert {row.model for row in found.rows} == set(wanted)
    for row in found.rows:
        raw = wanted[row.model]
        assert (row.likes, row.downloads_30d, row.downloads_all) == (
            raw["likes"],
            raw["downloads"],
            raw["downloadsAllTime"],
        )
        assert (row.created, row.parameters, row.licence) == (datetime.date(2025, 1, 20), 7, "mit")
    assert found.header["endpoint"] == hub.url.removeprefix("http://")
    assert (found.header["models"], found.header["query"]["organizations"]) == (17, ["org-0", "org-1"])
    assert found.date == datetime.datetime.fromisoformat(found.header["began"]).date()
    assert found.header["harness"]
    assert [path.name for path in tmp_path.iterdir()] == [out.name]  # nothing is left beside it
    assert hub.requests[0].query["expand"] == list(EXPAND)
    assert hub.requests[0].query["limit"] == ["1000"]


def test_the_top_is_cut_and_joined(tmp_path: Path) -> None:
    with Hub(MODELS, Behaviour(most=3)) as hub:
        snap(hub, tmp_path / "x.jsonl", Query(top=5))
    liked = {f"org-{place % 3}/model-{place}" for place in range(20, 25)}
    loaded = {f"org-{place % 3}/model-{place}" for place in range(5)}
    assert names(tmp_path / "x.jsonl") == liked | loaded
    assert read_snapshots([tmp_path / "x.jsonl"])[0].selection == "top5"


@pytest.mark.parametrize(
    "fault", ["429", "429-after", "429-limit", "500", "half", "nothing", "html", "object"]
)
def test_what_passes_is_asked_again(tmp_path: Path, fault: str) -> None:
    heard: list[str] = []
    with Hub(MODELS, Behaviour(most=4, faults=deque([None, fault, fault]))) as hub:
        done = snap(hub, tmp_path / "x.jsonl", said=heard.append)
    assert done.models == 17
    assert len(heard) == 2
    times = [one.when for one in hub.requests]
    if fault in ("429-after", "429-limit"):  # what the hub asks for is waited
        assert times[2] - times[1] >= 1
        assert times[3] - times[2] >= 1
        assert "asking again in 1 s" in heard[0]


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (["500"] * 4, "HTTP 500, 4 times"),
        (["html"] * 4, "not JSON, 4 times"),
        (["half"] * 4, "ended before the whole answer, 4 times"),
        (["429-long"], "asks to wait 3600 s; run the same command again after that"),
        (["404"], "HTTP 404"),
        (["number"], "likes is 'many', not a count"),
    ],
)
def test_what_does_not_pass_is_one_line_and_keeps_what_came(
    tmp_path: Path, faults: list[str], said: str
) -> None:
    out = tmp_path / "x.jsonl"
    with Hub(MODELS, Behaviour(most=4, faults=deque([None, None, *faults]))) as hub:
        with pytest.raises(DataError) as error:
            snap(hub, out)
        assert said in str(error.value)
        assert "\n" not in str(error.value)
        assert not out.exists()
        asked = len(hub.requests)
        # the hub is well again: the same call goes on, and asks nothing twice
        done = snap(hub, out)
        again = [one.query.get("cursor", [""])[0] + one.query["author"][0] for one in hub.requests[asked:]]
    first = [one.query.get("cursor", [""])[0] + one.query["author"][0] for one in hub.requests[:2]]
    assert (done.models, done.resumed) == (17, True)
    assert not set(again) & set(first)


@pytest.mark.parametrize("fault", ["repeat", "stuck"])
def test_pages_that_repeat_themselves_end(tmp_path: Path, fault: str) -> None:
    behaviour = Behaviour(most=4)
    setattr(behaviour, fault, True)
    with Hub(MODELS, behaviour) as hub:
        with pytest.raises(DataError, match="pages repeat themselves after 4 models"):
            snap(hub, tmp_path / "x.jsonl")
        assert len(hub.requests) == 2


def test_a_model_on_two_pages_is_kept_once(tmp_path: Path) -> None:
    with Hub(MODELS, Behaviour(most=4, overlap=True)) as hub:
        done = snap(hub, tmp_path / "x.jsonl")
    assert (done.models, done.repeated) == (17, 3)
    assert len(read_snapshots([tmp_path / "x.jsonl"])[0].rows) == 17


def test_the_token_goes_nowhere_else(tmp_path: Path) -> None:
    """A mirror may name the hub itself in its Link header: only the cursor is taken from there."""
    with Hub(MODELS, Behaviour(most=4, elsewhere=True, token="hf_secret")) as hub:
        done = snap(hub, tmp_path / "x.jsonl", token="hf_secret")
        assert {one.token for one in hub.requests} == {"hf_secret"}
    assert done.models == 17
    assert "hf_secret" not in (tmp_path / "x.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("faults", [[], ["404"]])
def test_a_refusal_does_not_repeat_the_token(tmp_path: Path, faults: list[str]) -> None:
    right = "hf_secret" if faults else "another"
    with (
        Hub(MODELS, Behaviour(token=right, faults=deque(faults))) as hub,
        pytest.raises(DataError, match="HF_TOKEN was refused" if not faults else "HTTP 404") as error,
    ):
        snap(hub, tmp_path / "x.jsonl", token="hf_secret")
    assert "hf_secret" not in str(error.value)


def test_pages_keep_their_distance(tmp_path: Path) -> None:
    waits: list[float] = []
    with Hub(MODELS, Behaviour(most=4)) as hub:
        snap(hub, tmp_path / "x.jsonl", manners=Manners(pause=0.7), sleep=waits.append)
    assert waits == [0.7] * (len(hub.requests) - 1)


def test_an_organisation_without_models_is_named(tmp_path: Path) -> None:
    with Hub(MODELS) as hub:
        done = snap(hub, tmp_path / "x.jsonl", Query(("org-0", "nobody")))
    assert (done.models, done.empty) == (9, ["nobody"])


@pytest.mark.parametrize(
    ("out", "said"), [("x.txt", "is written as .jsonl or .csv.gz"), ("there.jsonl", "is there already")]
)
def test_a_wrong_target_asks_nothing(tmp_path: Path, out: str, said: str) -> None:
    (tmp_path / "there.jsonl").write_text("mine", encoding="utf-8")
    with Hub(MODELS) as hub, pytest.raises(ConfigError, match=said):
        snap(hub, tmp_path / out)
    assert not hub.requests
    assert (tmp_path / "there.jsonl").read_text(encoding="utf-8") == "mine"


def _cut_short(hub: Hub, out: Path, query: Query | None = None) -> Path:
    hub.behaviour.faults = deque([None, None, "404"])
    with pytest.raises(DataError):
        snap(hub, out, query)
    return out.with_name(f".{out.name}.part")


def test_another_query_does_not_go_on_with_it(tmp_path: Path) -> None:
    out = tmp_path / "x.jsonl"
    with Hub(MODELS, Behaviour(most=4)) as hub:
        part = _cut_short(hub, out)
        before = part.read_bytes()
        with pytest.raises(ConfigError, match="of another query"):
            snap(hub, out, Query(("org-2",)))
    assert part.read_bytes() == before


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "x.jsonl"
    refused: list[str] = []

    def meanwhile(models: int, pages: int) -> None:
        with pytest.raises(ConfigError) as error:
            snap(hub, out)
        refused.append(str(error.value))

    with Hub(MODELS, Behaviour(most=9)) as hub, HubClient(hub.url, manners=QUICK) as client:
        done = take(client, Query(("org-0",)), out, meanwhile)
    assert done.models == 9
    assert refused
    assert all("another process takes this snapshot" in text for text in refused)


def test_a_snapshot_of_yesterday_is_begun_anew(tmp_path: Path) -> None:
    """Likes of two days in one list would belong to neither."""
    out = tmp_path / "x.jsonl"
    with Hub(MODELS, Behaviour(most=4)) as hub:
        part = _cut_short(hub, out)
        head, _, rest = part.read_text(encoding="utf-8").partition("\n")
        old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=25)
        part.write_text(
            json.dumps(json.loads(head) | {"began": old.isoformat()}) + "\n" + rest, encoding="utf-8"
        )
        done = snap(hub, out)
    assert (done.models, done.resumed) == (17, False)


@pytest.mark.parametrize("cut", [1, 40, 200, 700, 1500, 2600])
def test_a_part_file_cut_anywhere_is_gone_on_with(tmp_path: Path, cut: int) -> None:
    out = tmp_path / "x.jsonl"
    with Hub(MODELS, Behaviour(most=4)) as hub:
        part = _cut_short(hub, out)
        whole = part.read_bytes()
        part.write_bytes(whole[: min(cut, len(whole))])
        done = snap(hub, out)
    assert done.models == 17
    assert names(out) == {one["id"] for one in MODELS if one["author"] in ("org-0", "org-1")}


@pytest.mark.slow
def test_a_killed_command_goes_on(tmp_path: Path) -> None:
    """SIGKILL in the middle, as a machine that goes down; the second call asks only what is
    missing.
    """
    out = tmp_path / "x.jsonl"
    models = [model(f"org/model-{place:03}", place, place) for place in range(200)]
    command = [
        sys.executable,
        "-m",
        "harness.cli.main",
        "adoption",
        "snapshot",
        "--org",
        "org",
        "--out",
        str(out),
        "--pause",
        "0",
    ]
    with Hub(models, Behaviour(most=5, slow=0.05)) as hub:
        settings = {**os.environ, "HF_ENDPOINT": hub.url, "PYTHONPATH": str(ROOT)}
        settings = {
            key: value for key, value in settings.items() if key not in ("HF_HUB_OFFLINE", "HF_TOKEN")
        }
        process = subprocess.Popen(
            command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 60
        while len(hub.requests) < 6 and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        asked = len(hub.requests)
        assert 6 <= asked < 40
        assert not out.exists()
        hub.behaviour.slow = 0.0
        time.sleep(0.2)
        done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "200 models" in done.stdout
        assert "begun by an earlier call" in done.stdout
        # the page that was under way may come again
        assert len(hub.requests) - asked <= 40 - asked + 3
    assert names(out) == {one["id"] for one in models}


@pytest.mark.slow
def test_the_environment_is_heeded(tmp_path: Path) -> None:
    def called(*more: str, **settings: str) -> subprocess.CompletedProcess[str]:
        known = {
            key: value
            for key, value in os.environ.items()
            if key not in ("HF_HUB_OFFLINE", "HF_TOKEN", "HF_ENDPOINT")
        }
        command = [sys.executable, "-m", "harness.cli.main", "adoption", "snapshot", *more]
        environment = {**known, "PYTHONPATH": str(ROOT), **settings}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
        )

    with Hub(MODELS, Behaviour(token="hf_secret")) as hub:
        assert called("--org", "org-0", HF_ENDPOINT=hub.url, HF_TOKEN="hf_secret").returncode == 0
        assert {one.token for one in hub.requests} == {"hf_secret"}
        offline = called("--org", "org-0", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
        assert (offline.returncode, "HF_HUB_OFFLINE is set" in offline.stderr) == (2, True)
        wrong = called("--org", "org-0", HF_ENDPOINT="hub.example")
        assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
        assert "expected an address like https://" in wrong.stderr
    (made,) = (tmp_path / "results" / "adoption").iterdir()
    assert made.name == f"org-0-{datetime.datetime.now(datetime.UTC).date()}.jsonl"
    with contextlib.suppress(FileNotFoundError):
        assert not list((tmp_path / "results" / "adoption").glob(".*.part"))
