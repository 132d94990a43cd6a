"""What metering costs: the same cells answered and marked with the meter on and off, interleaved,
on one loaded model.

usage: python scripts/bench_meter.py [--out FILE] [--model bundled/tiny-qwen] [--pairs 12]
[--seconds 240] [--limit 100] A pair is one task's cell both ways, one right after the other, in an
order that changes from pair to pair; pairs go on until --seconds are used, at least --pairs of
them. Each way has a journal of its own, so that every answer is computed. The figure is the median
over pairs of (on − off) / off, with a bootstrap interval, and beside it the seconds that were spent
in the meter itself, by the wall clock of the cell. A tiny model is the hardest case: the less an
answer costs, the larger the meter's part. Where the machine has no energy counters, made-up ones
are read, so that the sampling runs.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

TASKS = ("zh_arithmetic", "en_reading", "zh_word_problems", "en_word_problems", "zh_passages")
TARGET = 0.01


class Never:
    """Nobody asks to stop."""

    asked = False


def fake_counters(folder: Path) -> Path:
    """A RAPL tree with one package and its memory, whose counters stand still."""
    for name, kind in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "dram")):
        (folder / name).mkdir(parents=True)
        for file, text in (("name", kind), ("energy_uj", "1000000"), ("max_energy_range_uj", "262143328850")):
            (folder / name / file).write_text(text)
    return folder


class Bench:
    """One loaded engine, and the work that is timed."""

    def __init__(self, model: str, limit: int, folder: Path) -> None:
        from harness.config.schema import Config
        from harness.engines import open_engine
        from harness.evaluation.metering import Meter
        from harness.meter import energy
        from harness.tasks import DataSources

        self.folder = folder
        tasks = [{"task": name} for name in TASKS]
        self.plain = Config.model_validate(
            {"name": "meter", "models": [{"id": model}], "tasks": tasks, "limit": limit, "device": "cpu"}
        )

        # A machine without energy counters reads files of the same form, which costs the same.
        self.counters = "read" if Path("/sys/class/powercap/intel-rapl:0/energy_uj").exists() else "made up"
        if self.counters == "made up":
            counters = fake_counters(folder / "powercap")
            energy.open_source = functools.partial(energy.open_source, root=counters)
        self.engine = open_engine(self.plain.models[0], device="cpu")
        self.inside = 0.0
        self.sources = DataSources()
        self.nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the script runs
        self._clock(Meter)

    def _clock(self, meter: type) -> None:
        """Adds up the seconds inside the meter's sums: `keep` and `read_sizes`."""
        keep, bench = meter.keep, self  # type: ignore[attr-defined]

        def timed(self: Any, cell: Any) -> None:
            begun = time.perf_counter()
            keep(self, cell)
            bench.inside += time.perf_counter() - begun

        meter.keep = timed  # type: ignore[attr-defined]
        cell_module: Any = importlib.import_module("harness.evaluation.cell")
        sizes = cell_module.read_sizes

        def sized(items: Any, keys: Any) -> Any:
            begun = time.perf_counter()
            lengths = sizes(items, keys)
            bench.inside += time.perf_counter() - begun
            return lengths

        cell_module.read_sizes = sized

    def cells(self, number: int, order: random.Random) -> list[dict[str, Any]]:
        """Each task's cell both ways, one right after the other: seconds, seconds of the CPU,
        seconds in the meter, answers.
        """
        from harness.tasks import expand

        works = {on: self._work(on, number) for on in (True, False)}
        pairs = []
        for spec in expand(self.plain.tasks, limit=self.plain.limit, base_dir=ROOT).tasks:
            # Whichever comes first may warm a cache, so chance decides.
            first = order.random() < 0.5
            pair: dict[str, Any] = {"task": spec.name, "on_first": first}
            for on in (first, not first):
                work, files, style = works[on]
                self.inside = 0.0
                begun, used = time.perf_counter(), time.process_time()
                work._cell(spec, files, style, self.sources)
                name = "on" if on else "off"
                pair |= {name: time.perf_counter() - begun, f"cpu_{name}": time.process_time() - used}
                if on:
                    pair["in_meter"] = self.inside
            pairs.append(pair)
        for on, (work, _, _) in works.items():
            cells = work.journal.cells()
            assert all(cell.status == "ok" for cell in cells.values()), [
                cell.reason for cell in cells.values()
            ]
            assert bool(work.journal.tallies()) == on
            answers = {cell.task: len(work.journal.asked(cell.cell_id)) for cell in cells.values()}
            for pair in pairs:
                assert pair.setdefault("answers", answers[pair["task"]]) == answers[pair["task"]]
            work.journal.close()
        return pairs

    def _work(self, on: bool, number: int) -> tuple[Any, Any, Any]:
        """A worker's work with a journal of its own, on the engine that is loaded."""
        from harness.evaluation.setup import WorkSetup
        from harness.evaluation.work import ModelWork
        from harness.results.folder import RunFolder
        from harness.workers.stream import EventStream

        config = self.plain.model_copy(update={"meter": on})
        folder = RunFolder(self.folder / f"{number}-{'on' if on else 'off'}")
        folder.path.mkdir()
        setup = WorkSetup(config, config.models[0], folder, "cpu", f"s{number}")
        work = ModelWork(setup, EventStream(self.nowhere), Never())
        files, style = work._prepare()
        work.engine = self.engine
        return work, files, style


def interval(values: list[float]) -> list[float]:
    """95 % bootstrap interval of the median (2,000 resamples, fixed seed)."""
    import numpy as np

    drawn = np.random.default_rng(0).choice(np.asarray(values), (2000, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return [float(low), float(high)]


def main() -> int:
    """Measures and writes the record; 1 where the meter costs more than its target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "results/recorded/bench-meter.json")
    parser.add_argument("--model", default="bundled/tiny-qwen")
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--limit", type=int, default=100)
    args = parser.parse_args()
    import statistics

    from harness.evaluation.manifest import describe_hardware, package_versions
    from harness.results.files import write_json
    from harness.workers.devices import find_machine

    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.model, args.limit, Path(folder))
        order = random.Random(0)
        bench.cells(-1, order)  # warm-up, both ways
        pairs: list[dict[str, Any]] = []
        begun = time.perf_counter()
        while len(pairs) < args.pairs or time.perf_counter() - begun < args.seconds:
            pairs += bench.cells(len(pairs), order)
    shares = [pair["on"] / pair["off"] - 1 for pair in pairs]
    cpu = [pair["cpu_on"] / pair["cpu_off"] - 1 for pair in pairs]
    inside = [pair["in_meter"] / pair["on"] for pair in pairs]
    record = {
        "what": "wall clock of cells with the meter on against off, interleaved pairs on one loaded model",
        "model": args.model,
        "tasks": TASKS,
        "limit": args.limit,
        "energy_counters": bench.counters,
        "pairs": len(pairs),
        "overhead": {"median": statistics.median(shares), "ci95": interval(shares)},
        "cpu_overhead": {"median": statistics.median(cpu), "ci95": interval(cpu)},
        "in_meter": {"median": statistics.median(inside), "ci95": interval(inside)},
        "target": TARGET,
        "samples": pairs,
        "hardware": describe_hardware(find_machine("cpu")),
        "packages": package_versions(),
    }
    write_json(args.out, record)
    middle, part = statistics.median(shares), statistics.median(inside)
    print(
        f"{len(pairs)} pairs: overhead {100 * middle:+.2f} % {interval(shares)}, in the meter "
        f"{100 * part:.2f} %, CPU {interval(cpu)}"
    )
    return 0 if statistics.median(shares) <= TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
