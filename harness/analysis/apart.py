"""Whose figures of a table were asked otherwise than the others, and in what, as far as results say
it: they stand, marked, and no comparison pairs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.analysis.lines import Line, ScoreFigure
from harness.analysis.notes import note
from harness.analysis.selection import Selection
from harness.results.schema import Row


def with_apart(lines: Sequence[Line], selection: Selection) -> list[Line]:
    """The lines with what each figure was asked otherwise, and whose documents are fewer."""
    by_task = {task: _asked_otherwise(task, selection) for task in selection.tasks}
    return [_marked(line, selection.members.get(line.name, [line.name]), by_task) for line in lines]


def twin_lines(selection: Selection) -> dict[str, str]:
    """The line of each task's or group's generated form, which some models were asked instead."""
    twins = {row.task: row.asked_as for task in selection.tasks for row in selection.of(task) if row.asked_as}
    groups = {frozenset(tasks): name for name, tasks in selection.members.items()}
    lines = dict(twins)
    for name, tasks in selection.members.items():
        other = groups.get(frozenset(twins.get(task, "") for task in tasks))
        if other is not None:
            lines[name] = other
    return lines


def _marked(line: Line, tasks: Sequence[str], by_task: Mapping[str, Mapping[int, str]]) -> Line:
    # Of a group, documents are fewer wherever a subject is missing, which has its own mark.
    most = max((figure.n for figure in line.figures), default=0)
    figures: list[ScoreFigure] = []
    for index, figure in enumerate(line.figures):
        if figure.value is None:
            figures.append(figure)
            continue
        why = next((by_task[task][index] for task in tasks if index in by_task.get(task, {})), None)
        figures.append(replace(figure, apart=why, fewer=figure.n < most))
    return replace(line, figures=tuple(figures))


def _asked_otherwise(task: str, selection: Selection) -> dict[int, str]:
    """In what the models under another prompt than most differ, by index."""
    rows = {
        index: mine[0]
        for index in selection.places
        if (mine := [row for row in selection.rows.get((index, task), []) if row.value is not None])
        and not selection.random[index]
    }
    prompts = Counter(row.prompt_id for row in rows.values() if row.prompt_id is not None)
    if len(prompts) < 2:
        return {}

    # The first of equally frequent ones, as in comparisons.
    usual = max(prompts, key=lambda prompt: prompts[prompt])
    standard = next(index for index, row in rows.items() if row.prompt_id == usual)
    return {
        index: _difference(selection, (standard, rows[standard]), (index, row))
        for index, row in rows.items()
        if row.prompt_id not in (usual, None)
    }


def _difference(selection: Selection, standard: tuple[int, Row], other: tuple[int, Row]) -> str:
    (index, row), (mine, own) = standard, other
    theirs, ours = selection.chats[index], selection.chats[mine]
    if None not in (theirs, ours) and theirs != ours:
        return note("with_template" if ours else "without_template")
    if row.fewshot != own.fewshot:
        return note("examples", theirs=own.fewshot, ours=row.fewshot)
    return note("other_prompt")
