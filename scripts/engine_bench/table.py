"""Ratios from raw measurements, and the table that a person reads."""

from __future__ import annotations

from typing import Any

from engine_bench.cases import CASES


def figures(ours: list[dict[str, Any]], sketch: dict[str, Any], theirs: list[dict[str, Any]]) -> dict[str, Any]:
    """A row a case: raw seconds of every run, ratios against the fastest batch size of lm-eval and against the sketch."""
    rows = {}
    for case in CASES:
        if case.name not in ours[0]["cases"]:
            continue
        runs = [run["cases"][case.name] for run in ours]
        rivals = {run["batch_size"]: run["cases"][case.name] for run in theirs}
        slow, best = max(run["seconds"] for run in runs), min(rivals.values(), key=lambda run: run["seconds"])
        row = {
            "questions": runs[0]["questions"],
            "ours_seconds": [run["seconds"] for run in runs],
            "ours_cpu_seconds": [run["cpu_seconds"] for run in runs],
            "ours_above_idle_mb": max(run["above_idle_mb"] for run in runs),
            "lm_eval": {str(size): {key: run[key] for key in ("seconds", "cpu_seconds", "above_idle_mb")} for size, run in rivals.items()},
            "ratio": best["seconds"] / slow,
            "memory_share": max(run["above_idle_mb"] for run in runs) / best["above_idle_mb"],
            "least": case.least,
            "aim": case.aim,
            **_agreement(runs[0]["answers"], best["answers"]),
        }
        if case.name in sketch:
            row |= {"sketch": sketch[case.name], "ratio_to_sketch": sketch[case.name]["score_s"] / slow}
        rows[case.name] = row
    return {"rows": rows, "ours": {key: value for key, value in ours[0].items() if key != "cases"}}


def _agreement(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> dict[str, Any]:
    """The largest difference of a log-probability (a sum over its tokens), and how many arg-maxes differ."""
    worst = max(abs(a - b) for key, values in ours.items() for a, b in zip(values, theirs[key], strict=True))
    flips = sum(values.index(max(values)) != theirs[key].index(max(theirs[key])) for key, values in ours.items())
    return {"largest_difference": worst, "arg_max_differs": flips}


def show(found: dict[str, Any]) -> None:
    """Prints the table."""
    for dtype, part in found["scoring"].items():
        for name, row in part["rows"].items():
            sketch = f"{row['ratio_to_sketch']:.2f}x sketch" if "ratio_to_sketch" in row else ""
            seconds = "/".join(f"{value:.2f}" for value in row["ours_seconds"])
            rivals = "/".join(f"{run['seconds']:.1f} (batch {size})" for size, run in row["lm_eval"].items())
            print(
                f"{dtype:9} {name:30} {row['questions']:4} questions  ours {seconds} s  lm-eval {rivals} s  {row['ratio']:.1f}x {sketch}  "
                f"memory {row['memory_share']:.2f}  difference {row['largest_difference']:.1e}, {row['arg_max_differs']} arg-maxes"
            )
    total = {who: part["building_seconds"] + part["tokenising_seconds"] for who, part in found["prompts"].items()}
    same = found["prompts"]["ours"]["ids"] == found["prompts"]["lm-eval"]["ids"]
    print(f"prompts: {total}, {total['lm-eval'] / total['ours']:.1f}x, same ids: {same}")
    print(f"ceiling: {found['ceiling']['share']:.0%} of {found['ceiling']['gemm'] / 1e9:.0f} GFLOP/s")
    for row in found["growth"]:
        print(f"growth: {row}")
