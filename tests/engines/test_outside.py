"""An engine of another package, really installed: one file and one entry point are all it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.installed import install
from support.runs import HARNESS, ROOT

OUTSIDE = Path(__file__).parent / "outside"
SPEED = {"input": [8], "output": [4], "concurrency": [2], "repeats": 5, "max_repeats": 5, "drift": 0.99}
SPEED |= {"repeat_seconds": 0.01, "calibration_seconds": 0.01, "energy_seconds": 0, "half_width": 0.9}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as pip installs it, without a network."""
    return install(OUTSIDE, tmp_path_factory.mktemp("outside"))


@pytest.fixture
def harness(site: Path, tmp_path: Path) -> Any:
    """The command line with the package installed."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, site)))}
        command = [*HARNESS, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False)

    return run


def config(folder: Path, model: dict[str, Any] | None = None, **more: Any) -> Path:
    path = folder / "letters.yaml"
    model = {"id": "the letters", "engine": "letters", "engine_args": {"smoothing": 0.5}} | (model or {})
    content = {"name": "letters", "device": "cpu", "models": [model], "speed": SPEED} | more
    content.setdefault(
        "tasks", [{"task": "zh_reading", "limit": 3}, {"task": "zh_word_problems", "limit": 2}]
    )
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_plan_and_run(harness: Any, tmp_path: Path) -> None:
    path = config(tmp_path)
    planned = harness("plan", path)
    assert planned.returncode == 0, planned.stderr
    assert "nothing is loaded here" in planned.stdout
    done = harness("run", path, "--out", "run")
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "run/results.json").read_text(encoding="utf-8"))["rows"]
    assert {(row["task"], row["status"], row["engine"]) for row in rows} == {
        ("zh_reading", "ok", "letters"),
        ("zh_word_problems", "ok", "letters"),
    }
    manifest = json.loads((tmp_path / "run/manifest.json").read_text(encoding="utf-8"))
    assert manifest["packages"]["harness-letters"] == "1.2"
    identity = manifest["models"]["the letters"]["engine"]
    assert identity["options"] == {"smoothing": 0.5}
    assert identity["versions"] == {"harness-letters": "1.2"}

    # What only decides speed asks nothing anew; another smoothing is another cell.
    args = {"engine_args": {"smoothing": 0.5, "pause": 0.01}}
    again = harness("run", config(tmp_path, args), "--out", "run")
    assert again.returncode == 0, again.stderr
    assert "loaded" not in again.stderr
    other = harness("run", config(tmp_path, {"engine_args": {"smoothing": 2}}), "--out", "run")
    assert other.returncode == 0, other.stderr
    assert "loaded" in other.stderr


def test_its_options_are_checked_and_in_the_schema(harness: Any, tmp_path: Path) -> None:
    wrong = harness("plan", config(tmp_path, {"engine_args": {"smooting": 1, "pause": -1}}))
    assert wrong.returncode == 2
    first, second = sorted(wrong.stderr.strip().splitlines())
    assert "letters.yaml:5:12: models[0].engine_args.pause: expected at least 0" in first + second
    assert "unknown key 'smooting' in models[0].engine_args; did you mean 'smoothing'?" in first + second
    name = harness("plan", config(tmp_path, {"engine": "leters"}))
    assert "got 'leters'; did you mean 'letters'?" in name.stderr
    schema = json.loads(harness("schema", "config").stdout)
    assert "letters" in schema["$defs"]["ModelSpec"]["properties"]["engine"]["enum"]
    assert schema["$defs"]["engine_args.letters"]["properties"]["smoothing"]["exclusiveMinimum"] == 0


@pytest.mark.slow
def test_bench(harness: Any, tmp_path: Path) -> None:
    done = harness("bench", config(tmp_path), "--out", "bench", "--json")
    assert done.stdout, done.stderr
    row = json.loads(done.stdout)["rows"][0]
    assert (row["model"], row["shape"]) == ("the letters", "8>4 x2")


def test_it_runs_on_what_it_says(harness: Any, tmp_path: Path) -> None:
    wrong = harness("plan", config(tmp_path, device="cuda"))
    assert wrong.returncode == 2
    assert "letters runs on cpu, not on device: cuda" in wrong.stderr


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with packages whose engines cannot be used, each for another reason."""
    site = tmp_path / "broken"
    for number, (name, value) in enumerate(
        {
            "raises": "broken_module:Backend",
            "foreign": "json:JSONDecoder",
            "misnamed": "harness.engines.mock.backend:MockBackend",
            "twice": "json:JSONDecoder",
            "exits": "exiting_module:Backend",
            "untyped": "untyped_module:Untyped",
            "transformers": "json:JSONDecoder",
        }.items()
    ):
        for copy in range(2 if name == "twice" else 1):
            info = site / f"package_{number}{copy}-1.0.dist-info"
            info.mkdir(parents=True)
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: package-{number}{copy}\nVersion: 1.0\n"
            )
            (info / "entry_points.txt").write_text(f"[harness.engines]\n{name} = {value}\n")
    (site / "broken_module.py").write_text("raise RuntimeError('no licence\\nfound')\n")
    (site / "exiting_module.py").write_text("raise SystemExit('no GPU\\nat all')\n")
    (site / "untyped_module.py").write_text(
        "from harness.engines import Backend\n"
        "class Untyped(Backend):\n"
        "    name, options, open = 'untyped', dict, None\n"
    )
    return site


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("raises", "engine 'raises' of package-00 1.0 cannot be used: RuntimeError: no licence"),
        ("foreign", "json:JSONDecoder is no harness.engines.backend.Backend"),
        ("misnamed", "its backend calls itself 'mock'"),
        ("twice", "engine 'twice' is offered by package-30 1.0 and package-31 1.0; uninstall one of them"),
        ("exits", "engine 'exits' of package-40 1.0 cannot be used: SystemExit: no GPU"),
        ("untyped", "its options are no class of harness.engines.EngineOptions"),
    ],
)
def test_a_broken_package_is_one_line(
    broken: Path, site: Path, tmp_path: Path, engine: str, words: str
) -> None:
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, broken)))}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [*HARNESS, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=False)

    wrong = run("plan", config(tmp_path, {"engine": engine, "engine_args": {}}))
    assert wrong.returncode == 2
    assert words in wrong.stderr
    assert "letters.yaml:3:11: models[0].engine: " in wrong.stderr
    assert len(wrong.stderr.strip().splitlines()) == 1
    if engine == "raises":
        # A run that does not use them does not notice; the schema says who is left out.
        sound = run("plan", config(tmp_path, {"engine": "mock", "engine_args": {}}))
        assert sound.returncode == 0
        assert "package" not in sound.stderr
        schema = run("schema", "config")
        assert json.loads(schema.stdout)
        assert len(schema.stderr.strip().splitlines()) == 6


def test_the_recipe_in_the_docs_is_this_package() -> None:
    recipe = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    for file in ("pyproject.toml", "letters.py"):
        assert (OUTSIDE / file).read_text(encoding="utf-8").rstrip() in recipe, file


@pytest.mark.slow
def test_it_passes_what_every_engine_passes(site: Path) -> None:
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, site)))}
    command = [sys.executable, "-m", "pytest", "-q", "tests/engines/test_protocol.py", "-k", "letters"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    assert done.returncode == 0, done.stdout
    assert " failed" not in done.stdout
