"""Whether a model's cells stand as they are: a finished run is repeated without starting a worker.

Three things must hold, or the worker looks at everything itself: the facts that decide a run
(config, versions, machine, environment) are the same, the model's files have the same identity, and
every file that its worker read or wrote is the one it was (`harness.evaluation.inputs`). In doubt
the answer is no: that costs seconds, while a stale score costs trust.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.schema import ModelSpec
from harness.errors import HarnessError
from harness.evaluation.identity import RULES, digest
from harness.evaluation.inputs import InputWatch, site_folders, stamps_digest, unpacked
from harness.evaluation.manifest import package_versions
from harness.hub import presence
from harness.hub.local import local_folder
from harness.results.folder import RunFolder
from harness.results.journal import CellRecord, Journal

if TYPE_CHECKING:
    from harness.config import LoadedConfig
    from harness.workers.devices import Machine
    from harness.workers.schedule import WorkerJob

FORMAT = 1
_OF_OTHERS = {"name", "models", "expect"}
"""Keys of a config that decide no cell of one model; thresholds are compared anew in every run."""
_ENVIRONMENT = (
    "HARNESS_",
    "HF_",
    "TRANSFORMERS_",
    "TORCH",
    "PYTORCH",
    "CUDA_",
    "OMP_",
    "MKL_",
    "VLLM_",
    "NLTK_",
    "LC_",
    "PYTHON",
)
_VARIABLES = ("TZ", "LANG", "HOME", "XDG_CACHE_HOME")


class SettledCells:
    """Asks the journal of a run, and keeps there what a later run will ask."""

    def __init__(self, loaded: LoadedConfig, machine: Machine, folder: RunFolder, journal: Journal) -> None:
        self.config, self.machine = loaded.config, machine
        self.folder, self.journal = folder, journal
        self._mirror = Path(self.config.mirror) if self.config.mirror else None
        self._common = _common_facts(loaded, machine)
        self._stamps: dict[str, str] = {}
        self._records = journal.cells()

    def cells(self, job: WorkerJob, tasks: Sequence[str]) -> list[CellRecord] | None:
        """The job's cells as the journal has them where nothing has changed since, else None."""
        entry = self.journal.meta(_key(job.model, job.shard, job.shards))
        if not entry or entry.get("facts") != self._facts(job) or "inputs" not in entry:
            return None

        cells = [self._records[job.model, task] for task in tasks if (job.model, task) in self._records]
        inputs = entry["inputs"]
        if len(cells) != len(tasks) or not self._same_files(inputs):
            return None
        return cells if self._same_model(self._spec(job.model), inputs) else None

    def begin(self, job: WorkerJob) -> None:
        """Notes the facts before a worker starts; what an earlier one left holds no longer."""
        self.journal.put_meta(_key(job.model, job.shard, job.shards), {"facts": self._facts(job)})

    def _facts(self, job: WorkerJob) -> str:
        spec = self._spec(job.model).model_dump(mode="json")
        return digest([self._common, spec, job.shard, job.shards])

    def _spec(self, label: str) -> ModelSpec:
        return next(model for model in self.config.models if model.label == label)

    def _same_files(self, inputs: dict[str, Any]) -> bool:
        # Workers of one engine import the same modules, so most stamps are looked up once per run.
        for key, before in inputs["stamps"].items():
            if key not in self._stamps:
                paths = self.journal.meta(key)
                self._stamps[key] = stamps_digest(unpacked(paths)) if paths else ""
            if self._stamps[key] != before:
                return False

        outputs = [str(self.folder.path / name) for name in inputs["outputs"]]
        return bool(stamps_digest(outputs) == inputs["written"])

    def _same_model(self, spec: ModelSpec, inputs: dict[str, Any]) -> bool:
        from harness.engines import backend_of, find_model

        try:
            commits = {("dataset", path): commit for path, commit in inputs["commits"].items()}
            if backend_of(spec).loads_files and not _is_local(spec, self._mirror):
                commits["model", spec.id] = inputs["revision"]
            if not all(_is_current(*key, commit, spec) for key, commit in commits.items()):
                return False

            # Found on this machine alone: a download belongs to the worker, which shows it.
            with presence.local_only():
                return bool(find_model(spec, self._mirror).model_id == inputs["model_id"])
        except HarnessError:
            return False


def keep_inputs(
    watch: InputWatch, folder: RunFolder, journal: Journal, job: tuple[str, int, int], model: dict[str, Any]
) -> None:
    """Notes what a worker read and wrote once each of its cells has ended as it always will.

    ``job``: label, shard, shards; ``model``: its ``model_id`` and ``revision``. Notes nothing where
    a change could go unnoticed.
    """
    inputs = watch.record(folder.path)
    entry = journal.meta(_key(*job))
    if inputs is None or not entry:
        return
    for key, paths in inputs.pop("paths").items():
        journal.put_meta(key, paths)

    samples = folder.samples(job[0], "x").parent
    written = sorted(str(path.relative_to(folder.path)) for path in samples.glob("*"))
    stamps = stamps_digest(str(folder.path / name) for name in written)
    outputs = {"outputs": written, "written": stamps}
    journal.put_meta(_key(*job), entry | {"inputs": inputs | outputs | model})


def _key(model: str, shard: int, shards: int) -> str:
    return f"settled:{model}:{shard}/{shards}"


def _common_facts(loaded: LoadedConfig, machine: Machine) -> dict[str, Any]:
    """What all models of a run share of what decides it."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_ENVIRONMENT) or name in _VARIABLES
    }
    return {
        "format": FORMAT,
        "rules": RULES,
        "config": loaded.config.model_dump(mode="json", exclude=_OF_OTHERS),
        "packages": package_versions(loaded),
        "python": [platform.python_version(), sys.executable, *site_folders()],
        "machine": [machine.device, machine.describe, platform.platform()],
        "environment": environment,
        "folder": str(Path.cwd()),
    }


def _is_local(spec: ModelSpec, mirror: Path | None) -> bool:
    return all(local_folder(name, mirror) for name in (spec.id, spec.tokenizer) if name)


def _is_current(kind: str, name: str, commit: str | None, spec: ModelSpec) -> bool:
    """Whether a repository of the hub still stands where it did; a commit's files never change."""
    if kind == "model":
        pinned = spec.revision is not None and len(spec.revision) == 40
        if pinned or presence.offline_switch() is not None:
            return True
    if presence.modelscope_chosen() or spec.tokenizer or presence.hub_absence() is not None:
        return False

    from huggingface_hub import HfApi

    try:
        revision = spec.revision if kind == "model" else None
        info = HfApi().repo_info(name, repo_type=kind, revision=revision, timeout=presence.WAIT)
    except Exception:  # whatever is wrong with the hub, the worker says it
        return False
    return bool(commit) and info.sha == commit
