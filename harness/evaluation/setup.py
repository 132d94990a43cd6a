"""What a worker is given, and what follows for every cell: prompt style, the facts that rows share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.schema import Config, ModelSpec
from harness.errors import ConfigError, ModelError
from harness.evaluation.identity import CellIdentity, digest
from harness.evaluation.rows import CellFacts
from harness.results.folder import RunFolder

if TYPE_CHECKING:
    from harness.engines.files import ModelFiles
    from harness.engines.thinking import Thinking
    from harness.tasks import Task
    from harness.tasks.api import PromptStyle, TaskSpec

FORMS = {"choice": "logprobs", "completion": "generated", "passage": "perplexity"}
"""How a task of each kind is asked, in the words of the rows."""


@dataclass(frozen=True)
class WorkSetup:
    """What a worker is given: the config, its model, where it runs and where it writes."""

    config: Config
    spec: ModelSpec
    folder: RunFolder
    device: str
    session: str

    @classmethod
    def read(cls, path: Path, model: str, device: str, session: str) -> WorkSetup:
        """From the run folder's resolved config. Raises ConfigError when it has no such model."""
        import yaml

        folder = RunFolder(path)
        config = Config.model_validate(yaml.safe_load(folder.config.read_text(encoding="utf-8")))
        for spec in config.models:
            if spec.label == model:
                return cls(config, spec, folder, device, session)
        raise ConfigError(f"{folder.config}: no model called {model!r}")

    @property
    def mirror(self) -> Path | None:
        """The mirror folder, if any."""
        return Path(self.config.mirror) if self.config.mirror else None


def thinking_of(setup: WorkSetup, files: ModelFiles) -> Thinking:
    """What the model does before it answers.

    Raises ModelError where it is told not to think and cannot be.
    """
    from harness.engines import template_folder
    from harness.engines.thinking import thinking_of

    thinking = thinking_of(setup.spec, template_folder(setup.spec, files))
    if thinking.refusal is not None:
        raise ModelError(f"{setup.spec.label}: {thinking.refusal}")
    return thinking


def prompt_style(setup: WorkSetup, files: ModelFiles, thinking: Thinking) -> PromptStyle:
    """How this model's prompts are dressed.

    Raises ModelError where a chat template is asked for and there is none.
    """
    from harness.tasks.api import PromptStyle

    spec = setup.spec
    chat = None
    if spec.chat_template:
        from harness.engines import chat_renderer

        chat = chat_renderer(spec, files, setup.config.date)

    # A date matters to prompts only where a chat template may write it into them.
    return PromptStyle(
        chat=chat,
        system_prompt=spec.system_prompt,
        multiturn=setup.config.fewshot_as_multiturn,
        think=thinking.tags,
        max_new_tokens=spec.max_new_tokens,
        date=setup.config.date.isoformat() if chat else None,
    )


def cell_facts(
    setup: WorkSetup, spec: TaskSpec, identity: CellIdentity | None = None, task: Task | None = None
) -> CellFacts:
    """What every row of a cell shares.

    Without an identity (the cell never began) the id stands for model and task only.
    """
    # A loaded task knows its language and shots; before that there is only what the config says.
    return CellFacts(
        cell_id=identity.cell_id if identity else digest([setup.spec.label, spec.name]),
        prompt_id=identity.prompt_id if identity else None,
        model=setup.spec.label,
        task=spec.name,
        group=spec.groups[0] if spec.groups else None,
        language=task.language if task else spec.language,
        fewshot=task.fewshot if task else spec.fewshot,
        dtype=identity.engine.get("dtype") if identity else None,
        engine=identity.engine.get("engine") if identity else None,
        chance=task.chance if task else None,
        form=FORMS[task.kind] if task else None,
        marking_id=task.marking_id if task else None,
    )
