"""What a YAML may say: schema, presets, layers and overrides, and errors that point at
file:line:column.

It imports pydantic and PyYAML only.
"""

from harness.config.architecture import Architecture
from harness.config.architecture_reading import architecture_of
from harness.config.json_schema import config_schema
from harness.config.loader import LoadedConfig, load_config
from harness.config.memory import MemoryFit, dtype_bytes, known_architecture, memory_fit
from harness.config.presets import Preset, bundled_model_dir, find_preset, missing_models
from harness.config.schema import Config, Expectation, GenerationSettings, ModelSpec, Speed, TaskEntry

__all__ = [
    "Architecture",
    "Config",
    "Expectation",
    "GenerationSettings",
    "LoadedConfig",
    "MemoryFit",
    "ModelSpec",
    "Preset",
    "Speed",
    "TaskEntry",
    "architecture_of",
    "bundled_model_dir",
    "config_schema",
    "dtype_bytes",
    "find_preset",
    "known_architecture",
    "load_config",
    "memory_fit",
    "missing_models",
]
