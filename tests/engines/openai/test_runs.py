"""Whole runs over an endpoint, from the command line: faults end a cell at most, the same command
goes on, the key is nowhere.
"""

from __future__ import annotations

import json
import signal
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from support.endpoint import Behaviour, Server
from support.runs import harness, read_samples, results, start, write_config, write_task

from harness.engines.transformers.engine import TransformersEngine

pytestmark = pytest.mark.slow
SECRET = "sk-very-secret-0123456789"


def endpoint(server: Server, **more: Any) -> dict[str, Any]:
    args = {"backoff": 0.02, "concurrency": 2, **more.pop("engine_args", {})}
    model = {
        "id": server.name,
        "engine": "openai",
        "base_url": server.url,
        "chat_template": False,
        "tokenizer": "bundled/tiny-qwen",
    }
    return model | {"max_new_tokens": 8, "engine_args": args, **more}


def two_tasks(folder: Path, rows: int) -> list[dict[str, Any]]:
    return [
        {"file": str(write_task(folder, "picks", rows))},
        {"file": str(write_task(folder, "texts", rows, "text"))},
    ]


def statuses(folder: Path) -> dict[str, tuple[str, int]]:
    return {row["task"]: (row["status"], row["n"]) for row in results(folder)["rows"]}


def without_work(samples: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Samples with the log-probabilities rounded: sums in another order differ in the last
    digit.
    """
    for rows in samples.values():
        for row in rows:
            row["logprobs"] = [round(value, 3) for value in row["logprobs"]]
    return samples


def test_faults_fail_a_cell_and_the_same_command_goes_on(tmp_path: Path, qwen: TransformersEngine) -> None:
    faults = [*[None] * 9, *["500", "half", "html", "nothing", None, "429"] * 3]
    with Server(qwen, "tiny", Behaviour(faults=deque(faults))) as server:
        config = write_config(
            tmp_path, two_tasks(tmp_path, 12), [endpoint(server, engine_args={"retries": 0})]
        )
        first = harness("run", config, "--out", "torn", cwd=tmp_path)
        assert first.returncode == 1
        assert "items were not answered" in first.stdout + first.stderr
        assert "Traceback" not in first.stdout + first.stderr
        torn = statuses(tmp_path / "torn")
        assert torn["picks"][0] == "failed"
        assert 0 < torn["picks"][1] < 12
        kept = torn["picks"][1] + torn["texts"][1]
        server.behaviour.faults.clear()
        before = len(server.posts())
        assert harness("run", config, "--out", "torn", cwd=tmp_path).returncode == 0
        assert statuses(tmp_path / "torn") == {"picks": ("ok", 12), "texts": ("ok", 12)}
        missing_pairs = 3 * (12 - torn["picks"][1]) + (12 - torn["texts"][1])
        assert len(server.posts()) - before == missing_pairs + 4, (
            "what was kept is not asked again; four requests are the probe"
        )
        assert kept > 0
        assert harness("run", config, "--out", "whole", cwd=tmp_path).returncode == 0
        assert without_work(read_samples(tmp_path / "torn")) == without_work(read_samples(tmp_path / "whole"))
        asked = len(server.requests)
        assert harness("run", config, "--out", "whole", cwd=tmp_path).returncode == 0
        assert len(server.requests) == asked, "a finished run needs no server"


def test_a_server_that_goes_away_and_comes_back(tmp_path: Path, qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny") as server:
        port = server.port
        config = write_config(
            tmp_path, two_tasks(tmp_path, 40), [endpoint(server, engine_args={"retries": 1})]
        )
        run = start("run", config, cwd=tmp_path)
        while len(server.posts()) < 20 and run.poll() is None:
            time.sleep(0.02)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 1, err
    assert "is the server started" in out + err or "the connection ended" in out + err
    done = statuses(tmp_path / "results/test")
    assert 0 < done["picks"][1] < 40
    with Server(qwen, "tiny", port=port):
        assert harness("run", config, cwd=tmp_path).returncode == 0
    assert statuses(tmp_path / "results/test") == {"picks": ("ok", 40), "texts": ("ok", 40)}


def test_ctrl_c_keeps_what_there_is(tmp_path: Path, qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(slow=0.2)) as server:
        server.behaviour.faults.extend(["slow"] * 1000)
        config = write_config(tmp_path, two_tasks(tmp_path, 60), [endpoint(server)])
        run = start("run", config, cwd=tmp_path)
        while len(server.posts()) < 12 and run.poll() is None:
            time.sleep(0.02)
        begun = time.monotonic()
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
        assert run.returncode == 130, err
        assert time.monotonic() - begun < 20
        status, n = statuses(tmp_path / "results/test")["picks"]
        assert status == "partial"
        assert 0 < n < 60
        server.behaviour.faults.clear()
        assert harness("run", config, cwd=tmp_path).returncode == 0


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("right", [True, False])
def test_the_key_is_nowhere(tmp_path: Path, qwen: TransformersEngine, right: bool) -> None:
    """Also where the server refuses it and repeats it in its answer."""
    with Server(
        qwen, "tiny", Behaviour(key=SECRET if right else "another", faults=deque([None] * 4 + ["500", "400"]))
    ) as server:
        (tmp_path / "work").mkdir()
        model = endpoint(server, api_key_env="MY_ENDPOINT_KEY")
        config = write_config(tmp_path / "work", two_tasks(tmp_path / "work", 4), [model])
        done = harness("run", config, cwd=tmp_path / "work", MY_ENDPOINT_KEY=SECRET, HARNESS_DEBUG="1")
        assert len(server.requests) > 0
        assert done.returncode == 1
        assert ("the key in MY_ENDPOINT_KEY was refused" in done.stdout + done.stderr) is not right
        kept = everything(tmp_path / "work")
        assert b"MY_ENDPOINT_KEY" in kept, "the name is kept, and is looked for in the right files"
        for part in (SECRET, SECRET[3:]):
            assert part.encode() not in kept
            assert part not in done.stdout + done.stderr
        manifest = json.loads((tmp_path / "work/results/test/manifest.json").read_text())
        assert (
            manifest["models"]["tiny"]["engine"]["endpoint"] == f"127.0.0.1:{server.port}/v1"
            if right
            else True
        )


def test_a_chat_model_is_refused_scoring_and_does_the_rest(
    tmp_path: Path, distill: TransformersEngine
) -> None:
    with Server(distill, "tiny") as server:
        model = endpoint(server, chat_template=True)
        del model["tokenizer"]
        config = write_config(tmp_path, two_tasks(tmp_path, 3), [model])
        done = harness("run", config, cwd=tmp_path)
        assert done.returncode == 1
        rows = {row["task"]: row for row in results(tmp_path / "results/test")["rows"]}
        assert rows["texts"]["status"] == "ok"
        assert rows["picks"]["status"] == "failed"
        assert "tokenizer" in rows["picks"]["reason"]
        assert all(request.path.endswith("/chat/completions") for request in server.posts())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_url": None}, "engine: openai asks an endpoint; say its base_url"),
        ({"engine": "mock"}, "base_url belongs to an engine that asks an endpoint"),
        ({"base_url": f"http://me:{SECRET}@127.0.0.1/v1"}, "without user, password or query"),
        ({"base_url": f"http://127.0.0.1/v1?key={SECRET}"}, "without user, password or query"),
        ({"base_url": "127.0.0.1:8000"}, "expected http"),
        ({"api_key_env": SECRET}, "the name of an environment variable"),
    ],
)
def test_mistakes_are_found_before_anything_is_asked(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    model = {"id": "tiny", "engine": "openai", "base_url": "http://127.0.0.1:9/v1", **change}
    config = write_config(
        tmp_path, ["zh_reading"], [{key: value for key, value in model.items() if value is not None}]
    )
    done = harness("plan", config, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_plan_loads_and_asks_nothing(tmp_path: Path) -> None:
    model = {"id": "tiny", "engine": "openai", "base_url": "http://127.0.0.1:9/v1"}
    done = harness("plan", write_config(tmp_path, ["zh_reading"], [model]), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "answers at http://127.0.0.1:9/v1" in done.stdout


def test_what_was_not_sent_stands_under_the_table_also_after_the_run_goes_on(
    tmp_path: Path, qwen: TransformersEngine
) -> None:
    """The second session asks for log-probabilities only, and would see nothing of it."""
    behaviour = Behaviour(defaults={"repetition_penalty": 1.7}, owned_by="vllm")
    with Server(qwen, "tiny", behaviour) as server:
        model = endpoint(server, engine_args={"omit": ["repetition_penalty"]})
        picks, writes = two_tasks(tmp_path, 3)
        first = harness("run", write_config(tmp_path, [writes], [model]), "--out", "out", cwd=tmp_path)
        assert "server's defaults: repetition_penalty" in first.stdout, first.stdout + first.stderr
        both = harness("run", write_config(tmp_path, [writes, picks], [model]), "--out", "out", cwd=tmp_path)
        assert both.returncode == 0, both.stderr
        assert "server's defaults: repetition_penalty" in both.stdout
        manifest = json.loads((tmp_path / "out/manifest.json").read_text())
        assert manifest["sanity"]["clean"] is False
        assert manifest["sanity"]["checks"]["defaults"]["state"] == "warning"
