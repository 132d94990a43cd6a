"""Tables beside a comparison: Chinese against English, the composite index, published figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.comparison import Comparison
from harness.analysis.gap import Gap, overall
from harness.analysis.index import Index, Weights
from harness.analysis.lines import LANGUAGES
from harness.analysis.notes import named, note
from harness.analysis.paired import Difference
from harness.analysis.published import Match, PublishedFigure
from harness.reporting.comparison import interval, p_text, share_cell, signed
from harness.reporting.document import NONE, Column, Table, TableCell, keys, numbers, texts
from harness.reporting.texts import Phrase


def gap_table(comparison: Comparison, gaps: Sequence[Gap]) -> Table:
    """One row per model and pair of parallel tasks, then the model's mean over all pairs."""
    rows: list[list[TableCell]] = []
    for place, model in enumerate(comparison.models):
        for gap in (gap for gap in gaps if place in gap.differences):
            names = [TableCell(model.label), TableCell(f"{gap.zh_task} − {gap.en_task}")]
            scores = [share_cell(gap.zh[place]), share_cell(gap.en[place])]
            rows.append([*names, *scores, *_gap_cells(gap.differences[place])])

        # One pair may differ by chance; the mean over all pairs is the model's own figure.
        whole = overall(gaps, place)
        if whole is not None:
            names = [TableCell(model.label), TableCell(Phrase("mean of {n}", n=len(gaps)))]
            rows.append([*names, TableCell(""), TableCell(""), *_gap_cells(whole)])
    columns = [
        *keys("model", "tasks"),
        *numbers("Chinese", "English", "difference", "95 % interval", "p", "n"),
    ]
    note = Phrase(
        "The same items in both languages, paired; items that share a source are one cluster. "
        "Below 0: worse in Chinese."
    )
    return Table.of(Phrase("Chinese against English"), columns, rows, (note,))


def _gap_cells(pair: Difference) -> tuple[TableCell, ...]:
    return (
        TableCell(signed(pair.value), pair.value),
        TableCell(interval(pair.ci95, sign=True)),
        TableCell(p_text(pair.p), pair.p),
        TableCell(f"{pair.n:,}", pair.n),
    )


def index_tables(
    comparison: Comparison, indices: Mapping[int, Sequence[Index]], weights: Weights
) -> list[Table]:
    """One table per language: the index with its interval, its parts, and what is missing."""
    shown = []
    for number, (language, parts) in enumerate(weights.languages.items()):
        mine = {place: several[number] for place, several in indices.items()}
        values = {place: index.value if index.value is not None else -1.0 for place, index in mine.items()}
        order = sorted(values, key=lambda place: -values[place])
        labels = {place: comparison.models[place].label for place in mine}
        rows = [[TableCell(labels[place]), *_index_cells(mine[place], list(parts))] for place in order]
        notes = [
            f"{labels[place]}: no index: nothing on {'; '.join(index.missing)}"
            for place, index in mine.items()
            if index.missing
        ]
        apart: dict[tuple[str, ...], list[str]] = {}
        for place, index in mine.items():
            if index.apart:
                apart.setdefault(index.apart, []).append(labels[place])
        notes += [
            note("index_apart", models=named(models, 4), tasks=named(tasks, 4))
            for tasks, models in apart.items()
        ]

        # An index that starts at 0 for one part and at chance for another must say so.
        if zero := dict.fromkeys(task for index in mine.values() for task in index.from_zero):
            notes.append(
                "Counted from 0, because no chance level is known (generated answers, or imports): "
                + ", ".join(zero)
            )

        title = Phrase(
            "{language} index ({name}, version {version}), 0–100",
            language=Phrase(LANGUAGES[language]),
            name=weights.name,
            version=weights.version,
        )
        whole = sum(part.weight for part in parts.values())
        columns = [*keys("model"), *numbers("index", "95 % interval")]
        columns += [Column(f"{name} {part.weight / whole:.0%}", number=True) for name, part in parts.items()]
        shown.append(Table.of(title, columns, rows, notes))
    return shown


def _index_cells(index: Index, parts: Sequence[str]) -> list[TableCell]:
    value = NONE if index.value is None else f"{index.value:.1f}"
    ends = NONE if index.ci95 is None else f"{index.ci95[0]:.1f} … {index.ci95[1]:.1f}"
    values = [
        TableCell(f"{index.parts[name]:.1f}", index.parts[name]) if name in index.parts else TableCell(NONE)
        for name in parts
    ]
    return [TableCell(value, index.value), TableCell(ends), *values]


def published_table(comparison: Comparison, matches: Sequence[Match]) -> Table:
    """Measured beside published, with what differs between the settings."""
    rows = []
    for match in matches:
        claim = match.claim
        same = Phrase("yes") if match.same else Phrase("no: {why}", why=match.differs)
        cells = [
            TableCell(comparison.models[match.place].label),
            TableCell(match.task),
            share_cell(match.measured),
        ]
        cells += [
            TableCell(interval(match.ci95)),
            share_cell(claim.value),
            TableCell(signed(match.delta), match.delta),
        ]
        rows.append(
            [*cells, TableCell(same), TableCell(claim.setting), TableCell(f"{claim.source}, {claim.date}")]
        )

    columns = [*keys("model", "task"), *numbers("measured", "95 % interval", "published", "delta")]
    columns += texts("same setting", "published setting", "source")
    return Table.of(Phrase("Published figures"), columns, rows)


def as_data(
    comparison: Comparison, gaps: Sequence[Gap], claims: Sequence[Match], index: dict[str, Any] | None
) -> dict[str, Any]:
    """For JSON, beside the comparison's own data."""
    labels = [model.label for model in comparison.models]
    return {
        "language_gap": [_gap(gap, labels) for gap in gaps],
        "published": [_match(match, labels) for match in claims],
        "index": index,
    }


def _gap(gap: Gap, labels: Sequence[str]) -> dict[str, Any]:
    facts = {"zh_task": gap.zh_task, "en_task": gap.en_task, "metric": gap.metric, "how": gap.how}
    inner = ("tosses", "worth")
    models = {
        labels[place]: {"zh": gap.zh[place], "en": gap.en[place]}
        | {key: value for key, value in dataclasses.asdict(pair).items() if key not in inner}
        for place, pair in gap.differences.items()
    }
    return {**facts, "models": models}


def _match(match: Match, labels: Sequence[str]) -> dict[str, Any]:
    claim: PublishedFigure = match.claim
    facts = {
        "model": labels[match.place],
        "task": match.task,
        "measured": match.measured,
        "ci95": match.ci95,
        "delta": match.delta,
    }

    return {
        **facts,
        "same_setting": match.same,
        "differs": match.differs,
        "published": claim.model_dump(mode="json"),
    }
