"""Ratios, agreement and the printed table."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from vllm_bench.cases import CASES


def compare(peers: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a case: seconds (median), the ratio to lm-eval's engine, and how the answers differ.

    Answers are taken out of ``peers``.
    """
    rows = []
    for case in CASES:
        figures = {
            name: peer["cases"][case.name] for name, peer in peers.items() if case.name in peer["cases"]
        }
        if "ours" not in figures:
            continue

        # Answers are compared here and not kept: the file would be of their size.
        answers = {name: one.pop("answers") for name, one in figures.items()}
        seconds = {name: median(one["seconds"]) for name, one in figures.items()}
        row: dict[str, Any] = {
            "case": case.name,
            "questions": figures["ours"]["questions"],
            "seconds": seconds,
        }
        if "lm-eval" in seconds:
            row |= {"ratio": seconds["lm-eval"] / seconds["ours"], "least": case.least, "aim": case.aim}
        row["differences"] = {
            name: agreement(answers["ours"], answers[name]) for name in answers if name != "ours"
        }
        rows.append(row)
    return rows


def agreement(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> dict[str, Any]:
    """The largest difference of a log-probability, the items whose choice differs, and that share
    in standard errors of a proportion.
    """
    largest = max(
        abs(a - b) for key, values in ours.items() for a, b in zip(values, theirs[key], strict=True)
    )
    changed = sorted(key for key, values in ours.items() if _best(values) != _best(theirs[key]))
    error = math.sqrt(0.25 / len(ours))
    return {
        "largest": largest,
        "changed": changed,
        "changed_in_standard_errors": len(changed) / len(ours) / error,
    }


def _best(values: list[float]) -> int:
    return values.index(max(values))


def show(record: dict[str, Any]) -> None:
    """The table, for people."""
    for row in record["cases"]:
        seconds = "  ".join(f"{name} {value:.2f} s" for name, value in row["seconds"].items())
        ratio = (
            f"{row['ratio']:.1f}x of lm-eval's engine (at least {row['least']:g}, aim {row['aim']:g})"
            if "ratio" in row
            else ""
        )
        print(f"{row['case']:18} {row['questions']:4} questions  {seconds}  {ratio}")
        for name, one in row["differences"].items():
            print(
                f"{'':18} against {name}: largest difference {one['largest']:.2g}, {len(one['changed'])} "
                f"answers differ {one['changed']}"
            )
    written = record["peers"]["ours"].get("generation")
    if written:
        ours, theirs = (median(written["seconds"][who]) for who in ("ours", "theirs"))
        record["overhead"] = ours / theirs - 1
        print(
            f"generation of {written['prompts']} x {written['tokens']} tokens: ours {ours:.2f} s, "
            f"LLM.generate {theirs:.2f} s: "
            f"{record['overhead']:+.1%}; the same tokens: {written['same_tokens']}"
        )
