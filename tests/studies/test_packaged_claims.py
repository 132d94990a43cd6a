"""Any file in the package's folder of claims is picked up, whatever its name and id."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.studies import claims as module
from harness.studies.answer import answer
from harness.studies.data import Data


def test_a_claim_with_a_name_of_its_own_is_picked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = module.FOLDER
    for name in ("C2", "C10"):
        shutil.copy(packaged / f"{name}.yaml", tmp_path)
    text = (packaged / "C10.yaml").read_text(encoding="utf-8")
    (tmp_path / "my-claim.yaml").write_text(text.replace("id: C10", "id: MYCLAIM", 1), encoding="utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    module.claims.cache_clear()
    try:
        assert list(module.claims()) == ["C2", "C10", "MYCLAIM"]
    finally:
        module.claims.cache_clear()


def test_a_misspelt_key_of_a_statement_is_named_with_the_nearest(tmp_path: Path) -> None:
    """A claim of a person's own may have many statements: the message says which one is meant."""
    text = (
        (module.FOLDER / "C10.yaml")
        .read_text(encoding="utf-8")
        .replace("begin: 2025-08-13", "begn: 2025-08-13")
    )
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"claim C10: .*unknown key 'begn'; did you mean 'begin'\?"):
        answer(module.read_claim(path), Data(folder=None))
