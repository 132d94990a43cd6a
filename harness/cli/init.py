"""``harness init``: a commented config for the answers to four questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.config_options import WORDS, BaseUrl, Device, KeyVariable, Models, Tasks
from harness.cli.options import DeviceOption
from harness.cli.output import Language, notify, tell

if TYPE_CHECKING:
    from harness.config.draft import Draft
    from harness.texts import Words

FILE = Path("my-eval.yaml")
MODEL, TASK, LIMIT = "tiny-qwen", "smoke", 20
"""What Enter takes: a first run that works on any machine."""


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The config to write.")] = FILE,
    models: Models = None,
    tasks: Tasks = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Questions per task.", show_default=False)
    ] = None,
    device: Device = None,
    base_url: BaseUrl = None,
    api_key_env: KeyVariable = None,
    language: Annotated[
        Language, typer.Option("--language", help="Of the questions and comments: zh or en.")
    ] = Language.en,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: what is not said is the default.")
    ] = False,
) -> None:
    """Write a commented config: which models, which questions, how many, where.

    Asks for what the options do not say. An existing file is never written over.
    """
    from harness.config.adhoc import entries_of
    from harness.config.draft import Draft
    from harness.errors import ConfigError
    from harness.results.files import write_text
    from harness.texts import Words

    if file.suffix not in (".yaml", ".yml"):
        file = file.with_name(f"{file.name}.yaml")
    # Before the questions: nobody should answer four of them for nothing.
    if file.exists():
        raise ConfigError(f"{file} is there already; name another file, or remove it: harness init FILE")

    model_names, task_names = ([str(entry) for entry in entries_of(names)] for names in (models, tasks))
    where = device.value if device is not None else ""
    draft = Draft(model_names, task_names, limit, where, base_url, api_key_env)
    words = Words(language.value, "init")
    if yes:
        draft = replace(
            draft,
            models=model_names or [MODEL],
            tasks=task_names or [TASK],
            device=where or DeviceOption.auto.value,
        )
        _check(draft, file)
    else:
        draft = _answered(draft, file, words)
    write_text(file, draft.to_yaml(file, language.value))
    tell(words("written", file=file))


def _answered(draft: Draft, file: Path, words: Words) -> Draft:
    """The draft with what was not said yet asked for; each answer is checked at once."""
    from harness.config.adhoc import entries_of
    from harness.tasks import suites

    notify(words("intro"))

    def with_models(text: str) -> Draft:
        if text.startswith(("http://", "https://")):
            name, key = _prompt(words("q_served"), None), _prompt(words("q_key"), "OPENAI_API_KEY")
            return replace(draft, models=[name], base_url=text, api_key_env=key)
        return replace(draft, models=[str(one) for one in entries_of(text)])

    def with_tasks(text: str) -> Draft:
        return replace(draft, tasks=[str(one) for one in entries_of(text)])

    def with_limit(text: str) -> Draft:
        if text.strip().lower() in ("all", "全部"):
            return replace(draft, limit=None)
        if not text.isdigit() or int(text) < 1:
            raise typer.BadParameter(words("bad_limit", value=repr(text)))
        return replace(draft, limit=int(text))

    def with_device(text: str) -> Draft:
        if text not in list(DeviceOption):
            raise typer.BadParameter(words("bad_device", value=repr(text)))
        return replace(draft, device=text)

    if not draft.models:
        draft = _ask(words("q_models"), MODEL, with_models, file)
    if not draft.tasks:
        draft = _ask(words("q_tasks", suites=", ".join(suites())), TASK, with_tasks, file)
    if draft.limit is None:
        draft = _ask(words("q_limit"), str(LIMIT), with_limit, file)
    if not draft.device and draft.base_url is None:
        draft = _ask(words("q_device"), DeviceOption.auto.value, with_device, file)
    return replace(draft, device=draft.device or DeviceOption.auto.value)


def _ask(question: str, default: str, answered: Callable[[str], Draft], file: Path) -> Draft:
    """Asks until the answer gives a draft that loads."""
    from harness.errors import ConfigError

    while True:
        try:
            draft = answered(_prompt(question, default))
            _check(draft, file)
        except (ConfigError, typer.BadParameter) as error:
            notify(f"   {error}")
        else:
            return draft


def _prompt(question: str, default: str | None) -> str:
    # On a line of its own: what stands behind a long question would be wrapped in the middle.
    notify(question)
    answer: str = typer.prompt("  ", default=default, err=True, prompt_suffix="> ")
    return answer.strip()


def _check(draft: Draft, file: Path) -> None:
    """Raises ConfigError where the config would not load, or names tasks that there are not."""
    from harness.config import load_config
    from harness.config.adhoc import adhoc_config
    from harness.tasks import expand

    config = adhoc_config(
        draft.models,
        draft.tasks,
        name=file.stem,
        base_url=draft.base_url,
        api_key_env=draft.api_key_env,
        limit=draft.limit,
    )
    loaded = load_config(config, (), WORDS)
    expand(loaded.config.tasks, limit=draft.limit, base_dir=loaded.base_dir)
