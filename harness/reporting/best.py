"""Which of several scores may be set as the best one."""

from __future__ import annotations

from harness.analysis.lines import Line


def sure_best(line: Line) -> int | None:
    """The position of the model whose 95 % interval lies beyond those of all others; None where
    intervals overlap or are missing, or where models were not asked the same.

    Intervals apart are a stricter rule than a significant difference (Schenker and Gentleman 2001,
    doi 10.1198/000313001317097960), and the only one that needs no answers per item.
    """
    scored = {
        position: figure
        for position, figure in enumerate(line.figures)
        if figure.value is not None and figure.status != "random"
    }
    prompts = {figure.prompt_id for figure in scored.values()}
    partial = any(figure.status == "partial" for figure in scored.values())
    if len(scored) < 2 or len(prompts) > 1 or partial:
        return None

    sign = 1 if line.higher_is_better else -1
    ends = {}
    for position, figure in scored.items():
        if figure.value is None or figure.half is None:
            return None
        ends[position] = (sign * figure.value - figure.half, sign * figure.value + figure.half)

    best = max(ends, key=lambda position: ends[position][0])
    others = (high for position, (_, high) in ends.items() if position != best)
    return best if ends[best][0] > max(others) else None
