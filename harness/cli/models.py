"""``harness models``: the models that have a short name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import Show, shows

if TYPE_CHECKING:
    from harness.config import Preset

UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


@shows()
def models(
    family: Annotated[
        str | None, typer.Option("--family", help="Only this family, e.g. qwen2.5.", show_default=False)
    ] = None,
    country: Annotated[
        str | None,
        typer.Option("--country", help="Only makers of this country, e.g. CN or US.", show_default=False),
    ] = None,
    maker: Annotated[
        str | None, typer.Option("--maker", help="Only this maker, e.g. Alibaba.", show_default=False)
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", help="Only this licence, e.g. apache-2.0.", show_default=False)
    ] = None,
    max_params: Annotated[
        str | None,
        typer.Option("--max-params", help="At most so many parameters, e.g. 8B.", show_default=False),
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="What is named in the articles and is not there, and why.")
    ] = False,
    *,
    show: Show,
) -> None:
    """List the models that have a short name.

    Any other hub id or folder works as well. -f json holds the sources, too.
    """
    from harness.config import missing_models
    from harness.config.presets import presets
    from harness.reporting.models import missing_document, presets_document

    if missing:
        show(missing_document(missing_models()), wide=True)
        return

    # Names of families and licences have versions in them: a part of one is enough.
    limit = parse_count(max_params) if max_params is not None else None
    everything = list(presets().values())
    chosen = [preset for preset in everything if _fits(preset, limit)]
    chosen = [preset for preset in chosen if country is None or preset.country.lower() == country.lower()]
    for wanted, field in ((family, "family"), (maker, "maker"), (licence, "licence")):
        chosen = [
            preset
            for preset in chosen
            if wanted is None or wanted.lower() in str(getattr(preset, field)).lower()
        ]
    if not chosen:
        _explain_nothing(everything)
    show(presets_document(chosen, len(everything)), wide=True)


def _fits(preset: Preset, limit: float | None) -> bool:
    return limit is None or (preset.parameters is not None and preset.parameters <= limit)


def _explain_nothing(everything: list[Preset]) -> None:
    from harness.errors import ConfigError

    families, countries = (
        sorted({getattr(preset, field) for preset in everything}) for field in ("family", "country")
    )
    raise ConfigError(f"no preset fits; families: {', '.join(families)}; countries: {', '.join(countries)}")


def parse_count(text: str) -> float:
    """A number of parameters: 8B, 0.5b, 500M, 1500000. Raises typer.BadParameter."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMBT]?)", text.strip().upper())
    if match is None:
        raise typer.BadParameter(
            f"expected a number such as 8B or 500M, got {text!r}", param_hint="--max-params"
        )
    return float(match[1]) * UNITS[match[2]]
