"""What ``engine_args`` may say: the base of every engine's options."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import ValidationError

from harness.config.problems import first_problem
from harness.config.roles import Role
from harness.config.schema import ModelSpec, Strict
from harness.errors import ModelError


class EngineOptions(Strict):
    """One typed field per option, each with a description and its bounds; unknown names are errors.

    The fields are checked when a config is loaded, shown by ``harness schema config``, and read by
    the engine with `of`.
    """

    not_in_identity: ClassVar[frozenset[str]] = frozenset()
    """Options that change no answer (speed, memory, retries), and so no cell's identity. All
    others do: answers given under another value of them are never taken from a journal.
    """

    @classmethod
    def of(cls, spec: ModelSpec, context: Any = None) -> Self:
        """The spec's ``engine_args`` as options; ``context`` is handed to pydantic's validators.

        Raises ModelError, one line, with the nearest name.
        """
        try:
            return cls.model_validate(spec.engine_args, context=context)
        except ValidationError as error:
            text = first_problem(error, cls, "engine_args")
        raise ModelError(f"{spec.label}: {text}") from None

    @classmethod
    def roles(cls) -> dict[str, Role]:
        """What each option decides, as `harness.config.roles` says it of the config's other keys."""
        nothing = Role("nothing", "speed, memory or failures; the answers are the same")
        return {name: nothing if name in cls.not_in_identity else Role("engine") for name in cls.model_fields}

    def in_identity(self) -> dict[str, Any]:
        """The options that decide an answer as plain data, those at their defaults left out."""
        return self.model_dump(mode="json", exclude=set(self.not_in_identity), exclude_defaults=True)
