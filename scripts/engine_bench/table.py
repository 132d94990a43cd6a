"""Ratios from raw measurements, and the table that a person reads."""

from __future__ import annotations

from typing import Any

from engine_bench.cases import CASES


def figures(
    ours: list[dict[str, Any]], sketch: dict[str, Any], theirs: list[dict[str, Any]]
) -> dict[str, Any]:
    """A row a case: raw seconds of every run, ratios against the fastest batch size of lm-eval and
    against the sketch.
    """
    rows = {}
    for case in CASES:
        if case.name not in ours[0]["cases"]:
            continue
        runs = [run["cases"][case.name] for run in ours]
        rivals = {run["batch_size"]: run["cases"][case.name] for run in theirs if case.name in run["cases"]}

        # Ours counts by its slower run, the rival by its fastest batch size: the ratio is on the
        # safe side.
        slow = max(run["seconds"] for run in runs)
        row = {
            "questions": runs[0]["questions"],
            "ours_seconds": [run["seconds"] for run in runs],
            "ours_cpu_seconds": [run["cpu_seconds"] for run in runs],
            "ours_above_idle_mb": max(run["above_idle_mb"] for run in runs),
            "least": case.least,
            "aim": case.aim,
        }

        if rivals:
            best = min(rivals.values(), key=lambda run: run["seconds"])
            row |= {
                "lm_eval": {
                    str(size): {key: run[key] for key in ("seconds", "cpu_seconds", "above_idle_mb")}
                    for size, run in rivals.items()
                },
                "ratio": best["seconds"] / slow,
                "memory_share": max(run["above_idle_mb"] for run in runs) / best["above_idle_mb"],
                **_agreement(runs[0]["answers"], best["answers"]),
            }

        if case.name in sketch:
            row |= {"sketch": sketch[case.name], "ratio_to_sketch": sketch[case.name]["score_s"] / slow}
        rows[case.name] = row
    return {"rows": rows, "ours": {key: value for key, value in ours[0].items() if key != "cases"}}


def _agreement(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> dict[str, Any]:
    """The largest difference of a log-probability (a sum over its tokens), and how many arg-maxes
    differ.
    """
    worst = max(abs(a - b) for key, values in ours.items() for a, b in zip(values, theirs[key], strict=True))
    flips = sum(
        values.index(max(values)) != theirs[key].index(max(theirs[key])) for key, values in ours.items()
    )
    return {"largest_difference": worst, "arg_max_differs": flips}


def generation(
    ours: list[dict[str, Any]], peer: dict[str, Any], theirs: list[dict[str, Any]]
) -> dict[str, Any]:
    """The same for generation; ``differ``: questions whose text is another one than lm-eval's."""
    rows = {}
    for name, first in ours[0]["cases"].items():
        runs = [run["cases"][name] for run in ours]
        rivals = {run["batch_size"]: run["cases"][name] for run in theirs}

        # As in `figures`: our slower run against the rival's fastest batch size.
        best = min(rivals.values(), key=lambda run: run["seconds"])
        slow = max(run["seconds"] for run in runs)
        lengths = sorted(first["lengths"].values())

        rows[name] = {
            "questions": first["questions"],
            "tokens": {
                "least": lengths[0],
                "median": lengths[len(lengths) // 2],
                "most": lengths[-1],
                "all": sum(lengths),
            },
            "ours_seconds": [run["seconds"] for run in runs],
            "ours_above_idle_mb": max(run["above_idle_mb"] for run in runs),
            "lm_eval": {
                str(size): {key: run[key] for key in ("seconds", "cpu_seconds", "above_idle_mb")}
                for size, run in rivals.items()
            },
            "ratio": best["seconds"] / slow,
            "lm_eval_above_idle_mb": best["above_idle_mb"],
            "differ": sum(text != best["texts"][key] for key, text in first["texts"].items()),
        }

        if name in peer.get("cases", {}):
            rows[name] |= {"transformers_seconds": peer["cases"][name]["seconds"]}
            rows[name] |= {"ratio_to_transformers": peer["cases"][name]["seconds"] / slow}
    return rows


def show(record: dict[str, Any]) -> None:
    """Prints the table of the parts that are there."""
    for dtype, part in record.get("scoring", {}).items():
        for name, row in part["rows"].items():
            _show_row(f"{dtype:9} {name}", row)
    for name, row in record.get("generation", {}).items():
        _show_row(f"written   {name}", row)

    if "prompts" in record:
        total = {
            who: part["building_seconds"] + part["tokenising_seconds"]
            for who, part in record["prompts"].items()
        }
        same = record["prompts"]["ours"]["ids"] == record["prompts"]["lm-eval"]["ids"]
        print(f"prompts: {total}, {total['lm-eval'] / total['ours']:.1f}x, same ids: {same}")

    for row in record.get("ceiling", []):
        print(
            f"ceiling: {row['dtype']} {row['achieved'] / 1e9:.0f} GFLOP/s, {row['share']:.0%} of a square "
            f"product's {row['gemm'] / 1e9:.0f}"
        )
    for row in record.get("growth", []):
        print(f"growth: {row}")
    if "formats" in record:
        print(f"formats: {record['formats']}")


def _show_row(name: str, row: dict[str, Any]) -> None:
    parts = [
        f"{name:50} {row['questions']:4} questions",
        "ours " + "/".join(f"{value:.2f}" for value in row["ours_seconds"]) + " s",
    ]
    if "lm_eval" in row:
        parts.append(
            "lm-eval "
            + "/".join(f"{run['seconds']:.1f} (batch {size})" for size, run in row["lm_eval"].items())
            + " s"
        )
        parts.append(
            f"{row['ratio']:.1f}x" + (f", memory {row['memory_share']:.2f}" if "memory_share" in row else "")
        )

    if "largest_difference" in row:
        parts.append(f"difference {row['largest_difference']:.1e}, {row['arg_max_differs']} arg-maxes")
    if "differ" in row:
        parts.append(f"{row['differ']} texts differ")

    parts += [
        f"{row[key]:.2f}x {peer}"
        for key, peer in (("ratio_to_sketch", "sketch"), ("ratio_to_transformers", "transformers"))
        if key in row
    ]
    print("  ".join(parts))
