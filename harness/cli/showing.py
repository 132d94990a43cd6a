"""What ``harness tasks show`` means by a name: a task, a question file, or a config's own files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.config.schema import Config, ModelSpec
    from harness.tasks.api import TaskSpec


@dataclass(frozen=True)
class ShownTasks:
    """Tasks to show, for a model or (None) as plain text, under a config's settings.

    ``own``: they are of files of one's own, of which each form is shown.
    """

    specs: tuple[TaskSpec, ...]
    config: Config
    model: ModelSpec | None
    mirror: Path | None
    own: bool


def shown_tasks(
    name: str, model: str | None, fewshot: int | None, overrides: Sequence[str], mirror: Path | None
) -> ShownTasks:
    """The tasks that a name stands for. Raises ConfigError."""
    settings = [*overrides, *([f"fewshot={fewshot}"] if fewshot is not None else [])]
    loaded = _config(name, overrides) if name.lower().endswith((".yaml", ".yml")) else None
    if loaded is None:
        return _of_name(name, model, settings, mirror)
    if fewshot is not None:
        raise ConfigError("--fewshot is for one task; of a config say --set tasks.0.fewshot=N")

    from harness.tasks import expand

    # A person who names a config wants to see what nobody else can show: the own files.
    entries = [(index, entry) for index, entry in enumerate(loaded.config.tasks) if entry.file]
    places = [index for index, _ in entries] or [0]
    expansion = expand(
        [loaded.config.tasks[index] for index in places],
        limit=None,
        base_dir=loaded.base_dir,
        where=lambda part, position: loaded.where(part, places[position]),
    )
    folder = mirror or (Path(loaded.config.mirror) if loaded.config.mirror else None)
    return ShownTasks(
        expansion.tasks, loaded.config, _of_config(loaded, model, mirror), folder, own=bool(entries)
    )


def _config(name: str, overrides: Sequence[str]) -> LoadedConfig | None:
    """The config in a YAML file; None where the file is one of lm-eval's task YAMLs, or is none."""
    import yaml

    from harness.config import load_config

    try:
        data = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None  # a task YAML may hold lm-eval's own tags, and a missing file has its own message
    if not isinstance(data, dict) or not {"models", "tasks", "extends"} & set(data):
        return None
    return load_config(name, overrides)


def _of_config(loaded: LoadedConfig, model: str | None, mirror: Path | None) -> ModelSpec:
    """The config's model of that name, else any other; without a name its first."""
    for spec in loaded.config.models:
        if model in (None, spec.label, spec.id):
            return spec
    return _named_model(str(model), mirror).models[0]


def _of_name(name: str, model: str | None, settings: Sequence[str], mirror: Path | None) -> ShownTasks:
    from harness.cli.listing import task_entry
    from harness.tasks import expand, suites

    entry: dict[str, Any] = {"suite": name} if name in suites() else {"task": name}
    if _is_file(name):
        entry = {"file": name}
    expansion = expand([task_entry(entry, settings)], limit=None, base_dir=Path.cwd())
    config = _named_model(model or "tiny-qwen", mirror)
    spec = config.models[0] if model is not None else None
    return ShownTasks(expansion.tasks, config, spec, mirror, own="file" in entry)


def _is_file(name: str) -> bool:
    """Whether a name is a question file's: by its ending, or because there is such a file."""
    from harness.tasks.ownfile.files import SUFFIXES

    path = Path(name).expanduser()
    is_yaml = path.suffix.lower() in (".yaml", ".yml")
    return path.suffix.lower() in SUFFIXES or (path.is_file() and not is_yaml)


def _named_model(model: str, mirror: Path | None) -> Config:
    """A config of one model, with what its preset says. Raises ConfigError."""
    from harness.config import load_config

    folder = Path(model).expanduser()
    if folder.is_dir() and not model.startswith("bundled/"):
        model = str(folder.resolve())
    data = {"name": "show", "models": [model], **({"mirror": str(mirror)} if mirror else {})}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "show.yaml"
        path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        try:
            return load_config(path).config
        except ConfigError as error:
            lines = [line.rpartition("models.0: ")[2] or line for line in str(error).splitlines()]
            raise ConfigError("\n".join(f"--model: {line.split(': ', 1)[-1]}" for line in lines)) from error
