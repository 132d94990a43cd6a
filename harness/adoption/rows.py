"""One model on one day, and all models of one list on one day."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

TEXT = frozenset({"text-generation"})
"""The hub's pipeline of text models."""
LANGUAGE = TEXT | {"image-text-to-text", "any-to-any"}
"""Pipelines whose models answer in text: today's language models often read pictures, too."""
RELATIONS = ("quantized", "finetune", "adapter", "merge")
"""What the hub says a model is of its base model."""
_FORMATS = frozenset({"gguf", "gptq", "awq", "exl2", "bitsandbytes", "compressed-tensors", "4-bit", "8-bit"})
_IN_NAME = re.compile(
    r"(?<![a-z0-9])(gguf|gptq|awq|exl2|exl3|bnb|mlx|nvfp4|mxfp4|fp8|int4|int8|w4a16|w8a8|[2348]bit"
    r"|[2348]-bit)(?![a-z])"
)


@dataclass(frozen=True, slots=True)
class HubModel:
    """What a list says of a model; None is "not said".

    ``downloads_30d`` are of the last 30 days (the hub's ``downloads``). ``parameters``: total of
    the safetensors files. ``relation`` to ``base_model``: one of RELATIONS, or None. ``quantized``:
    whether tags or the name say that the weights have fewer bits than they were trained in.
    ``exact`` is False where the source rounds.
    """

    model: str
    likes: int | None = None
    downloads_30d: int | None = None
    downloads_all: int | None = None
    pipeline: str | None = None
    created: datetime.date | None = None
    parameters: int | None = None
    licence: str | None = None
    base_model: str | None = None
    relation: str | None = None
    quantized: bool | None = None
    exact: bool = True

    @property
    def organization(self) -> str:
        """The hub's namespace; empty for the few old models without one."""
        return self.model.split("/")[0] if "/" in self.model else ""


MEASURES: dict[str, Callable[[HubModel], int | None]] = {
    "likes": lambda row: row.likes,
    "downloads_30d": lambda row: row.downloads_30d,
    "downloads_all": lambda row: row.downloads_all,
}
"""What can be counted: the field's name to its value."""


@dataclass(frozen=True)
class Snapshot:
    """One list on one day.

    ``selection`` says which models are on it (a list never holds the whole hub unless it says so).
    """

    date: datetime.date
    source: str
    selection: str
    rows: tuple[HubModel, ...]
    header: dict[str, Any] = field(default_factory=dict)

    @property
    def series(self) -> tuple[str, str, tuple[str, ...]]:
        """What one line over time may join: source, selection and the query's organisations."""
        names = self.header.get("query", {}).get("organizations", ())
        return (self.source, self.selection, tuple(sorted(name.lower() for name in names)))


def clean_pipeline(text: Any) -> str | None:
    """``Text Generation`` as ``text-generation``.

    None for what is no pipeline (a size, ``unknown``, nothing).
    """
    name = re.sub(r"[\s_]+", "-", str(text or "").strip().lower())
    return (
        name
        if re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", name)
        or name in ("robotics", "summarization", "translation")
        else None
    )


def named_quantized(model: str) -> bool:
    """Whether a model's own name says that its weights were quantised."""
    return _IN_NAME.search(model.split("/")[-1].lower()) is not None


def of_hub(entry: dict[str, Any]) -> HubModel:
    """A model as the hub's API lists it.

    Raises ValueError for an entry without a name or with a figure that is no number.
    """
    model = entry.get("id") or entry.get("modelId")
    if not isinstance(model, str) or not model:
        raise ValueError("an entry without an id")

    tags = [str(tag) for tag in entry.get("tags") or ()]
    relation, base = _base(tags)
    licence = next((tag.partition(":")[2] for tag in tags if tag.startswith("license:")), None)

    # Not every quantised model says so: formats in the tags and in the name count, too.
    marks = (
        relation == "quantized" or bool(_FORMATS & {tag.lower() for tag in tags}) or named_quantized(model)
    )

    created = str(entry.get("createdAt") or "")[:10]
    return HubModel(
        model=model,
        likes=_whole(entry.get("likes"), "likes", model),
        downloads_30d=_whole(entry.get("downloads"), "downloads", model),
        downloads_all=_whole(entry.get("downloadsAllTime"), "downloadsAllTime", model),
        pipeline=clean_pipeline(entry.get("pipeline_tag")),
        created=datetime.date.fromisoformat(created) if created else None,
        parameters=_whole((entry.get("safetensors") or {}).get("total"), "safetensors.total", model),
        licence=licence,
        base_model=base,
        relation=relation,
        quantized=marks,
    )


def _base(tags: list[str]) -> tuple[str | None, str | None]:
    """(relation, base model) of the tags ``base_model:RELATION:ID`` and ``base_model:ID``."""
    for tag in tags:
        kind, _, rest = tag.partition(":")
        relation, _, name = rest.partition(":")
        if kind == "base_model" and name and relation in RELATIONS:
            return relation, name
    plain = next((tag.partition(":")[2] for tag in tags if tag.startswith("base_model:")), None)
    return None, plain


def _whole(value: Any, name: str, model: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{model}: {name} is {str(value)[:40]!r}, not a count")
    return value


@cache
def preset_ids() -> frozenset[str]:
    """Hub ids of the language models that this project's presets know, in lower case."""
    from harness.config.presets import presets

    return frozenset(preset.id.lower() for preset in presets().values())


def in_pipelines(row: HubModel, pipelines: frozenset[str]) -> bool:
    """Whether a model is of these pipelines.

    One without a tag counts where a preset has it: all presets are language models.
    """
    if row.pipeline is None:
        return row.model.lower() in preset_ids()
    return row.pipeline in pipelines
