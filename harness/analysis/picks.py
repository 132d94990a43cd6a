"""What models answer how often beside what is right how often, per task or group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.analysis.comparison import Comparison
from harness.analysis.contests import Contest

FEW = 10
"""Different answers up to which they are shown side by side."""


@dataclass(frozen=True)
class PickCounts:
    """One task or group: how often each of ``labels`` is right, and by contestant's index how often
    it was answered.

    ``of`` is the number of a contestant's questions; answers that cannot be read are in none.
    """

    name: str
    labels: tuple[str, ...]
    keys: dict[str, int]
    answers: dict[int, dict[str, int]]
    of: dict[int, int]
    lopsided: float = 0.0
    """By how much of the questions some answer is given more often than it is right, at most."""
    constant: str = field(default="")
    """The answer that is right most often."""

    @property
    def constant_score(self) -> float:
        """The score of always giving it."""
        return self.keys[self.constant] / max(1, sum(self.keys.values()))

    def share(self, index: int, label: str) -> float:
        """Which part of a contestant's answers is ``label``."""
        return self.answers[index].get(label, 0) / max(1, self.of[index])


def pick_counts(comparison: Comparison) -> list[PickCounts]:
    """The tasks and groups whose answers are few labels (A to D, yes and no), in their order."""
    by_task = {contest.task: contest for contest in comparison.contests}
    counts = []
    for scope in comparison.scopes:
        if scope.kind in ("task", "group"):
            tasks = comparison.members.get(scope.name, [scope.name])
            one = _counts(scope.name, [by_task[task] for task in tasks if task in by_task])
            if one is not None:
                counts.append(one)
    return counts


def _counts(name: str, contests: Sequence[Contest]) -> PickCounts | None:
    keys: Counter[str] = Counter()
    answers: dict[int, Counter[str]] = {}
    of: Counter[int] = Counter()
    for contest in contests:
        rows = {index: contest.row(index).picks for index in contest.cells}
        counted = {index: picks for index, picks in rows.items() if picks is not None and picks.keys}
        if not counted:
            continue
        # Every model was asked the same questions, though perhaps fewer of them.
        keys.update(max(counted.values(), key=lambda picks: picks.of).keys)
        for index, picks in counted.items():
            answers.setdefault(index, Counter()).update(picks.answers)
            of[index] += picks.of

    labels = tuple(sorted({*keys, *(label for mine in answers.values() for label in mine)}))
    if not answers or len(labels) > FEW:
        return None
    whole = sum(keys.values())
    lopsided = max(
        mine.get(label, 0) / of[index] - keys.get(label, 0) / whole
        for index, mine in answers.items()
        for label in labels
    )
    plain = {index: dict(mine) for index, mine in answers.items()}
    return PickCounts(name, labels, dict(keys), plain, dict(of), lopsided, keys.most_common(1)[0][0])
