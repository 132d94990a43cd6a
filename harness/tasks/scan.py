"""Names out of thousands of task YAMLs in under a second, without parsing them as YAML.

lm-eval's own index parses 14,000 files and takes 13 s. What an index needs stands at the start of
lines (``task:``, ``group:``, ``tag:``, ``include:``), so a regular expression finds it; includes
are followed textually, because tags are inherited through them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ConfigError
from harness.hub.caches import own_cache

_KEY = re.compile(r"""["']?(task|group|tag|include|class)["']?[ ]*:[ \t]*(.*?)[ \t]*\r?$""")
_STARTS = tuple(
    quote + key for key in ("task", "group", "tag", "include", "class") for quote in ("", '"', "'")
)
"""What a line must start with to be worth the expression.

Most of the scan's time would go into the other lines.
"""
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*?)[ \t]*\r?$")
_COMMENT = re.compile(r"\s+#.*$")
_SKIP = {"__pycache__", ".ipynb_checkpoints"}
_FORMAT = 3
"""Raised whenever the scan finds something else than before, so that an old cache is not used."""

FUNCTION = "!function "
"""Prefix of an unresolved function reference in a config read by `read_config`.

Such a reference reads ``!function /folder/utils.name``.
"""


@dataclass
class ScannedFolder:
    """What one folder of YAMLs holds.

    ``tasks`` and ``groups``: name to file (relative to the folder); ``tags``: tag to task names.
    """

    tasks: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)


def _yaml_files(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIP]
        yield from (os.path.join(folder, name) for name in files if name.endswith(".yaml"))  # noqa: PTH118 - Path is too slow here


def _value(text: str) -> str:
    if text[:1] in ("'", '"'):
        return text[1 : text.find(text[0], 1)]
    return _COMMENT.sub("", text)


def _values(text: str, rest: list[str]) -> list[str]:
    """A scalar, an inline list, or the block list in the lines that follow."""
    if text.startswith("["):
        return [_value(part.strip()) for part in text.strip("[]").split(",") if part.strip()]
    if text and not text.startswith("#"):
        return [_value(text)]

    values: list[str] = []
    for line in rest:
        match = _ITEM.match(line)
        if match:
            values.append(_value(match[1]))
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    return values


class _Scanner:
    """Top-level keys of files, includes merged; an included file is read once."""

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, list[str]]] = {}

    def keys(self, path: str, trail: tuple[str, ...] = ()) -> dict[str, list[str]]:
        if path in self._keys:
            return self._keys[path]
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open costs a third of the scan
                lines = file.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return {}

        own: dict[str, list[str]] = {}
        for number, line in enumerate(lines):
            if line.startswith(_STARTS) and (match := _KEY.match(line)):
                own[match[1]] = _values(
                    match[2], lines[number + 1 :] if not match[2] or match[2].startswith("#") else []
                )

        # An include's keys come first, so that the file's own replace them; files may include each
        # other in a circle.
        merged: dict[str, list[str]] = {}
        for name in own.pop("include", []):
            other = os.path.normpath(os.path.join(os.path.dirname(path), name))  # noqa: PTH118, PTH120
            if other not in trail:
                merged |= self.keys(other, (*trail, path))
        merged |= own

        # Only included files are asked for again: keeping the 14,000 others would cost memory for
        # nothing.
        if not path.endswith(".yaml") or trail:
            self._keys[path] = merged
        return merged


def scan(root: Path) -> ScannedFolder:
    """Every name under ``root``.

    Of two files with one name the first in path order counts, as in lm-eval.
    """
    folder, scanner = ScannedFolder(), _Scanner()
    prefix = len(str(root)) + 1
    for path in sorted(_yaml_files(root)):
        keys = scanner.keys(path)
        relative = path[prefix:]
        name = next(iter(keys.get("task", [])), "")
        group = next(iter(keys.get("group", [])), "")

        # A group with a class is lm-eval's way to write a task in Python.
        if group and "class" not in keys:
            if group not in folder.groups and group not in folder.tasks:
                folder.groups[group] = relative
        elif name and name not in ("null", "~") and name not in folder.tasks and name not in folder.groups:
            folder.tasks[name] = relative
            for tag in keys.get("tag", []):
                folder.tags.setdefault(tag, []).append(name)

    return folder


def beside(folder: Path) -> ScannedFolder:
    """Names in a person's own folder, not below it.

    There are few files, in any YAML style, so each is parsed. Unreadable ones are not named.
    """
    folder_names = ScannedFolder()
    for path in sorted(folder.glob("*.yaml")):
        try:
            config = read_config(path)
        except ConfigError:
            continue

        # The rules of `scan`, on parsed YAML.
        name, group = config.get("task"), config.get("group")
        if isinstance(group, str) and "class" not in config:
            folder_names.groups.setdefault(group, path.name)
        elif isinstance(name, str) and name not in folder_names.tasks:
            folder_names.tasks[name] = path.name
            tags = config.get("tag") or []
            for tag in [tags] if isinstance(tags, str) else tags:
                folder_names.tags.setdefault(str(tag), []).append(name)
    return folder_names


def lm_eval_tasks_folder() -> Path:
    """The folder of lm-eval's task YAMLs, found without importing lm-eval.

    Raises ConfigError when lm-eval is not installed.
    """
    spec = importlib.util.find_spec("lm_eval")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("lm-eval is not installed: pip install lm-eval==0.4.13")
    return Path(next(iter(spec.submodule_search_locations))) / "tasks"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def cached_scan(root: Path) -> ScannedFolder:
    """`scan` of lm-eval's folder, cached as JSON by version, folder and time of change.

    A cache that cannot be used costs time alone.
    """
    stamp = f"{_FORMAT}|{_installed('lm-eval')}|{root}|{root.stat().st_mtime_ns}"
    path = own_cache() / "task-names.json"
    try:
        cached = json.loads(path.read_text(encoding="utf-8"))
        if cached["stamp"] == stamp:
            return ScannedFolder(cached["tasks"], cached["groups"], cached["tags"])
    except (OSError, ValueError, KeyError, TypeError):
        pass

    scanned = scan(root)
    try:
        # Written aside and renamed, so that two processes at once never read half a file.
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_text(json.dumps({"stamp": stamp, **vars(scanned)}, ensure_ascii=False), encoding="utf-8")
        part.replace(path)
    except OSError:
        pass  # a read-only home: the next start scans again
    return scanned


def _loader(folder: Path) -> type[yaml.SafeLoader]:
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: type[yaml.SafeLoader] = type("Loader", (base,), {})
    loader.add_constructor("!function", lambda load, node: f"{FUNCTION}{folder}/{node.value}")
    return loader


def read_config(path: Path, trail: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A task or group YAML with its includes merged.

    Functions are left as ``!function /folder/module.name`` texts. Raises ConfigError, one line,
    when the file cannot be read, is no mapping, or includes itself.
    """
    path = path.expanduser().resolve()
    if path in trail:
        raise ConfigError(f"{path}: the file includes itself")

    try:
        with path.open("rb") as file:
            config = yaml.load(file, Loader=_loader(path.parent))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: no valid YAML ({' '.join(str(error).split())})") from error

    if not isinstance(config, dict):
        raise ConfigError(f"{path}: a task's YAML must be a mapping, got {type(config).__name__}")

    # As in lm-eval, a file's own keys replace those of what it includes.
    includes = config.pop("include", None) or []
    merged: dict[str, Any] = {}
    for name in [includes] if isinstance(includes, str) else includes:
        merged |= read_config(path.parent / name, (*trail, path))
    return merged | config
