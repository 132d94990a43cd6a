"""A composite index: weighted parts (knowledge, maths, code, reasoning) of chance-corrected scores, one a language, with its interval.

The scale is the Open LLM Leaderboard 2's: 100·max(0, (value − chance)/(1 − chance)) a task, chance 0 for generated answers. The interval is
a percentile bootstrap over items within tasks (clusters where items share a source, subjects within groups), tasks taken as given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.analysis.spread import Array, Clusters
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison

PACKAGED = Path(__file__).resolve().parent.parent / "data" / "index"
DRAWS = 2000
SEED = 20260101


class Part(BaseModel):
    """A part of an index: its weight and the tasks (or groups) whose scores it is the mean of."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    weight: float = Field(gt=0)
    tasks: tuple[str, ...] = Field(min_length=1)


class Weights(BaseModel):
    """What an index is made of. A change of parts, tasks or weights is a new version."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    version: int = Field(ge=1)
    languages: dict[Literal["zh", "en"], dict[str, Part]]


@dataclass(frozen=True)
class Index:
    """One model's index in one language, 0 to 100; ``parts`` by name. Where a task is missing there is no value; ``missing`` says which."""

    language: str
    value: float | None
    ci95: tuple[float, float] | None
    parts: dict[str, float]
    missing: tuple[str, ...]


def floored(value: float, chance: float) -> float:
    """100·max(0, (value − chance)/(1 − chance)). Raises ValueError for a chance outside [0, 1)."""
    if not 0 <= chance < 1:
        raise ValueError(f"chance must be in [0, 1), got {chance}")
    return 100 * max(0.0, (value - chance) / (1 - chance))


def load_weights(name: str) -> Weights:
    """Packaged weights by name, or a YAML file. Raises ConfigError."""
    import yaml

    path = PACKAGED / f"{name}.yaml"
    if not path.exists():
        path = Path(name)
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in PACKAGED.glob("*.yaml")))
        raise ConfigError(f"--index {name}: no such weights: expected one of {known}, or a YAML file")
    try:
        return Weights.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())[:200]}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def indices(comparison: Comparison, weights: Weights) -> dict[int, list[Index]]:
    """Every contestant's index in each language, by place."""
    return {
        place: [_index(comparison, place, language, parts) for language, parts in weights.languages.items()]
        for place in range(len(comparison.models))
    }


def of_scores(language: str, parts: Mapping[str, Part], scores: Mapping[str, float]) -> Index:
    """An index without an interval from chance-corrected scores (`floored`) by task; where a task lacks one there is none."""
    missing, values = [], {}
    for name, part in parts.items():
        lacking = [task for task in part.tasks if task not in scores]
        if lacking:
            missing.append(f"{name} ({', '.join(lacking)})")
        else:
            values[name] = sum(scores[task] for task in part.tasks) / len(part.tasks)
    if missing:
        return Index(language, None, None, values, tuple(missing))
    value = sum(part.weight * values[name] for name, part in parts.items()) / sum(part.weight for part in parts.values())
    return Index(language, value, None, values, ())


def _index(comparison: Comparison, place: int, language: str, parts: Mapping[str, Part]) -> Index:
    rng = np.random.default_rng(SEED)
    tasks = [task for part in parts.values() for task in part.tasks]
    found = {task: score for task in tasks if (score := _task(comparison, place, task, rng)) is not None}
    made = of_scores(language, parts, {task: value for task, (value, _) in found.items()})
    if made.missing:
        return made
    draws: dict[str, Array | None] = {}
    for name, part in parts.items():
        samples = [sample for task in part.tasks if (sample := found[task][1]) is not None]
        draws[name] = sum(samples) / len(samples) if len(samples) == len(part.tasks) else None  # type: ignore[assignment]
    return replace(made, ci95=_percentiles(parts, draws, sum(part.weight for part in parts.values())))


def _percentiles(parts: Mapping[str, Part], draws: Mapping[str, Array | None], whole: float) -> tuple[float, float] | None:
    total = np.zeros(DRAWS)
    for name, part in parts.items():
        sample = draws[name]
        if sample is None:
            return None
        total += part.weight / whole * sample
    low, high = np.percentile(total, [2.5, 97.5])
    return float(low), float(high)


def _task(comparison: Comparison, place: int, name: str, rng: np.random.Generator) -> tuple[float, Array | None] | None:
    """(chance-corrected score, its bootstrap draws where there are item scores) of a task or group; None where there is no value."""
    scope = comparison.scope(name)
    if scope is None or place not in scope.scores:
        return None
    chance = scope.chance or 0.0
    members = [name] if scope.kind != "group" else comparison.members[name]
    parts = [contest for contest in comparison.contests if contest.task in members]
    aligned = [contest.aligned for contest in parts]
    value = floored(scope.scores[place].value, chance)
    if any(place not in one.scores for one in aligned):
        return value, None
    sizes = [int(np.count_nonzero(~np.isnan(one.scores[place]))) for one in aligned]
    whole = sum(sizes)
    weights = [size / whole if comparison.weighted.get(name, True) else 1 / len(sizes) for size in sizes]
    means = sum(weight * resampled(one.scores[place], one.clusters, rng) for weight, one in zip(weights, aligned, strict=True))
    return value, 100 * np.maximum(0.0, (np.asarray(means) - chance) / (1 - chance))


def resampled(scores: Array, clusters: Clusters | None, rng: np.random.Generator) -> Array:
    """Means of ``DRAWS`` resamples with replacement (NaN left out): of items, or of whole clusters."""
    known = ~np.isnan(scores)
    codes = clusters.codes[known] if clusters is not None else np.arange(int(known.sum()))
    _, codes = np.unique(codes, return_inverse=True)
    sums = np.bincount(codes, weights=scores[known])
    counts = np.bincount(codes).astype(np.float64)
    means = np.empty(DRAWS)
    for begin, size in _chunks(DRAWS, max(1, 4_000_000 // len(sums))):
        drawn = rng.integers(0, len(sums), (size, len(sums)))
        means[begin : begin + size] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means


def _chunks(whole: int, size: int) -> Iterable[tuple[int, int]]:
    return ((begin, min(size, whole - begin)) for begin in range(0, whole, size))


def as_data(found: Mapping[int, list[Index]], labels: list[str], weights: Weights) -> dict[str, Any]:
    """For JSON: the weights with their version, and every model's indices."""
    models = {labels[place]: [vars(index) for index in mine] for place, mine in found.items()}
    return {"weights": weights.model_dump(mode="json"), "models": models}
