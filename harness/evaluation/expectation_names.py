"""Whether the names in a config's expectations exist, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.problems import nearest
from harness.config.schema import Expectation
from harness.config.source import Mistakes
from harness.evaluation.expected_figures import SHARES, figure_names
from harness.wording import list_first

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.tasks.api import Expansion, TaskSpec

LISTED = 6
"""Names that a message lists where none is like the one it got."""
DEFAULT_METRICS = {
    "multiple_choice": ("acc", "acc_norm"),
    "loglikelihood": ("perplexity", "acc"),
    "loglikelihood_rolling": ("word_perplexity", "byte_perplexity", "bits_per_byte"),
    "generate_until": ("exact_match",),
}
"""By a task's output type, where its YAML lists none: lm-eval's own defaults."""
Add = Callable[[str, str], None]
"""(key of the expectation, text of the mistake)."""


def check_expectations(loaded: LoadedConfig, expansion: Expansion | None, mistakes: Mistakes) -> None:
    """Adds a mistake for each name that is nowhere: model, task, metric, filter, figure, language.

    ``expansion`` None: the tasks are wrong themselves, and only the other names can be checked.
    """
    for position, expectation in enumerate(loaded.config.expect):

        def add(key: str, text: str, position: int = position) -> None:
            label = f"expect[{position}].{key}"
            mistakes.add(loaded.place("expect", position, key), f"{label}: {text}")

        _check_model(loaded, expectation, add)
        _check_figure(loaded, expectation, add)
        if expansion is not None:
            _check_task(expectation, expansion, add)
            _check_language(expectation, expansion, add)


def _check_model(loaded: LoadedConfig, expectation: Expectation, add: Add) -> None:
    name = expectation.model
    models = {model.label: model for model in loaded.config.models}
    if name is None or any(name == label or fnmatchcase(label, name) for label in models):
        return

    # A preset's name or the hub's is what a person remembers; results go by the name in tables.
    for label, model in models.items():
        if name.lower() in {str(other).lower() for other in (model.id, model.preset, label) if other}:
            add("model", f"{name!r} is called {label!r} in this run's tables; write that")
            return
    add("model", _missing("model", name, list(models)))


def _check_figure(loaded: LoadedConfig, expectation: Expectation, add: Add) -> None:
    name = expectation.figure
    if name is None:
        return
    if name not in figure_names():
        like = nearest(name, figure_names()) or _by_last_step(name)
        hint = f"; did you mean {like!r}?" if like else f"; there are {list_first(figure_names(), 12)}"
        add("figure", f"no figure is called {name!r}{hint}")
    elif name not in SHARES:
        if not loaded.config.meter:
            add("figure", f"{name} is not measured with meter: false")
        if expectation.sure:
            add("sure", f"{name} is kept without an interval: leave sure out")


def _by_last_step(name: str) -> str | None:
    """A figure whose last step is like a name's: ``joules_per_item`` is ``energy.joules_per_item``."""
    last = name.rpartition(".")[2]
    return next((figure for figure in figure_names() if figure.rpartition(".")[2] == last), None)


def _check_task(expectation: Expectation, expansion: Expansion, add: Add) -> None:
    name = expectation.task
    if name is None:
        return
    specs = {spec.name: spec for spec in expansion.twins.tasks}
    groups = {group.name: group for group in expansion.twins.groups}
    chosen = [one for one in (*specs, *groups) if one == name or fnmatchcase(one, name)]
    if not chosen:
        add("task", _missing("task or group", name, [*specs, *groups]))
        return
    costs = expectation.figure is not None and expectation.figure not in SHARES
    if costs and all(one in groups for one in chosen):
        add("task", f"{name} is a group, and what answers cost is kept by task and by language: name these")
        return

    # Each of the matched is looked at: a glob may join tasks that are marked in different ways.
    for one in chosen:
        members = [specs[task] for task in groups[one].members if task in specs] if one in groups else []
        parts = [part for spec in members or [specs[one]] for part in (spec, spec.twin) if part is not None]
        limited = groups[one].metrics if one in groups else ()
        if not _check_metric(expectation, one, parts, limited, add):
            return


