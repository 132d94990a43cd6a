"""Every config in configs/ loads, names known models, and asks each task once: what `harness plan`
needs, without a network.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_config
from harness.config.presets import preset_or_none
from harness.tasks import expand

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SHIPPED = sorted(CONFIGS.glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_can_be_planned(path: Path) -> None:
    loaded = load_config(path)
    config = loaded.config
    assert config.models
    expansion = expand(config.tasks, limit=config.limit, base_dir=path.parent)
    assert bool(expansion.tasks) is (config.speed is None)
    for model in config.models:
        assert model.base_url or preset_or_none(model.id), model.id


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "claim-c1",
            {
                "qwen2-72b-instruct",
                "llama-3-70b-instruct",
                "yi-1.5-34b-chat",
                "mixtral-8x22b-instruct-v0.1",
                "command-r-plus",
            },
        ),
        ("claim-c10", {"gpt-oss-120b", "deepseek-r1-0528", "deepseek-v3.1"}),
    ],
)
def test_the_claims_configs_hold_the_models_that_the_articles_name(name: str, wanted: set[str]) -> None:
    config = load_config(CONFIGS / f"{name}.yaml").config
    assert wanted <= {model.label for model in config.models}
    assert any("Phi-3" in model.id for model in config.models) == (name == "claim-c1")
