"""Run folders made through the project's own writers: models × tasks with chosen item scores, and a
manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.evaluation.assemble import group_rows
from harness.evaluation.rows import CellFacts, make_rows
from harness.evaluation.samples import write_samples
from harness.items import Score, Tokens
from harness.results.files import write_json
from harness.results.folder import RunFolder
from harness.results.query import Run, read_run
from harness.results.schema import ModelRow, Results, Row
from harness.tasks.api import GroupSpec, Marks, MetricValue, SampleMark

Scores = Mapping[tuple[str, str], Sequence[float]]
"""(model, task) to a score a document."""
Make = Callable[..., Run]


def cell(folder: RunFolder, model: str, task: str, scores: Sequence[float], **more: Any) -> list[Row]:
    """One cell: its samples on disk and its rows. ``more``: prompt, chance, clusters, items, first
    (number of the first document), metric, language.
    """
    metric = more.get("metric", "acc")
    first = more.get("first", 0)
    samples = tuple(
        SampleMark(
            doc_id=first + place,
            filter="none",
            prompt=f"{task} {first + place}",
            target="yes",
            answer="yes" if score else "no",
            metrics={metric: score},
            keys=(str(first + place),),
            item=more["items"][place] if "items" in more else str(first + place),
            cluster=more["clusters"][place] if "clusters" in more else None,
        )
        for place, score in enumerate(scores)
    )
    answers = {
        one.keys[0]: Score(one.keys[0], (-1.0, -2.0), (False, False), (1, 1), Tokens(10, 5, 5, 0))
        for one in samples
    }
    counted = all(score in (0.0, 1.0) for score in scores)
    value = MetricValue(metric, "none", sum(scores) / len(scores), None, len(scores), True, counted)
    prompt = more.get("prompt", f"prompt-{task}")
    facts = CellFacts(
        f"{model}{task}{prompt}",
        prompt,
        model,
        task,
        None,
        more.get("language", task[:2]),
        0,
        "float32",
        "mock",
        more.get("chance", 0.25),
    )
    marks = Marks(samples, (value,), len(scores))
    write_samples(folder.samples(model, task), marks, answers)
    return make_rows(facts, marks, answers, 1.0, ("ok", None))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a run and reads it back.

    ``options`` by (model, task) go to `cell`; ``manifest`` and ``groups`` to the run.
    """

    def build(
        name: str,
        scores: Scores,
        options: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
        manifest: Mapping[str, Any] | None = None,
        groups: Sequence[GroupSpec] = (),
        ids: Mapping[str, str] | None = None,
    ) -> Run:
        folder = RunFolder(tmp_path / name)
        rows = [
            row
            for key, mine in scores.items()
            for row in cell(folder, *key, mine, **(options or {}).get(key, {}))
        ]
        labels = list(dict.fromkeys(model for model, _ in scores))
        models = [
            ModelRow(model=label, id=f"org/{label}", model_id=(ids or {}).get(label, label), status="ok")
            for label in labels
        ]
        made = Results(
            name=name,
            harness_version="0",
            created="2026-01-01T00:00:00+00:00",
            config_hash="0",
            models=models,
            rows=rows,
            groups=[row for group in groups for row in group_rows(group, rows, labels)],
        )
        write_json(folder.results, made.model_dump(mode="json"))
        write_json(folder.manifest, dict(manifest or {}))
        return read_run(folder.path)

    return build
