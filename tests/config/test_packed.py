"""Packed configs by name: which file is taken, what is said, and what a copy still finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.config import load_config, packed
from harness.errors import ConfigError

OK = "name: mine\nmodels: [tiny-qwen]\n"
CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def test_every_config_of_the_project_has_a_name_and_says_what_it_is() -> None:
    files = [*CONFIGS.glob("*.yaml"), *CONFIGS.glob("studies/*.yaml")]
    assert sorted(packed.packed()) == sorted(file.stem for file in files)
    assert len({file.stem for file in files}) == len(files)
    for name, file in packed.packed().items():
        assert 20 < len(packed.summary(file)) < 200, name
        assert load_config(name).path == file


def test_a_name_is_the_packed_config_and_says_so() -> None:
    loaded = load_config("qwen")
    assert [path.name for path in loaded.sources] == ["qwen.yaml", "bilingual.yaml"]
    assert loaded.notes == ("qwen: the packed config (a qwen.yaml in this folder would be taken instead)",)
    assert loaded.where("models", 0).startswith("packed:qwen.yaml:")
    assert loaded.where("limit") == "packed:base/bilingual.yaml:5:8"


@pytest.mark.parametrize("name", ["smoke", "smoke.yaml", "./smoke", "./smoke.yaml"])
def test_a_file_of_the_folder_wins(write: Callable[..., Path], name: str) -> None:
    write(OK, "smoke.yaml")
    loaded = load_config(name)
    assert loaded.config.name == "mine"
    assert bool(loaded.notes) == (name == "smoke")  # only there could the other one be meant


def test_own_names_need_no_suffix(write: Callable[..., Path], tmp_path: Path) -> None:
    write(OK, "own.yml")
    assert load_config("own").path == tmp_path / "own.yml"


def test_a_runs_folder_is_its_config(write: Callable[..., Path], tmp_path: Path) -> None:
    write(OK, "results/mine/config.yaml")
    assert load_config("results/mine").path == tmp_path / "results" / "mine" / "config.yaml"


def test_a_folder_of_a_packed_name_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "smoke").mkdir()
    assert load_config("smoke").config.name == "smoke"


@pytest.mark.parametrize("name", ["configs/smoke.yaml", "configs/studies/open-models-2024.yaml"])
def test_the_path_of_a_checkout_works_without_one(name: str) -> None:
    assert load_config(name).config.name == Path(name).stem


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("smok", "; did you mean 'smoke'?"),
        ("smoke.yaml", "; 'smoke' without .yaml is a packed config"),
        ("no/smoke.yaml", "; 'smoke' is a packed config"),
        ("x", "; `harness configs` lists the packed ones, `harness init` writes one of your own"),
        ("x.yaml", ""),
    ],
)
def test_what_is_not_there_says_what_may_have_been_meant(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(name)
    assert str(error.value) == f"{name}: no such file{hint}"


@pytest.mark.parametrize("name", ["qwen", "own-task"])
def test_a_copy_finds_what_lies_beside_the_original(write: Callable[..., Path], name: str) -> None:
    copy = load_config(write((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"), "copy.yaml"))
    original = load_config(name)
    assert copy.config == original.config
    assert not any(note for note in copy.notes)


def test_a_config_extends_a_packed_one(write: Callable[..., Path]) -> None:
    loaded = load_config(write("name: more\nextends: smoke\nlimit: 3\n"))
    assert (loaded.config.name, loaded.config.limit, len(loaded.config.models)) == ("more", 3, 3)


def test_a_mistake_in_a_packed_config_is_placed_in_it(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"^--set limit=x: limit: expected a whole number"):
        load_config("smoke", ["limit=x"])


def test_the_names_of_configs_are_those_of_their_runs() -> None:
    for name, file in packed.packed().items():
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["name"] == name
