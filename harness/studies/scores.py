"""Published scores of the models that an index compares.

Which exist, and which parts of the index they leave without a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.analysis.index import Index, IndexPart, floored, load_weights, of_scores
from harness.analysis.published import PublishedFigure, claims
from harness.errors import ConfigError
from harness.published.scoreboards import OPEN_LLM, PARTS, open_llm
from harness.published.sources import FOLDER, read_yaml, sources
from harness.studies.claims import Text
from harness.studies.data import Data
from harness.studies.exhibited import Cell, Exhibit
from harness.studies.finding import listed, percent, say


class Question(BaseModel):
    """What a published score of a task is worth.

    The score of blind guessing, and another task with the same questions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    chance: float = Field(ge=0, lt=1)
    also: str | None = None


class PublishedScores(BaseModel):
    """Whose published scores, for which index."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    weights: str
    language: str = "en"
    models: tuple[str, ...] = Field(min_length=1, description="Hub ids.")


@cache
def questions() -> dict[str, Question]:
    """The tasks that published scores can answer (data/published/questions.yaml)."""
    return {
        name: Question.model_validate(entry) for name, entry in read_yaml(FOLDER / "questions.yaml").items()
    }


def parts_of(weights: str, language: str) -> dict[str, IndexPart]:
    """The parts of an index in one language.

    Raises ConfigError for an index or a language that is not there.
    """
    languages: dict[Any, dict[str, IndexPart]] = dict(load_weights(weights).languages)
    if language not in languages:
        raise ConfigError(f"the index {weights} has no language {language!r}; it has {', '.join(languages)}")
    return languages[language]


LEADERBOARD = {
    f"leaderboard_{name}": part
    for name, part in (("math_hard", "math"), *((one, one) for one in PARTS if one != "math"))
}
"""The tasks of lm-eval's group `leaderboard` to the parts of the Open LLM Leaderboard 2.

The leaderboard asked exactly these tasks.
"""


@cache
def leaderboard_claims() -> tuple[PublishedFigure, ...]:
    """The scores of the Open LLM Leaderboard 2 as published figures.

    Shares of right answers, of the last date that lists the model.
    """
    newest = {row.model.lower(): row for row in sorted(open_llm(), key=lambda one: one.date)}

    # Raw shares, not the published points above chance: the index takes guessing off itself.
    url = sources()[OPEN_LLM].url or ""
    return tuple(
        PublishedFigure(
            model=row.model,
            task=task,
            value=value,
            setting=f"Open LLM Leaderboard 2, {setting}",
            source=url,
            date=row.date,
        )
        for row in newest.values()
        for task, part in LEADERBOARD.items()
        for value, setting in ((row.raw[PARTS.index(part)], "one setting for all models"),)
        if value is not None
    )


def averages(models: Sequence[str]) -> Text | None:
    """The leaderboard's own averages of the models, first and last date."""
    texts = []
    for model in models:
        rows = sorted(
            (row for row in open_llm() if row.model.lower() == model.lower()), key=lambda one: one.date
        )

        # A model that was evaluated again has two averages, which may differ by a change of the
        # board.
        if rows:
            ends = [rows[0], *rows[-1:]] if len(rows) > 1 else rows
            values = ", ".join(f"{row.average:.1f} ({row.date})" for row in ends)
            texts.append(
                Text(en=f"{model.rpartition('/')[2]} {values}", zh=f"{model.rpartition('/')[2]} {values}")
            )
    return say("leaderboard_averages", listed=_listed(texts, "; ", "；")) if texts else None


def figures_of(
    model: str, task: str, figures: Sequence[PublishedFigure] | None = None
) -> list[PublishedFigure]:
    """The published figures of a model on a task of an index, the newest first.

    The other task with the same questions counts, too.
    """
    question = questions().get(task)
    names = {task, question.also} if question is not None else {task}
    every = [*claims(), *leaderboard_claims()] if figures is None else figures
    return sorted(
        (one for one in every if one.model.lower() == model.lower() and one.task in names),
        key=lambda one: one.date,
        reverse=True,
    )


def published_index(
    model: str, weights: str, language: str, figures: Sequence[PublishedFigure] | None = None
) -> Index:
    """The index of one model from the newest published figure of each task, without an interval.

    `missing` names the parts without one.
    """
    parts, scores = parts_of(weights, language), dict[str, float]()
    for task in (task for part in parts.values() for task in part.tasks):
        newest_first = figures_of(model, task, figures)
        if newest_first and task in questions():
            scores[task] = floored(newest_first[0].value, questions()[task].chance)
    return of_scores(language, parts, scores)


def index_sentence(models: Sequence[str], weights: str, language: str) -> Text:
    """One sentence: each model's index from published scores, or the parts that it lacks."""
    texts = []
    for model in models:
        index, name = published_index(model, weights, language), model.rpartition("/")[2]

        # Without all parts there is no index: the sentence then names what is missing.
        if index.value is None:
            lacks = [
                say("lacking", part=part_name(part), tasks=listed(tasks.rstrip(")").split(", ")))
                for part, tasks in (one.split(" (", 1) for one in index.missing)
            ]
            count = len(parts_of(weights, language))
            texts.append(
                say(
                    "index_lacks", model=name, k=count - len(lacks), n=count, parts=_listed(lacks, ", ", "、")
                )
            )
        else:
            texts.append(say("index_of", model=name, value=f"{index.value:.1f}"))
    return say("published_index", listed=_listed(texts, "; ", "；"))


def part_name(name: str) -> Text:
    """A part of an index in both languages; as its file has it where words.yaml has none."""
    try:
        return say(f"part_{name.replace(' ', '_')}")
    except KeyError:
        return Text(en=name, zh=name)


def _listed(texts: Sequence[Text], en: str, zh: str) -> Text:
    return Text(en=en.join(one.en for one in texts), zh=zh.join(one.zh for one in texts))


def scores(title: Text, keys: PublishedScores, data: Data) -> Exhibit:
    """Every task of the index by model: the published figures with setting and source.

    Or that there is none; then all other figures of the model.
    """
    parts = parts_of(keys.weights, keys.language)
    rows: list[tuple[Cell, ...]] = []
    for model in keys.models:
        listed_figures: list[PublishedFigure] = []
        for name, part in parts.items():
            for task in part.tasks:
                figures = figures_of(model, task)
                rows += [_row(model, part_name(name), one) for one in figures] or [
                    (_short(model), part_name(name), task, "–", say("not_published"), "–")
                ]
                listed_figures += figures
        rows += [
            _row(model, say("no_part"), one)
            for one in claims()
            if one.model.lower() == model.lower() and one not in listed_figures
        ]

    headers = tuple(say(f"h_{name}") for name in ("model", "part", "task", "published", "setting", "source"))

    # The leaderboard's own average stands for an index that is made of its tasks.
    board = (
        averages(keys.models)
        if any(task in LEADERBOARD for part in parts.values() for task in part.tasks)
        else None
    )
    lines = (
        *([board] if board else [index_sentence(keys.models, keys.weights, keys.language)]),
        say("settings_differ"),
    )
    return Exhibit("scores", title, headers, tuple(rows), (), lines)


def _row(model: str, part: Cell, one: PublishedFigure) -> tuple[Cell, ...]:
    return (
        _short(model),
        part,
        one.task,
        percent(one.value, 1),
        _setting(one.setting),
        f"{one.source} ({one.date})",
    )


def _setting(text: str) -> Cell:
    """A setting in both languages, where words.yaml has it."""
    try:
        return say(f"setting: {text}")
    except KeyError:
        return text


def _short(model: str) -> str:
    return model.rpartition("/")[2]
