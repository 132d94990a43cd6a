"""How often 95 % intervals hold the true value, and how often p values cry wolf: simulated
(seeded), the old formulas beside those in use.

usage: python scripts/coverage.py [--quick] [--out FILE] The whole takes under three minutes on one
core; --quick a few seconds (fewer rounds, so figures to ±2 points). JSON goes to
results/recorded/coverage.json. ``before`` are the formulas of scripts/coverage_before.py, ``after``
those of harness.analysis. Sampling error of a coverage of 95 % over 4,000 rounds: 0.35 points.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import coverage_before as before  # noqa: E402
from coverage_pairs import SEED, Case, covers, differences, false_alarms, letters  # noqa: E402

from harness.analysis.chance import above_chances, slopes  # noqa: E402
from harness.analysis.index import ends  # noqa: E402
from harness.analysis.intervals import normal, wilson  # noqa: E402
from harness.analysis.spread import Clusters, from_codes, score_interval, spread  # noqa: E402
from harness.analysis.strata import Stratum, mixture, of_row, share_interval  # noqa: E402
from harness.results.files import write_json  # noqa: E402
from harness.results.schema import Row  # noqa: E402
from harness.version import __version__  # noqa: E402


def single_scores(_: int) -> Iterator[Case]:
    """Wilson's interval of one task, by the binomial distribution itself: over all true shares from
    0.02 to 0.98, and at four of them.
    """
    from scipy.stats import binom

    for n in (20, 30, 50, 100, 200, 500, 1000):
        counts = np.arange(n + 1)
        all_ends = np.array([wilson(float(count), n) for count in counts])
        coverage = {}
        for p in (*np.linspace(0.02, 0.98, 961), 0.02, 0.05, 0.95, 0.98):
            inside = (all_ends[:, 0] <= p + 1e-12) & (p - 1e-12 <= all_ends[:, 1])
            coverage[round(float(p), 4)] = float(binom.pmf(counts[inside], n, p).sum())

        # The grid shows the worst share, the four points what a reader may look up.
        shares = list(coverage.values())
        at = {str(p): round(coverage[p], 4) for p in (0.02, 0.05, 0.95, 0.98)}
        yield {
            "case": f"{n} items",
            "least": round(min(shares), 4),
            "mean": round(float(np.mean(shares)), 4),
            "at": at,
        }


GROUPS: dict[str, tuple[list[float], list[int], bool]] = {
    f"{count} subjects × {n} items, p = {p}": ([p] * count, [n] * count, True)
    for count, n in ((5, 20), (10, 20), (57, 2), (57, 5))
    for p in (0.02, 0.5, 0.95, 0.98)
} | {
    "57 subjects × 5 items, p from 0.02 to 0.98": (list(np.linspace(0.02, 0.98, 57)), [5] * 57, True),
    "57 subjects × 1 item, p = 0.9": ([0.9] * 57, [1] * 57, True),
    "20 subjects of 5 to 290 items, p from 0.6 to 0.99, by items": (
        list(np.linspace(0.6, 0.99, 20)),
        list(range(5, 305, 15)),
        True,
    ),
    "mean of 2 tasks: 20 items p = 0.9, 1,000 items p = 0.5": ([0.9, 0.5], [20, 1000], False),
    "mean of 2 tasks: 100 items p = 0.99, 1,000 items p = 0.97": ([0.99, 0.97], [100, 1000], False),
    "mean of 3 tasks: 30 items p = 0.98, 200 p = 0.6, 500 p = 0.3": ([0.98, 0.6, 0.3], [30, 200, 500], False),
    "mean of 20 tasks of 5 to 290 items, p from 0.99 to 0.6": (
        list(np.linspace(0.99, 0.6, 20)),
        list(range(5, 305, 15)),
        False,
    ),
    "mean of 6 tasks of 50 items, p = 0.02": ([0.02] * 6, [50] * 6, False),
}


def groups(rounds: int) -> Iterator[Case]:
    """Groups weighted by items, and plain means over tasks."""
    for name, (shares, counts, weighted) in GROUPS.items():
        rng = np.random.default_rng(SEED)
        sizes = np.array(counts, float)
        weights = sizes / sizes.sum() if weighted else np.full(len(sizes), 1 / len(sizes))
        truth = float(weights @ np.array(shares))

        # Both intervals see the same draws, so their difference is none of chance.
        old = new = 0
        for _ in range(rounds):
            right = rng.binomial(counts, shares).astype(float)
            old += covers(before.group_interval(right, sizes, weights), truth)
            strata = {str(i): (weights[i], Stratum(right[i] / sizes[i], sizes[i])) for i in range(len(sizes))}
            new += covers(share_interval(strata), truth)
        yield {"case": name, "before": old / rounds, "after": new / rounds, "rounds": rounds}


INDICES: dict[str, tuple[list[float], list[int], list[float]]] = {
    "guessing, 6 tasks × 100 items of 4 options": ([0.25] * 6, [100] * 6, [0.25] * 6),
    "guessing, 6 tasks × 1,000 items of 4 options": ([0.25] * 6, [1000] * 6, [0.25] * 6),
    "guessing, 39 tasks × 250 items of 2 to 10 options": (
        [1 / k for k in range(2, 11)] * 4 + [0.5] * 3,
        [250] * 39,
        [],
    ),
    "half guessing: 3 tasks p = 0.25, 3 p = 0.7": ([0.25] * 3 + [0.7] * 3, [200] * 6, [0.25] * 6),
    "nearly all right: 6 tasks × 50, p = 0.98": ([0.98] * 6, [50] * 6, [0.25] * 6),
    "all right but for rare slips: 6 tasks × 100, p = 0.995": ([0.995] * 6, [100] * 6, [0.25] * 6),
    "nearly all wrong, generated: 6 tasks × 50, p = 0.02": ([0.02] * 6, [50] * 6, [0.0] * 6),
    "middling: 6 tasks × 200, p from 0.4 to 0.9": (list(np.linspace(0.4, 0.9, 6)), [200] * 6, [0.25] * 6),
}


def index(rounds: int) -> Iterator[Case]:
    """The composite index, parts of one weight, each one task."""
    for name, (shares, counts, levels) in INDICES.items():
        rng = np.random.default_rng(SEED)
        chances = levels or shares
        sizes, bounds = np.array(counts, float), np.array(chances)

        # The index has a floor at guessing, so the truth is taken after it, too.
        truth = float(
            np.mean(
                [
                    100 * above_chances([p], [b], [1.0], floor=True)
                    for p, b in zip(shares, chances, strict=True)
                ]
            )
        )

        old = new = 0
        for _ in range(rounds):
            right = rng.binomial(counts, shares).astype(float)
            old += covers(before.index_interval(right, sizes, bounds, rng), truth)
            new += covers(index_now(right / sizes, sizes, chances), truth)
        yield {"case": name, "before": old / rounds, "after": new / rounds, "rounds": rounds}


def index_now(values: Any, sizes: Any, chances: list[float]) -> tuple[float, float]:
    """The interval in use, each task a part of its own."""
    parts = []
    for position, (value, size, chance) in enumerate(zip(values, sizes, chances, strict=True)):
        parts.append(
            mixture([{str(position): (1.0, Stratum(value, size))}], [100 * slopes([chance], [1.0])[0]])
        )

    strata = mixture(parts, [1 / len(parts)] * len(parts))
    assert strata is not None
    value, plain = (
        100
        * float(
            np.mean(
                [above_chances([v], [b], [1.0], floor=floor) for v, b in zip(values, chances, strict=True)]
            )
        )
        for floor in (True, False)
    )
    return ends(value, plain, strata)


def zipf(count: int, items: int) -> list[int]:
    """Sizes of sources that fall as 1/rank."""
    shares = 1 / np.arange(1, count + 1)
    return [max(1, round(items * share / shares.sum())) for share in shares]


SOURCES = {
    "3 sources × 10": [10] * 3,
    "5 sources × 10": [10] * 5,
    "12 sources × 10": [10] * 12,
    "30 sources × 8": [8] * 30,
    "100 sources × 3": [3] * 100,
    "10 sources, Zipf, 100 items": zipf(10, 100),
    "20 sources, Zipf, 200 items": zipf(20, 200),
    "50 sources, Zipf, 300 items": zipf(50, 300),
    "20 single items and a source of 20": [1] * 20 + [20],
}
ALIKE = (0.01, 0.3, 0.7)
"""Shares of the variance that lie between sources."""


def sources(rounds: int) -> Iterator[Case]:
    """Right or wrong answers to items that share sources (beta-binomial): the lowest coverage over
    three degrees of likeness.
    """
    for name, sizes in SOURCES.items():
        codes = np.repeat(np.arange(len(sizes)), sizes)
        clusters = from_codes(codes)
        assert clusters is not None
        for p in (0.02, 0.05, 0.5, 0.9, 0.95, 0.98):
            # A seed per case: a case added later changes no other.
            rng = np.random.default_rng(SEED)
            old, new = [], []
            for alike in ALIKE:
                scale = (1 - alike) / alike
                hits = [0, 0]
                for _ in range(rounds):
                    # A beta distribution of this scale puts the share ``alike`` of the variance
                    # between sources.
                    ease = rng.beta(p * scale, (1 - p) * scale, len(sizes))
                    scores = (rng.random(len(codes)) < ease[codes]).astype(float)
                    hits[0] += covers(before.clustered_interval(scores, clusters), p)
                    hits[1] += covers(score_interval(scores, clusters), p)
                old.append(hits[0] / rounds)
                new.append(hits[1] / rounds)

            yield {"case": f"{name}, p = {p}", "before": min(old), "after": min(new), "rounds": rounds}


def grouped_sources(rounds: int) -> Iterator[Case]:
    """Groups weighted by items whose tasks' items share sources, through result rows."""
    for (count, per, size), p in product(((5, 6, 5), (10, 20, 3), (20, 3, 4)), (0.5, 0.95, 0.98)):
        rng = np.random.default_rng(SEED)
        clusters = from_codes(np.repeat(np.arange(per), size))
        assert clusters is not None

        hits = [0, 0]
        for _ in range(rounds // 10):
            ease = rng.beta(p * 7 / 3, (1 - p) * 7 / 3, (count, per))
            tasks = (rng.random((count, per * size)) < ease.repeat(size, axis=1)).astype(float)
            rows = [row_of(scores, clusters, str(number)) for number, scores in enumerate(tasks)]

            # Before, the errors of the subjects were added as if independent and normal.
            error = float(np.sqrt(sum((row.stderr or 0.0) ** 2 for row in rows))) / count
            hits[0] += covers(normal(float(tasks.mean()), error), p)
            strata = mixture([of_row(row) for row in rows], [1 / count] * count)
            hits[1] += strata is not None and covers(share_interval(strata), p)

        case = f"{count} subjects of {per} sources × {size}, p = {p}"
        yield {
            "case": case,
            "before": hits[0] / (rounds // 10),
            "after": hits[1] / (rounds // 10),
            "rounds": rounds // 10,
        }


def row_of(scores: Any, clusters: Clusters, task: str) -> Row:
    """A task's result row as a run writes it."""
    error = spread(scores, clusters)
    trust = {
        "stderr": error.stderr,
        "ci95": score_interval(scores, clusters),
        "interval": "wilson-clustered",
        "clusters": error.clusters,
    }
    return Row(
        cell_id="", model="", task=task, metric="acc", value=error.mean, n=error.n, status="ok", **trust
    )


PARTS: dict[str, tuple[Callable[[int], Iterator[Case]], int]] = {
    "single scores (Wilson, exact)": (single_scores, 0),
    "groups and averages": (groups, 4000),
    "composite index": (index, 2000),
    "shared sources": (sources, 1500),
    "groups of tasks with shared sources": (grouped_sources, 10000),
    "mean differences": (differences, 2000),
    "false alarms of equal models": (false_alarms, 2000),
    "equal models without a common letter": (letters, 2000),
}


def main() -> None:
    """Runs every part and writes what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of the rounds, and nothing is written without --out"
    )
    parser.add_argument("--out", type=Path, help="default: results/recorded/coverage.json")
    args = parser.parse_args()

    coverage: dict[str, list[Case]] = {}
    for name, (part, rounds) in PARTS.items():
        begin = time.perf_counter()
        print(f"# {name}: {(part.__doc__ or '').strip()}")
        coverage[name] = []
        for case in part(rounds // 20 if args.quick else rounds):
            case = {
                key: round(value, 4) if isinstance(value, float) else value for key, value in case.items()
            }
            coverage[name].append(case)
            print(json.dumps(case, ensure_ascii=False), flush=True)
        print(f"# {time.perf_counter() - begin:.0f} s")

    # A quick run is for trying the script: it must not replace the record.
    out = args.out or (None if args.quick else ROOT / "results/recorded/coverage.json")
    if out is not None:
        what = (
            "how often 95 % intervals hold the true value, and how often p values of equal models are below "
            "0.05; simulated"
        )
        write_json(
            out,
            {
                "what": what,
                "harness_version": __version__,
                "seed": SEED,
                "numpy": np.__version__,
                "found": coverage,
            },
        )


if __name__ == "__main__":
    main()
