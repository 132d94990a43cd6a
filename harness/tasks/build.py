"""lm-eval's task object out of a `TaskSpec`.

Its YAML comes with functions resolved, overrides merged, and data from our sources. lm-eval is
imported inside functions only.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.schema import GenerationSettings
from harness.errors import ConfigError, DataError, HarnessError
from harness.tasks.api import TaskSpec
from harness.tasks.chance import seeded
from harness.tasks.scan import FUNCTION, read_config
from harness.tasks.sources import DataSources
from harness.wording import reason_of

log = logging.getLogger(__name__)
_RANDOM_SEED, _NUMPY_SEED = 0, 1234
"""What lm_eval.simple_evaluate seeds before it builds tasks.

process_docs of gpqa and others draw from these generators.
"""


@dataclass(frozen=True)
class Built:
    """lm-eval's object, and the config that it was made from (functions resolved).

    ``own_repeats``: how often each document is asked and scored one by one.
    """

    task: Any
    config: dict[str, Any]
    own_repeats: int


def full_config(spec: TaskSpec) -> dict[str, Any]:
    """The task's whole lm-eval config with functions resolved.

    Raises ConfigError or DataError in one line.
    """

    from lm_eval.tasks._yaml_loader import load_yaml

    # YAMLs of tasks import code at will: whatever it raises is the task's fault, and one line has
    # to say so.
    try:
        config: dict[str, Any] = (
            deepcopy(load_yaml(spec.yaml_path, resolve_func=True)) if spec.yaml_path else {}
        )
        config |= {key: _resolved(value) for key, value in deepcopy(spec.config).items()}
    except ImportError as error:
        raise DataError(
            f"task {spec.name} needs a package that is missing ({error}): pip install"
            f" 'open-weight-harness[tasks]'"
        ) from error
    except Exception as error:
        raise ConfigError(f"task {spec.name}: {spec.yaml_path} cannot be loaded ({_line(error)})") from error

    # Where a task stands among others is no setting of the task itself.
    for key in ("tag", "group", "task_list", "derive"):
        config.pop(key, None)
    metadata = config.get("metadata") or {}
    config["metadata"] = dict(metadata) if isinstance(metadata, dict) else {"_metadata": metadata}
    config["task"] = spec.name
    return config


def _line(error: BaseException) -> str:
    return f"{reason_of(error, 300, named=True)}"


def _resolved(value: Any) -> Any:
    """A config value with ``!function /folder/module.name`` texts replaced by the functions."""
    if isinstance(value, str) and value.startswith(FUNCTION):
        from lm_eval.tasks._yaml_loader import _import_func_in_yml

        folder, _, name = value.removeprefix(FUNCTION).rpartition("/")
        return _import_func_in_yml(name, Path(folder))
    if isinstance(value, dict):
        return {key: _resolved(inner) for key, inner in value.items()}
    return [_resolved(inner) for inner in value] if isinstance(value, list) else value


def build(spec: TaskSpec, sources: DataSources, *, seed: int, allow_code: bool) -> Built:
    """Builds the task as lm_eval.simple_evaluate does.

    Raises DataError or ConfigError, each one line.
    """
    settings = (read_config(spec.yaml_path) if spec.yaml_path else {}) | spec.config
    if settings.get("unsafe_code") and not allow_code:
        raise ConfigError(
            f"task {spec.name} runs code that the model writes; set allow_code_execution: true in"
            f" a sandbox you trust"
        )

    # lm-eval and its tasks draw random numbers while they are built; with its own seeds documents
    # and examples are the same.
    with seeded(_RANDOM_SEED, _NUMPY_SEED), _quiet(), sources.active():
        config = full_config(spec)
        try:
            task = _construct(spec, deepcopy(config), sources)
        except HarnessError:
            raise
        except ImportError as error:
            raise DataError(
                f"task {spec.name} needs a package that is missing ({error}): pip install"
                f" 'open-weight-harness[tasks]'"
            ) from error
        except Exception as error:
            raise DataError(f"task {spec.name} cannot be built from its data ({_line(error)})") from error

    if getattr(task, "MULTIMODAL", False):
        raise ConfigError(f"task {spec.name} asks about images or sound, which this harness cannot ask")
    _set_fewshot(task, spec)
    _set_generation(task, spec.generation)
    task.set_fewshot_seed(seed=seed)
    return Built(task, config, _set_repeats(task, spec, config))


def _construct(spec: TaskSpec, config: dict[str, Any], sources: DataSources) -> Any:
    from lm_eval.api.task import ConfigurableTask

    cls = config.get("class")
    if cls is None:
        if config.get("dataset_path") and not callable(config.get("custom_dataset")):
            splits, _ = sources.load(
                config["dataset_path"], config.get("dataset_name"), **(config.get("dataset_kwargs") or {})
            )
            _forgive_missing_splits(config, _shots(spec, config), splits)
        _remember_processed(config)
        return ConfigurableTask(config=config)

    # Task classes written in Python take a config or nothing.
    accepts = "config" in inspect.signature(cls.__init__).parameters
    task = cls(config=config) if accepts else cls()
    if hasattr(task, "config") and hasattr(task.config, "task"):
        task.config.task = spec.name
    return task


def _shots(spec: TaskSpec, config: dict[str, Any]) -> int:
    declared = config.get("num_fewshot")

    # As in lm-eval, a task that fixes zero-shot keeps it.
    return int(declared or 0) if spec.fewshot is None or declared == 0 else spec.fewshot


def _forgive_missing_splits(config: dict[str, Any], shots: int, splits: Any) -> None:
    """Leaves out declared splits that are missing and not needed.

    Zero-shot needs no split to draw examples from, where lm-eval raises KeyError. The pool is not
    even prepared (HellaSwag's 39,905 training rows take seconds), unless preparing draws random
    numbers: then the evaluated documents depend on it.
    """
    if shots:
        return

    names = ["training_split", "fewshot_split", *(["validation_split"] if config.get("test_split") else [])]
    for key in names:
        if config.get(key) is not None and config[key] not in splits:
            config[key] = None

    fewshot = dict(config.get("fewshot_config") or {})
    if fewshot.get("split") is not None and fewshot["split"] not in splits:
        fewshot["split"] = None

    # Without a pool nothing is prepared, and lm-eval asks for no split.
    if not _draws(config.get("process_docs")) and not _draws(fewshot.get("process_docs")):
        config["fewshot_split"], fewshot["split"], fewshot["samples"] = None, None, []
    config["fewshot_config"] = fewshot or None


def _draws(function: Any) -> bool:
    """Whether the module of a function has to do with random numbers."""
    module = inspect.getmodule(function) if callable(function) else None
    if module is None:
        return False
    try:
        return "random" in inspect.getsource(module) or "shuffle" in inspect.getsource(module)
    except (OSError, TypeError):
        return True


def _remember_processed(config: dict[str, Any]) -> None:
    """process_docs runs once per split.

    lm-eval calls it again and again, and relies on the disk cache of `datasets` for equal results.
    """
    if callable(config.get("process_docs")):
        config["process_docs"] = _once(config["process_docs"])
    fewshot = config.get("fewshot_config")
    if isinstance(fewshot, dict) and callable(fewshot.get("process_docs")):
        config["fewshot_config"] = fewshot | {"process_docs": _once(fewshot["process_docs"])}


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    results: list[tuple[Any, Any]] = []

    # By identity, not by equality: comparing two data sets would read both.
    @functools.wraps(function)
    def remembered(dataset: Any) -> Any:
        for earlier, result in results:
            if earlier is dataset:
                return result
        results.append((dataset, function(dataset)))
        return results[-1][1]

    return remembered


def _set_fewshot(task: Any, spec: TaskSpec) -> None:
    fixed = task.get_config("num_fewshot")
    if spec.fewshot is None:
        if fixed is None:
            task.set_config(key="num_fewshot", value=0)
    elif fixed == 0:
        if spec.fewshot:
            log.warning(
                "task %s fixes zero-shot in its own YAML: fewshot: %d is not used (as in lm-eval)",
                spec.name,
                spec.fewshot,
            )
    else:
        task.set_config(key="num_fewshot", value=spec.fewshot)


def _set_generation(task: Any, generation: GenerationSettings) -> None:
    """What the config says instead of the task's generation settings, in lm-eval's words."""
    settings = generation.model_dump(exclude_none=True)
    if not settings or task.get_config("output_type") != "generate_until":
        return
    kwargs = dict(task.get_config("generation_kwargs") or {})

    # lm-eval takes the first alias that is set, so the task's own must not remain beside ours.
    if "max_tokens" in settings:
        for alias in ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens"):
            kwargs.pop(alias, None)
        kwargs["max_gen_toks"] = settings.pop("max_tokens")

    if "temperature" in settings:
        kwargs["do_sample"] = settings["temperature"] > 0
    task.set_config(key="generation_kwargs", value=kwargs | settings)


def _set_repeats(task: Any, spec: TaskSpec, config: dict[str, Any]) -> int:
    """How often each answer is asked and scored by us.

    Where a task's filters vote (majority_vote, take_first_k), lm-eval is set to ask so often
    instead.
    """
    if spec.repeats is None:
        return 1

    # lm-eval's voting filters need all repeats of a document at once, so they are its own to ask.
    filters = [step.get("function") for item in config.get("filter_list") or [] for step in item["filter"]]
    if int(config.get("repeats") or 1) > 1 or {"majority_vote", "take_first_k"} & {
        name for name in filters if isinstance(name, str)
    }:
        task.set_config(key="repeats", value=spec.repeats)
        return 1

    kwargs = task.get_config("generation_kwargs") or {}
    if (
        task.get_config("output_type") == "generate_until"
        and spec.repeats > 1
        and not float(kwargs.get("temperature") or 0)
    ):
        log.warning(
            "task %s: repeats: %d of a greedy answer are all the same; set generation: {temperature: 0.6}",
            spec.name,
            spec.repeats,
        )
    return spec.repeats if task.get_config("output_type") == "generate_until" else 1


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of `datasets` and no remarks of lm-eval about defaults.

    Neither is for the person who runs a comparison.
    """
    import datasets

    logger, bars = logging.getLogger("lm_eval"), datasets.utils.logging.is_progress_bar_enabled()
    level = logger.level
    logger.setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if bars:
            datasets.enable_progress_bars()
