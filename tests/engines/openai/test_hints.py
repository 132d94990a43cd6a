"""A wrong address, key or model: one line that says what to write."""

from __future__ import annotations

import pytest
from support.endpoint import Behaviour, Server
from support.streams import ScriptedServer, refused

from harness.engines import open_engine
from harness.engines.openai.endpoint import Endpoint, EndpointError
from harness.engines.openai.refusing import Refusals
from harness.engines.transformers.engine import TransformersEngine
from harness.errors import ModelError
from harness.items import Completion

ITEM = Completion("k", "q", (), 4)


def line(server: ScriptedServer, **more: object) -> str:
    """The one line of an engine that cannot be opened, or cannot answer."""
    quick = {"engine_args": {"backoff": 0.01, "retries": 1}}
    with pytest.raises(ModelError) as problem:
        list(open_engine(server.spec(**quick | more)).generate([ITEM]))
    assert "\n" not in str(problem.value)
    return str(problem.value)


@pytest.mark.parametrize("tail", ["", "/"])
def test_without_v1(tail: str) -> None:
    with ScriptedServer(refused(404, "Not Found")) as server:
        root = server.url.removesuffix("/v1")
        assert f"did you mean base_url: {root}/v1" in line(server, base_url=root + tail)


@pytest.mark.parametrize("tail", ["/chat/completions", "/completions", "/models", "/chat/completions/"])
def test_a_pasted_resource(tail: str) -> None:
    with ScriptedServer(refused(404, "Not Found")) as server:
        text = line(server, base_url=server.url + tail)
        assert text.endswith(f"say base_url: {server.url}")


def test_a_trailing_slash_is_no_mistake() -> None:
    with ScriptedServer(refused(400, "as asked")) as server:
        assert "as asked" in line(server, base_url=server.url + "/")


def test_https_where_the_server_speaks_http() -> None:
    with ScriptedServer(refused(404, "Not Found")) as server:
        text = line(server, base_url=server.url.replace("http", "https"))
        assert f"say base_url: {server.url}" in text


@pytest.mark.parametrize(
    "words",
    ["The plain HTTP request was sent to HTTPS port", "Client sent an HTTP request to an HTTPS server."],
)
def test_http_where_the_server_speaks_https(words: str) -> None:
    refusals = Refusals(Endpoint("http://a.example/v1", None, "KEY"))
    error = refusals.of_status(400, {}, words, "/models", ())
    assert str(error).endswith("; say base_url: https://a.example/v1")


def test_nobody_there() -> None:
    with ScriptedServer(refused(404, "Not Found")) as server:
        pass
    assert "is the server started, and base_url right" in line(server)


def test_a_web_page(qwen: TransformersEngine) -> None:
    with Server(qwen, "tiny", Behaviour(lists=False, home="<html>hello</html>")) as server:
        with pytest.raises(ModelError, match="a web page's address: say that of the API") as problem:
            open_engine(server.spec())
        assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "The model `n` does not exist."),
        (400, "Model Not Exist"),
        (404, "The model 'n' does not exist or you do not have access to it."),
        (400, "model_not_found"),
        (400, "模型不存在"),
    ],
)
def test_an_unknown_model_names_those_that_are_there(status: int, words: str) -> None:
    with ScriptedServer(refused(status, words), models=("qwen3-8b", "glm-4")) as server:
        text = line(server, id="n")
        assert "say id: one of qwen3-8b, glm-4" in text
        assert len(server.bodies) == 1, "no other request would be answered"


def test_no_key_and_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ScriptedServer(refused(401, "missing")) as server:
        assert "set OPENAI_API_KEY (export OPENAI_API_KEY=…)" in line(server)
        monkeypatch.setenv("MY_KEY", "sk-wrong")
        text = line(server, api_key_env="MY_KEY")
    assert "the key in MY_KEY was refused" in text
    assert "sk-wrong" not in text


def test_a_refusal_of_a_value_is_no_unknown_model() -> None:
    refusals = Refusals(Endpoint("http://a.example/v1", None, "KEY"))
    error = refusals.of_status(400, {}, "temperature 0 is not supported by this model", "/x", ("m",))
    assert isinstance(error, EndpointError)
    assert not error.fatal
