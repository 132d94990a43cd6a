"""What a YAML may say: schema, presets, layers and overrides, and errors that point at file:line:column. Imports pydantic and PyYAML only."""

from harness.config.loader import LoadedConfig, load_config
from harness.config.presets import Preset, bundled_model_dir, find_preset, presets
from harness.config.schema import Config, Expectation, Generation, ModelSpec, Speed, TaskEntry

__all__ = [
    "Config",
    "Expectation",
    "Generation",
    "LoadedConfig",
    "ModelSpec",
    "Preset",
    "Speed",
    "TaskEntry",
    "bundled_model_dir",
    "find_preset",
    "load_config",
    "presets",
]
