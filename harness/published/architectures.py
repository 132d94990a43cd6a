"""Rated models to presets: which of them have an architecture here.

With it come parameters and FLOPs (data/published/architectures.yaml).
"""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict

from harness.config.presets import Preset, presets
from harness.published.models import RatedModel
from harness.published.sources import FOLDER, read_yaml


class Names(BaseModel):
    """The file: rated name to hub id of a preset.

    ``reshaped``: models whose shape is no longer that of what they were made from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    renamed: dict[str, str]
    modes: dict[str, str]
    reshaped: frozenset[str]


@cache
def names() -> Names:
    """What the packaged file says. Raises pydantic.ValidationError for a broken one."""
    return Names.model_validate(read_yaml(FOLDER / "architectures.yaml"))


@cache
def _known() -> tuple[dict[str, Preset], dict[str, Preset]]:
    """Presets with an architecture by hub id and by the last part of it, in lower case."""
    with_arch = [preset for preset in presets().values() if preset.arch is not None and preset.folder is None]
    return {one.id.lower(): one for one in with_arch}, {
        one.id.rpartition("/")[2].lower(): one for one in with_arch
    }


def preset_of(model: RatedModel) -> Preset | None:
    """The preset whose architecture a rated model has; None: not known.

    Its own, or that of the published weights it was tuned from.
    """
    file, (by_id, by_name) = names(), _known()
    if model.name in file.reshaped:
        return None
    other_name = file.renamed.get(model.name) or file.modes.get(model.name) or model.made_from or ""
    return by_name.get(model.name.lower()) or by_id.get(other_name.lower())