def _check_metric(
    expectation: Expectation, task: str, parts: Sequence[TaskSpec], limited: Sequence[str], add: Add
) -> bool:
    """Whether the metric and the filter are a task's; one of code alone may have any."""
    from harness.tasks.scan import read_config

    configs = [(read_config(spec.yaml_path) if spec.yaml_path else {}) | spec.config for spec in parts]
    if any("class" in config for config in configs):
        return True
    metrics = list(
        dict.fromkeys(
            metric
            for config, spec in zip(configs, parts, strict=True)
            for metric in _metrics(config, spec.repeats)
        )
    )
    metrics = [name for name in metrics if not limited or name in limited or name == "exact_match"]
    filters = list(dict.fromkeys(name for config in configs for name in _filters(config)))

    coded = any(_in_code(config, expectation.metric or "") for config in configs)
    if expectation.metric is not None and expectation.metric not in metrics and not coded:
        add("metric", _missing(f"metric of {task}", expectation.metric, metrics))
        return False
    if expectation.filter is not None and expectation.filter not in filters:
        add("filter", _missing(f"filter of {task}", expectation.filter, filters))
        return False
    return True


def _metrics(config: dict[str, Any], repeats: int | None) -> list[str]:
    listed = config.get("metric_list") or ()
    names = [str(entry["metric"]) for entry in listed if isinstance(entry, dict) and "metric" in entry]

    # A metric that is a function of the task's own is called as the function is.
    names = [name.rpartition(".")[2] if name.startswith("!function") else name for name in names]
    names = names or list(DEFAULT_METRICS.get(str(config.get("output_type") or "generate_until"), ()))
    return names + [f"maj@{repeats}_{name}" for name in names if repeats and repeats > 1]


def _in_code(config: dict[str, Any], metric: str) -> bool:
    """Whether the task's own Python may give this metric: its name stands there, or is made there.

    Functions that mark may return more than the YAML lists (humaneval's pass@1).
    """
    from harness.tasks.scan import FUNCTION

    listed = [entry.get("metric") for entry in config.get("metric_list") or () if isinstance(entry, dict)]
    for value in (config.get("process_results"), *listed):
        if not isinstance(value, str) or not value.startswith(FUNCTION):
            continue
        folder, _, name = value.removeprefix(FUNCTION).strip().rpartition("/")
        file = Path(folder) / f"{name.partition('.')[0]}.py"
        if "@" in metric or not file.is_file():
            return True
        if re.search(rf"\b{re.escape(metric)}\b", file.read_text(encoding="utf-8", errors="replace")):
            return True
    return False


def _filters(config: dict[str, Any]) -> list[str]:
    listed = config.get("filter_list") or ()
    return [str(entry["name"]) for entry in listed if isinstance(entry, dict) and "name" in entry] or ["none"]


def _check_language(expectation: Expectation, expansion: Expansion, add: Add) -> None:
    language = expectation.language
    mine = [spec.name for spec in expansion.tasks if spec.language == language]
    unknown = any(spec.language is None for spec in expansion.tasks)
    if language is None or unknown:
        return
    if not mine:
        add("language", f"no task of this config is in {language}")
    elif len(mine) == 1 and expectation.figure is None:
        add("language", f"an average needs two tasks; in {language} there is {mine[0]} alone: name that")


def _missing(what: str, name: str, names: Sequence[str]) -> str:
    if set(name) & set("*?["):
        return f"no {what} of this run matches {name!r}: there are {list_first(names, LISTED)}"
    like = nearest(name, names)
    hint = f"did you mean {like!r}?" if like else f"there are {list_first(names, LISTED)}"
    return f"no {what} is called {name!r} in this run; {hint}"
