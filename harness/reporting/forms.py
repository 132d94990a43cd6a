"""Which form each line of a table was asked in, and which lines are a task's other form, asked of
some models only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.analysis import notes
from harness.analysis.lines import Line
from harness.analysis.selection import Selection

ASKED = {"logprobs": "asked_logprobs", "generated": "asked_generated", "perplexity": "asked_perplexity"}
"""Form to the text that says of which tasks it is the form."""
NAMED = 6
"""Lines named per form; of more the first ones and a count."""


def with_forms(lines: Sequence[Line], selection: Selection) -> list[Line]:
    """The lines with their forms; ``alternative`` where a line is the other form of a task that
    other models were asked.
    """
    rows = [row for task in selection.tasks for row in selection.of(task)]
    twins = {row.asked_as for row in rows if row.asked_as}
    both = twins | {row.task for row in rows if row.asked_as}

    labelled = []
    for line in lines:
        tasks = selection.members.get(line.name, [line.name])
        forms = {row.form for task in tasks for row in selection.of(task) if row.value is not None}
        other = set(tasks) <= twins and any(figure.status is None for figure in line.figures)
        form = forms.pop() if len(forms) == 1 else None
        labelled.append(replace(line, form=form, alternative=other, apart=bool(both.intersection(tasks))))
    return labelled


def form_notes(lines: Sequence[Line]) -> list[str]:
    """What was asked in which form, and what that keeps apart."""
    by_form: dict[str, list[str]] = {}
    for line in lines:
        if line.form is not None and line.kind in ("task", "group"):
            by_form.setdefault(line.form, []).append(line.name)
    said: list[str] = []
    if by_form:
        parts = [notes.note(ASKED[form], tasks=_named(names)) for form, names in by_form.items()]
        said.append(notes.note("asked", parts=notes.listed(parts)))

    # What stands apart must be said: a reader would miss it in the averages.
    apart = [line.name for line in lines if line.alternative and line.kind in ("task", "group")]
    if apart:
        said.append(notes.note("asked_apart", tasks=_named(apart)))
    return said


def _named(names: Sequence[str]) -> str:
    return notes.named(names, NAMED)
