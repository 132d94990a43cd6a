"""The walk of `harness bench`: start the workers, measure shape after shape, write ``speed.json``."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.benchmark.bench_model import BenchModel
from harness.benchmark.figures import cell_text, gate, gate_text
from harness.benchmark.rows import ShapeFacts, make_row
from harness.benchmark.samples import Line, SampleFile
from harness.benchmark.shapes import Shape, cell_id, policy_of, shapes_of
from harness.benchmark.turns import interleaves
from harness.benchmark.writing import write_results
from harness.config.schema import Speed
from harness.notebook import NotebookTables
from harness.progress.bench import BenchProgress
from harness.results.folder import FolderLock, RunFolder
from harness.results.speed import SpeedResults, SpeedRow
from harness.wording import plural
from harness.workers.conversation import Conversation, Refused, WorkerDied
from harness.workers.devices import Machine, find_machine
from harness.workers.executor import LocalExecutor
from harness.workers.process import WorkerCommand
from harness.workers.schedule import WorkerJob, make_jobs

if TYPE_CHECKING:
    from harness.config import LoadedConfig


@dataclass(frozen=True)
class BenchOutcome(NotebookTables):
    """What a bench left. ``exit_code``: 0 all cells measured, 1 some not, 130 interrupted."""

    results: SpeedResults
    folder: Path
    exit_code: int

    def __repr__(self) -> str:
        """The folder, how it ended, and how many rows there are."""
        rows = len(self.results.rows)
        return f"BenchOutcome: exit code {self.exit_code}; {plural(rows, 'row')}\n  {self.folder}"


def bench_config(
    loaded: LoadedConfig,
    *,
    out: Path | None = None,
    fresh: bool = False,
    usd: float | None = None,
    say: Callable[[str], None] | None = None,
    progress: BenchProgress | None = None,
) -> BenchOutcome:
    """Measures what is missing of a config's grid into ``speed.json`` of its run folder.

    The folder is ``results/<name>`` unless ``out``. ``say`` gets lines for people, ``progress`` the
    same with bars. Raises ConfigError for a wrong config or device
    and RunFolderError for a folder that cannot be used; what a model cannot do is a row's status,
    no exception.
    """
    from harness.benchmark.projection import chosen_chips

    # An unknown chip is found before hours of measuring, not after.
    config = loaded.config
    chosen_chips((config.speed or Speed()).project)
    folder = RunFolder((out or Path("results") / config.name).absolute())
    machine = find_machine(config.device)
    folder.prepare(config.name, {model.label for model in config.models}, loaded.to_yaml(), fresh=fresh)
    with FolderLock(folder.path):
        shown = progress or BenchProgress(say or (lambda text: None))
        return _Bench(loaded, folder, machine, usd, shown).go()


class _Bench:
    def __init__(
        self,
        loaded: LoadedConfig,
        folder: RunFolder,
        machine: Machine,
        usd: float | None,
        progress: BenchProgress,
    ) -> None:
        self.loaded, self.folder, self.machine, self.usd = loaded, folder, machine, usd
        self.progress, self.say = progress, progress.message
        self.config = loaded.config
        self.speed = self.config.speed or Speed()
        self.policy = policy_of(self.speed)
        self.session = uuid.uuid4().hex[:12]

        self.samples = SampleFile(folder.path / "speed-samples.jsonl")
        self.models = [BenchModel(spec) for spec in self.config.models]
        self.refused: dict[tuple[str, Shape], tuple[str, str]] = {}
        self.beside: list[str] = []
        self.executor = LocalExecutor(machine, self._command)

    def go(self) -> BenchOutcome:
        """Measures, and writes what there is, also after Ctrl-C."""
        interrupted = False
        groups = self._groups()
        self.progress.plan(len(self.models) * len(shapes_of(self.speed)), self.speed.seconds)
        try:
            for group in groups:
                self._group(group)
        except KeyboardInterrupt:
            interrupted = True
            self.say("interrupted: every repeat made is kept; run the same command again to go on")
        finally:
            for model in self.models:
                if model.talk is not None:
                    model.talk.worker.kill()

        # Rows come from the samples file alone, with the repeats of earlier sessions.
        rows = [self._row(model, shape) for model in self.models for shape in shapes_of(self.speed)]
        results = write_results(self.folder, self.loaded, self.machine, rows)
        bad = any(row.status != "ok" for row in rows)
        return BenchOutcome(results, self.folder.path, 130 if interrupted else 1 if bad else 0)

    def _groups(self) -> list[list[BenchModel]]:
        """All models in turn where they fit beside each other, else one after another."""
        mirror = Path(self.config.mirror) if self.config.mirror else None
        together = interleaves(self.config.models, self.speed, self.machine, mirror)
        return [self.models] if together else [[model] for model in self.models]

    def _group(self, group: Sequence[BenchModel]) -> None:
        self.beside = [model.spec.label for model in group]
        jobs = {job.model: job for job in make_jobs(self.config.models, self._weights(), self.machine, 1)}
        for model in group:
            worker = self.executor.start(jobs[model.spec.label])
            model.gpus, model.talk = len(worker.gpus), Conversation(worker, self.say)
            self._try(model, lambda model=model: self._identify(model))  # type: ignore[misc]

        for shape in shapes_of(self.speed):
            self._shape(group, shape)
        for model in group:
            if model.talk is not None:
                model.talk.worker.quit()
                self.executor.release(model.talk.worker)
                model.talk = None

    def _command(self, job: WorkerJob) -> WorkerCommand:
        arguments = (str(self.folder.path), "--model", job.model, "--device", self.machine.device)
        return WorkerCommand("harness.benchmark.worker", arguments, self.folder.log(job.model))

    def _weights(self) -> dict[str, int]:
        from harness.evaluation.plan import weight_bytes

        mirror = Path(self.config.mirror) if self.config.mirror else None
        sizes = {spec.label: weight_bytes(spec, self.machine.device, mirror) for spec in self.config.models}
        return {label: size for label, size in sizes.items() if size}

    def _identify(self, model: BenchModel) -> None:
        assert model.talk is not None
        model.who = model.talk.ask("identify")

    def _try(self, model: BenchModel, work: Callable[[], None]) -> bool:
        """Does something with a model's worker; one that ends takes only its own cells with it."""
        if model.failed is not None:
            return False

        try:
            work()
        except (WorkerDied, Refused) as error:
            model.failed = f"{error.kind}: {error}" if isinstance(error, Refused) else str(error)
            self.say(f"{model.spec.label}: {error}")
            return False
        return True

    # one shape

    def _shape(self, group: Sequence[BenchModel], shape: Shape) -> None:
        """Repeats in turn until every model's median is known or its time is up.

        The order turns with each round.
        """
        wanted = [model for model in group if model.failed is None and self._verdict(model, shape) == "more"]
        going = [model for model in wanted if self._ready(model, shape)]
        everyone = list(going)
        for model in group:
            if model not in everyone:
                self._ended(model, shape, measured=False)

        turn = 0
        while going:
            # Turned, so that what the machine does at regular times falls on every model.
            first = turn % len(going)
            for model in [*going[first:], *going[:first]]:
                self._repeat(model, shape)
            going = [model for model in going if self._goes_on(model, shape)]
            turn += 1
        for model in everyone:
            if model.failed is None and (model.spec.label, shape) not in self.refused:
                self._energy(model, shape)
            self._ended(model, shape)

    def _ended(self, model: BenchModel, shape: Shape, *, measured: bool = True) -> None:
        """Says what a cell gave."""
        row = self._row(model, shape)
        before = "" if measured or row.status != "ok" else ", measured before"
        self.progress.ended(
            f"{model.spec.label} {shape.label}", f"{cell_text(row)}{before}", measured=measured
        )

    def _goes_on(self, model: BenchModel, shape: Shape) -> bool:
        return (
            model.failed is None
            and (model.spec.label, shape) not in self.refused
            and self._verdict(model, shape) == "more"
        )

    def _ready(self, model: BenchModel, shape: Shape) -> bool:
        """Loads where that was not done yet, and warms up with the shape itself."""

        def work() -> None:
            assert model.talk is not None
            if not model.loaded:
                self.progress.waiting(f"{model.spec.label}: measuring the machine and loading")
                facts = model.talk.ask("load")
                self.samples.add("load", self._who_id(model), session=self.session, gpus=model.gpus, **facts)
                model.loaded = True
                self.say(f"{model.spec.label}: ready after {facts['seconds']:.1f} s")

        if not self._try(model, work):
            return False
        self.progress.waiting(f"{model.spec.label} {shape.label}: warming up")
        warmed = self._ask(model, shape, "warm")
        if warmed is None:
            return False

        # All repeats of a cell are alike: an earlier session's number of waves holds.
        repeats = self.samples.repeats(self._cell(model, shape))
        model.waves[shape] = len(repeats[-1]["walls"]) if repeats else int(warmed["waves"])
        return True

    def _repeat(self, model: BenchModel, shape: Shape) -> None:
        cell = self._cell(model, shape)
        number = len(self.samples.repeats(cell))
        repeat = self._ask(model, shape, "repeat", waves=model.waves[shape], number=number)
        if repeat is None:
            return

        accepted = self.speed.shared or repeat["drift"] <= self.speed.drift
        line = self.samples.add(
            "repeat", cell, session=self.session, accepted=accepted, beside=self.beside, **repeat
        )
        note = (
            "" if repeat["drift"] <= self.speed.drift else f", the machine drifted by {repeat['drift']:.1%}"
        )
        spent = sum(one["elapsed"] for one in self.samples.repeats(cell))
        text = f"repeat {number + 1}, {gate_text(line, shape)}{note}"
        self.progress.repeat(f"{model.spec.label} {shape.label}", spent, text)

    def _ask(self, model: BenchModel, shape: Shape, do: str, **fields: Any) -> dict[str, Any] | None:
        """A worker's answer, or None.

        One that refused leaves its cell without a figure, one that died leaves its model without.
        """
        assert model.talk is not None
        try:
            return model.talk.ask(do, shape=shape.to_dict(), **fields)
        except Refused as error:
            self.refused[model.spec.label, shape] = (error.kind, str(error))
            refusal = {"session": self.session, "error": error.kind, "reason": str(error)}
            self.samples.add("refused", self._cell(model, shape), **refusal)
            self.say(f"{model.spec.label} {shape.label}: {error.kind}: {error}")
        except WorkerDied as error:
            model.failed = str(error)
            self.say(f"{model.spec.label}: {error}")
        return None

    def _energy(self, model: BenchModel, shape: Shape) -> None:
        if not self.speed.energy_seconds:
            return
        load = self.samples.last("load", self._who_id(model)) or {}
        self.progress.waiting(f"{model.spec.label} {shape.label}: measuring energy")
        fields = {"seconds": self.speed.energy_seconds, "idle_watts": load.get("idle_watts")}
        window = self._ask(model, shape, "energy", **fields)
        if window is not None:
            self.samples.add("energy", self._cell(model, shape), session=self.session, **window)

    # what is known

    def _verdict(self, model: BenchModel, shape: Shape) -> str:
        lines = self.samples.repeats(self._cell(model, shape))
        values = [gate(line, shape) for line in lines if line["accepted"]]
        return self.policy.verdict(values, len(lines), sum(line["elapsed"] for line in lines))

    def _cell(self, model: BenchModel, shape: Shape) -> str:
        return cell_id(model.who.get("who", {"model": model.spec.label}), shape, self.speed, self.config.seed)

    def _who_id(self, model: BenchModel) -> str:
        from harness.evaluation.identity import digest

        return digest(model.who.get("who", {"model": model.spec.label}))

    def _row(self, model: BenchModel, shape: Shape) -> SpeedRow:
        cell = self._cell(model, shape)
        load = self.samples.last("load", self._who_id(model))
        refused = self.refused.get((model.spec.label, shape))
        reason = model.failed if model.failed else f"{refused[0]}: {refused[1]}" if refused else None
        lines: list[Line] = self.samples.repeats(cell)
        facts = ShapeFacts(
            cell, model.spec, shape, self.speed, load, model.who, self.loaded.hash, self.machine, self.usd
        )
        return make_row(facts, lines, self.samples.last("energy", cell), reason)
