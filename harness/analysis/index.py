"""A composite index: weighted parts of chance-corrected scores, one per language.

Parts are knowledge, maths, code and reasoning. The scale is the Open LLM Leaderboard 2's:
100·max(0, (value − chance)/(1 − chance)) per task, chance 0 for generated answers; a group whose
subjects have different chance levels is the plain mean of theirs (`above_chances`).

The interval is that of the weighted mean of all tasks' answers before anything is cut off at 0
(`share_interval`), tasks taken as given. Cutting off raises the index: its expectation is never
below the true index (Jensen), and a true score is never below the one that is not cut off. So the
lower end is left where it is, and the upper end is raised by as much as cutting off raised the
value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.analysis.chance import above_chances, slopes
from harness.analysis.strata import Strata, mixture, share_interval
from harness.errors import ConfigError
from harness.wording import reason_of

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.analysis.scopes import Scope

PACKAGED = Path(__file__).resolve().parent.parent / "data" / "index"


class IndexPart(BaseModel):
    """A part of an index: its weight and the tasks (or groups) whose mean score it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    weight: float = Field(gt=0)
    tasks: tuple[str, ...] = Field(min_length=1)


class Weights(BaseModel):
    """What an index is made of. A change of parts, tasks or weights is a new version."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    version: int = Field(ge=1)
    languages: dict[Literal["zh", "en"], dict[str, IndexPart]]


@dataclass(frozen=True)
class Index:
    """One model's index in one language, 0 to 100; ``parts`` by name.

    Where a task is missing there is no value; ``missing`` says which.
    """

    language: str
    value: float | None
    ci95: tuple[float, float] | None
    parts: dict[str, float]
    missing: tuple[str, ...]
    from_zero: tuple[str, ...] = ()
    """Tasks counted from 0 because no chance level is known.

    Generated answers, or imports without their questions.
    """
    apart: tuple[str, ...] = ()
    """Tasks that the model was asked otherwise than most others."""


def floored(value: float, chance: float) -> float:
    """100·max(0, (value − chance)/(1 − chance)). Raises ValueError for a chance outside [0, 1)."""
    return 100 * above_chances([value], [chance], [1.0], floor=True)


def load_weights(name: str) -> Weights:
    """Packaged weights by name, or a YAML file. Raises ConfigError."""
    import yaml

    path = PACKAGED / f"{name}.yaml"
    if not path.exists():
        path = Path(name)
    if not path.exists():
        names = ", ".join(sorted(file.stem for file in PACKAGED.glob("*.yaml")))
        raise ConfigError(f"--index {name}: no such weights: expected one of {names}, or a YAML file")

    try:
        return Weights.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {reason_of(error)}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def indices(comparison: Comparison, weights: Weights) -> dict[int, list[Index]]:
    """Every contestant's index in each language, by its index."""
    return {
        index: [_index(comparison, index, language, parts) for language, parts in weights.languages.items()]
        for index in range(len(comparison.models))
    }


def of_scores(language: str, parts: Mapping[str, IndexPart], scores: Mapping[str, float]) -> Index:
    """An index without an interval from chance-corrected scores (`floored`) by task.

    Where a task lacks one there is none.
    """
    missing, values = [], {}
    for name, part in parts.items():
        lacking = [task for task in part.tasks if task not in scores]
        if lacking:
            missing.append(f"{name} ({', '.join(lacking)})")
        else:
            values[name] = sum(scores[task] for task in part.tasks) / len(part.tasks)

    if missing:
        return Index(language, None, None, values, tuple(missing))
    value = sum(part.weight * values[name] for name, part in parts.items()) / sum(
        part.weight for part in parts.values()
    )
    return Index(language, value, None, values, ())


@dataclass(frozen=True)
class _IndexScore:
    """A task's or group's score on the index's scale.

    Cut off at 0 (``value``), as measured (``plain``), and the answers that it rises with.
    """

    value: float
    plain: float
    strata: Strata | None
    from_zero: bool


def _index(comparison: Comparison, position: int, language: str, parts: Mapping[str, IndexPart]) -> Index:
    tasks = [task for part in parts.values() for task in part.tasks]
    scores = {task: score for task in tasks if (score := _task(comparison, position, task)) is not None}
    index = of_scores(language, parts, {task: score.value for task, score in scores.items()})
    index = replace(index, from_zero=tuple(task for task, score in scores.items() if score.from_zero))
    scopes = {task: comparison.scope(task) for task in scores}
    apart = (task for task, scope in scopes.items() if scope is not None and position in scope.apart)
    index = replace(index, apart=tuple(apart))

    if index.value is None:
        return index

    # Every task counts as its part's weight says, shared equally within the part.
    whole = sum(part.weight for part in parts.values())
    weights = [part.weight / whole / len(part.tasks) for part in parts.values() for _ in part.tasks]
    strata = mixture([scores[task].strata for task in tasks], weights)

    if not strata:
        return index
    plain = sum(weight * scores[task].plain for task, weight in zip(tasks, weights, strict=True))
    return replace(index, ci95=ends(index.value, plain, strata))


def ends(value: float, plain: float, strata: Strata) -> tuple[float, float]:
    """The 95 % interval of an index ``value``.

    It is ``plain`` with nothing cut off at 0 and rises with the answers as ``strata`` say.
    """
    centre = sum(weight * one.value for weight, one in strata.values())
    low, high = share_interval(strata)
    return max(0.0, plain + low - centre), min(100.0, value + high - centre)


def _task(comparison: Comparison, position: int, name: str) -> _IndexScore | None:
    """A task's or group's score.

    None where there is no value, or none that a share of right answers can be.
    """
    scope = comparison.scope(name)
    if scope is None or position not in scope.scores or not scope.shares:
        return None
    if position in scope.lacking:
        return None  # the mean of some subjects is another figure

    # A group weighted by size counts its subjects by their items, another one alike.
    members = [scope] if name not in comparison.members else _subjects(comparison, name)
    sizes = [one.scores[position].n if comparison.weighted.get(name, True) else 1 for one in members]
    weights = [size / sum(sizes) for size in sizes]

    values, chances = [one.scores[position].value for one in members], [one.chance or 0.0 for one in members]
    strata = mixture(
        [one.strata[position] for one in members], [100 * slope for slope in slopes(chances, weights)]
    )

    value, plain = (100 * above_chances(values, chances, weights, floor=floor) for floor in (True, False))
    return _IndexScore(value, plain, strata, any(one.chance is None for one in members))


def _subjects(comparison: Comparison, group: str) -> list[Scope]:
    scopes = (comparison.scope(task) for task in comparison.members[group])
    return [scope for scope in scopes if scope is not None]


def as_data(
    indices_by_model: Mapping[int, list[Index]], labels: list[str], weights: Weights
) -> dict[str, Any]:
    """For JSON: the weights with their version, and every model's indices."""
    models = {
        labels[position]: [vars(index) for index in mine] for position, mine in indices_by_model.items()
    }
    return {"weights": weights.model_dump(mode="json"), "models": models}
