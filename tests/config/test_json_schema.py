from __future__ import annotations

import json

from harness.config import config_schema
from harness.config.presets import presets
from harness.config.schema import Config


def test_shorthands_are_in_the_schema() -> None:
    schema = config_schema()
    models, tasks = (
        schema["properties"]["models"]["items"]["anyOf"],
        schema["properties"]["tasks"]["items"]["anyOf"],
    )
    assert list(presets()) in [shape.get("enum") for shape in models]
    assert {"$ref": "#/$defs/ModelSpec"} in models
    assert any(shape.get("type") == "string" for shape in tasks)
    assert "extends" in schema["properties"]
    assert schema["$defs"]["ModelSpec"]["anyOf"] == [{"required": ["id"]}, {"required": ["preset"]}]
    assert "required" not in schema
    json.dumps(schema)


def test_every_key_has_help_text() -> None:
    schema = config_schema()
    for part in (schema, *schema["$defs"].values()):
        for name, prop in part["properties"].items():
            assert prop.get("description"), name


def test_asking_does_not_change_the_contract() -> None:
    config_schema()
    assert "extends" not in Config.model_json_schema()["properties"]
