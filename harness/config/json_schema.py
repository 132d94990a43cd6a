"""The JSON Schema of a config file, for editors and `harness schema config`."""

from __future__ import annotations

from typing import Any

from harness.config.presets import presets
from harness.config.schema import Config

TITLE = "open-weight-harness config"


def config_schema() -> dict[str, Any]:
    """What a YAML file may say, as JSON Schema, shorthands and each engine's options included.

    Preset and task names are plain strings, ``extends`` is there, and parts may be filled in by
    presets. Looser than the loader in one way: nothing is required at the top, because a file that
    is extended may hold any part.
    """
    schema = Config.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": TITLE}
    schema.pop("required", None)

    properties = schema["properties"]

    path = {"type": "string", "description": "Path of a YAML file, relative to this one."}
    properties["extends"] = {
        "anyOf": [path, {"type": "array", "items": path}],
        "description": "Files that this one builds on: mappings merge, lists and values replace.",
    }

    # Plain names stand for mappings in a file, but never in the resolved config that pydantic
    # describes.
    names = list(presets())
    _accept(properties["models"], {"type": "string", "enum": names, "description": "A preset."})
    _accept(
        properties["models"],
        {"type": "string", "pattern": "/", "description": "A hub id (org/name) or a folder (./name)."},
    )
    _accept(
        properties["tasks"],
        {
            "type": "string",
            "description": "Task or group name, glob, path of a task YAML, or of a JSONL or CSV file.",
        },
    )

    model = schema["$defs"]["ModelSpec"]
    model.pop("required", None)
    model["anyOf"] = [{"required": ["id"]}, {"required": ["preset"]}]
    model["properties"]["preset"] = {
        "enum": [*names, None],
        "description": model["properties"]["preset"].get("description", ""),
    }
    _engines(schema["$defs"])
    return schema


def _engines(definitions: dict[str, Any]) -> None:
    """Lets ``engine`` be each engine's name, and ``engine_args`` that engine's options.

    An engine whose package cannot be used keeps its name, with any options.
    """
    from harness.engines import registry

    model, options = definitions["ModelSpec"], {}
    for backend in registry.working():
        own = backend.options.model_json_schema()
        definitions |= own.pop("$defs", {})
        definitions[f"engine_args.{backend.name}"] = own
        options[backend.name] = {"$ref": f"#/$defs/engine_args.{backend.name}"}
    model["properties"]["engine"]["enum"] = [registry.AUTO, *registry.names()]
    automatic = {"anyOf": [options[name] for name in registry.AUTOMATIC]}
    model["allOf"] = [
        {
            "if": {"properties": {"engine": {"const": name}}, "required": ["engine"]},
            "then": {"properties": {"engine_args": shape}},
        }
        for name, shape in {**options, registry.AUTO: automatic}.items()
    ]
    # A file that says no engine means auto.
    model["allOf"][-1]["if"].pop("required")


def _accept(array: dict[str, Any], shape: dict[str, Any]) -> None:
    """Lets an array's entries have one more shape."""
    items = array["items"]
    array["items"] = {"anyOf": [shape, *items.get("anyOf", [items])]}
