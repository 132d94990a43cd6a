"""``harness models``: the models that have a short name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import show_list
from harness.cli.plan import count

if TYPE_CHECKING:
    from harness.config import Preset

UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


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
    as_json: Annotated[bool, typer.Option("--json", help="As data, with the sources.")] = False,
) -> None:
    """List the models that have a short name.

    Any other hub id or folder works as well.
    """
    from harness.config.presets import missing_models, preset_data, presets

    if missing:
        gaps = missing_models()
        if as_json:
            typer.echo(json.dumps(gaps, ensure_ascii=False, indent=1))
        else:
            show_list(
                "", ["model", "not there", "why"], [[gap["model"], gap["lacks"], gap["why"]] for gap in gaps]
            )
        return
    limit = parse_count(max_params) if max_params is not None else None
    known = list(presets().values())
    chosen = [preset for preset in known if _fits(preset, limit)]
    chosen = [preset for preset in chosen if country is None or preset.country.lower() == country.lower()]
    for wanted, field in ((family, "family"), (maker, "maker"), (licence, "licence")):
        chosen = [
            preset
            for preset in chosen
            if wanted is None or wanted.lower() in str(getattr(preset, field)).lower()
        ]
    if not chosen:
        _explain_nothing(known)
    if as_json:
        typer.echo(json.dumps([preset_data(preset) for preset in chosen], ensure_ascii=False, indent=1))
        return
    headers = ["name", "from", "params", "kind", "licence", "released", "id"]
    show_list("", headers, [_row(preset) for preset in chosen], right=(2,))
    typer.echo(
        f"{len(chosen)} of {len(known)} presets. 'gated': accept the licence on the hub and set HF_TOKEN. "
        "CN<US: a Chinese maker, American weights to start from. --missing: what is not there."
    )


def _fits(preset: Preset, limit: float | None) -> bool:
    return limit is None or (preset.parameters is not None and preset.parameters <= limit)


def _explain_nothing(known: list[Preset]) -> None:
    from harness.errors import ConfigError

    families, countries = (
        sorted({getattr(preset, field) for preset in known}) for field in ("family", "country")
    )
    raise ConfigError(f"no preset fits; families: {', '.join(families)}; countries: {', '.join(countries)}")


def _row(preset: Preset) -> list[str]:
    from harness.config.presets import origin_country

    kind = "instruct" if preset.instruct else "base"
    if preset.think_tags:
        kind = "thinking" if preset.thinking is not False else "instruct"
    licence = f"{preset.licence} (gated)" if preset.gated else preset.licence
    origin = origin_country(preset)
    country = preset.country if origin in (None, preset.country) else f"{preset.country}<{origin}"
    return [
        preset.name,
        country,
        count(preset.parameters),
        kind,
        licence,
        str(preset.released or "-"),
        preset.id,
    ]


def parse_count(text: str) -> float:
    """A number of parameters: 8B, 0.5b, 500M, 1500000. Raises typer.BadParameter."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMBT]?)", text.strip().upper())
    if found is None:
        raise typer.BadParameter(
            f"expected a number such as 8B or 500M, got {text!r}", param_hint="--max-params"
        )
    return float(found[1]) * UNITS[found[2]]
