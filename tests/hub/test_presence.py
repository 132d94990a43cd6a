"""Is the hub there, what is cached, and where our own cache is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.hub import Hub

from harness.hub import caches, presence


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HARNESS_HUB", "HARNESS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    presence.silence_of.cache_clear()


def test_a_hub_that_answers_and_one_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub([]) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url + "/")
        assert presence.endpoint() == hub.url
        assert presence.hub_absence() is None
        with presence.local_only():
            assert presence.hub_absence() == "the network is not asked"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert str(presence.hub_absence()).startswith("http://127.0.0.1:9 does not answer: ")
    monkeypatch.setenv("HF_ENDPOINT", "no address")
    assert "unknown url type" in str(presence.hub_absence())


@pytest.mark.parametrize(
    ("name", "value", "models", "data"),
    [
        ("HF_HUB_OFFLINE", "1", True, True),
        ("HF_HUB_OFFLINE", "true", True, True),
        ("HF_HUB_OFFLINE", "0", False, False),
        ("TRANSFORMERS_OFFLINE", "yes", True, True),
        ("HF_DATASETS_OFFLINE", "on", False, True),
    ],
)
def test_switches(name: str, value: str, models: bool, data: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert presence.offline_switch() == (name if models else None)
    assert presence.offline_switch(for_data=True) == (name if data else None)


def test_one_cache_folder_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert caches.own_cache() == tmp_path / ".cache/harness"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert caches.own_cache() == tmp_path / "Library/Caches/harness"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert caches.own_cache() == tmp_path / "xdg/harness"
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "own"))
    assert caches.own_cache() == tmp_path / "own"


def test_files_in_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    commit = "0" * 40
    folder = tmp_path / "models--org--name"
    (folder / "snapshots" / commit).mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text(commit)
    (folder / "snapshots" / commit / "config.json").write_text("{}")
    assert caches.hub_cache() == tmp_path
    path = caches.cached_file("org/name", "config.json", None)
    assert path == folder / "snapshots" / commit / "config.json"
    assert caches.cached_file("org/name", "tokenizer.json", None) is None
    assert caches.cached_file("org/other", "config.json", None) is None
    assert caches.cached_file("no/hub/name", "config.json", None) is None


def test_a_token_is_named_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    assert caches.token_source() is None
    (tmp_path / "token").write_text("hf_secret")
    assert caches.token_source() == f"in {tmp_path / 'token'}"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert caches.token_source() == "in HF_TOKEN"
