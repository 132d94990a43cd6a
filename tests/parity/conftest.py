"""Models are loaded once a session; tests that need the mirror of real data are skipped without
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.parity import MIRROR, SPECS, Subject

from harness.engines import open_engine, resolve_model
from harness.engines.tokenizer import ChatTemplate, load_tokenizer
from harness.engines.transformers.engine import TransformersEngine


@pytest.fixture(scope="session")
def subject() -> Iterator[Callable[[str], Subject]]:
    """Gives a model by its short name, loaded once a session."""
    made: dict[str, Subject] = {}

    def get(name: str) -> Subject:
        if name not in made:
            spec = SPECS[name]
            if not spec.id.startswith("bundled/") and not (MIRROR / "models" / spec.id).is_dir():
                pytest.skip(f"no {spec.id} in the mirror {MIRROR}: set HARNESS_MIRROR")
            files = resolve_model(spec, MIRROR)
            tokenizer = load_tokenizer(spec, files)
            chat = ChatTemplate(tokenizer) if getattr(tokenizer.raw, "chat_template", None) else None
            engine = open_engine(spec, files, "cpu")
            assert isinstance(engine, TransformersEngine)
            made[name] = Subject(spec, engine, chat)
        return made[name]

    yield get
    for one in made.values():
        one.engine.close()


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The mirror of real datasets; without it the test is skipped."""
    if not (MIRROR / "datasets").is_dir():
        pytest.skip(f"no mirror of real datasets at {MIRROR}: set HARNESS_MIRROR")
    return MIRROR
