"""The openai engine against vLLM's own server, on the CPU, with a packaged model: the numbers are
those of the transformers engine.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# A module of it, so that no folder of that name is taken for it.
pytest.importorskip(
    "vllm.entrypoints", reason="vllm is not installed: `make test-vllm` builds its environment"
)

from support.runs import harness, results, write_config

from harness.config.schema import ModelSpec
from harness.engines import chat_renderer, find_model, open_engine
from harness.errors import ModelError
from harness.items import Choice, Completion, Passage, Sampling

MODEL = "bundled/tiny-qwen"
FOLDER = Path(__file__).resolve().parents[2] / "harness/data/models/tiny-qwen"
WINDOW = 512
KEY = "sk-of-the-test-server"
TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }}{% if not loop.last %} {% endif %}{% endfor %}"
)
"""A chat's texts, one after the other: what the model gets is known without it."""
START = 240
"""Seconds that the server has to start."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's base_url; afterwards no process of it is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--model",
        str(FOLDER),
        "--served-model-name",
        MODEL,
    ]
    command += [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--dtype",
        "float32",
        "--max-model-len",
        str(WINDOW),
        "--enforce-eager",
    ]
    command += ["--api-key", KEY, "--max-num-seqs", "8"]
    env = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }
    folder = tmp_path_factory.mktemp("vllm")
    (folder / "chat.jinja").write_text(TEMPLATE, encoding="utf-8")
    command += ["--chat-template", str(folder / "chat.jinja")]
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env, start_new_session=True)
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        for number in (signal.SIGINT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)


def _wait(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(health, timeout=2):
            return
        time.sleep(0.5)
    pytest.fail(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture
def spec(server: str, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    monkeypatch.setenv("VLLM_TEST_KEY", KEY)
    return ModelSpec(id=MODEL, engine="openai", base_url=server, api_key_env="VLLM_TEST_KEY", tokenizer=MODEL)


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """The same weights in process, with the window that the server leaves to a scored row."""
    engine = open_engine(ModelSpec(id=MODEL, dtype="float32", max_length=WINDOW - 2), device="cpu")
    yield engine
    engine.close()


def by_key(answers: Any) -> dict[str, Any]:
    return {answer.key: answer for answer in answers}


def test_scores_and_likelihoods(spec: ModelSpec, local: Any) -> None:
    choices = [
        Choice(str(n), tuple((f"问题: {n} + 4 = ?\n答案:", f" {m}") for m in (n + 4, n + 5, "北京")))
        for n in range(12)
    ]
    choices += [
        Choice("long", (("Anna has 3 apples. " * 120, "Tom has 5"),)),
        Choice("empty", (("", "Anna"), ("Anna", ""))),
    ]
    passages = [
        Passage("en", "Anna has 3 apples and gives 2 to Tom. " * 80),
        Passage("zh", "小明有三个苹果。"),
    ]
    engine = open_engine(spec)
    try:
        assert engine.info.extra["scoring"] == "prompt_logprobs"
        assert engine.info.versions["vllm"]
        assert engine.info.context_length == WINDOW
        found, right = by_key(engine.score(choices)), by_key(local.score(choices))
        for key, answer in found.items():
            assert answer.logprobs == pytest.approx(right[key].logprobs, abs=1e-3 * max(right[key].lengths))
            assert (answer.greedy, answer.lengths, answer.truncated) == (
                right[key].greedy,
                right[key].lengths,
                right[key].truncated,
            )
        assert len(found) == len(choices)
        for key, told in by_key(engine.perplexity(passages)).items():
            own = by_key(local.perplexity(passages))[key]
            assert told.predicted == own.predicted
            assert abs(told.logprob - own.logprob) / own.predicted < 1e-3
    finally:
        engine.close()


def test_generation(spec: ModelSpec, local: Any) -> None:
    items = [Completion(f"{n}", f"{n} + 4 =", ("\n", "。"), 12) for n in range(10)]
    items += [
        Completion("cut", "Anna has 3 apples. " * 120, (), 20),
        Completion("ids", "", (), 9, prompt_ids=(20, 21, 22), ignore_eos=True),
    ]
    engine = open_engine(spec)
    try:
        found, right = by_key(engine.generate(items)), by_key(local.generate(items))
        for key in map(str, range(10)):
            assert found[key].text == right[key].text
            assert found[key].finish == right[key].finish
            assert found[key].tokens.prompt == right[key].tokens.prompt
        assert found["cut"].truncated > 0
        assert found["cut"].tokens.output <= 20
        assert found["ids"].output_ids == right["ids"].output_ids
        assert found["ids"].finish == "length"
        drawn = [
            Completion(f"{seed}", "Anna", (), 12, Sampling(temperature=1.0, top_p=0.9, top_k=30, seed=seed))
            for seed in (1, 2, 3)
        ]
        once, again = by_key(engine.generate(drawn)), by_key(engine.generate(drawn))
        assert {key: answer.text for key, answer in once.items()} == {
            key: answer.text for key, answer in again.items()
        }
        assert len({answer.text for answer in once.values()}) > 1
    finally:
        engine.close()


def test_chats(spec: ModelSpec, local: Any) -> None:
    plain = spec.model_copy(update={"tokenizer": None, "chat_template": True, "thinking": False})
    render = chat_renderer(plain, find_model(plain))
    engine = open_engine(plain)
    try:
        assert engine.info.extra["api"] == "chat"
        messages = [{"role": "system", "content": "Anna has"}, {"role": "user", "content": "3 apples."}]
        (found,) = engine.generate([Completion("k", render(messages, True), ("\n",), 12)])
        (right,) = local.generate([Completion("k", "Anna has 3 apples.", ("\n",), 12)])
        assert (found.text, found.finish, found.tokens.prompt) == (
            right.text,
            right.finish,
            right.tokens.prompt,
        )
        with pytest.raises(ModelError, match="chats give no log-probabilities"):
            list(engine.score([Choice("k", (("a", "b"),))]))
    finally:
        engine.close()


def test_a_run_and_its_parity(spec: ModelSpec, tmp_path: Path) -> None:
    """From the command line: the endpoint's cells equal the transformers engine's, and the key is
    nowhere.
    """
    tasks = [
        {"task": "zh_arithmetic", "limit": 40},
        {"task": "en_word_problems", "limit": 10},
        {"task": "en_passages", "limit": 5},
    ]
    config = write_config(tmp_path, tasks, [{"preset": "tiny-qwen", "max_length": WINDOW - 2}])
    changes = [
        "engine=openai",
        f"base_url={spec.base_url}",
        f"tokenizer={MODEL}",
        "api_key_env=VLLM_TEST_KEY",
    ]
    against = [part for change in changes for part in ("--against", change)]
    done = harness("parity", config, *against, cwd=tmp_path, VLLM_TEST_KEY=KEY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "trusted? no" not in done.stdout
    (folder,) = [
        path for path in (tmp_path / "results/parity/test").iterdir() if path.name != "as-configured"
    ]
    assert {row["status"] for row in results(folder)["rows"]} == {"ok"}
    assert all(KEY.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
