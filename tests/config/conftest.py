from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config import load_config
from harness.errors import ConfigError

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The developer's own mirror must not decide a test; files are named as a person in their
    folder would name them.
    """
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a YAML text (or bytes) into the test's folder and gives back its name there."""

    def _write(text: str | bytes, name: str = "c.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Path(name)

    return _write


@pytest.fixture
def mistakes() -> Callable[..., list[str]]:
    """The lines of the ConfigError that a config ends with."""

    def _mistakes(path: Path | str, *overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_config(path, overrides)
        assert caught.value.exit_code == 2
        return str(caught.value).splitlines()

    return _mistakes
