"""What every part of a config's schema has in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """Unknown keys are errors: a misspelt option must never be quietly ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML reads ``limit: yes`` as true, which Python would count as 1."""
        if isinstance(value, bool) and info.field_name is not None:
            kinds = str(cls.model_fields[info.field_name].annotation)
            if ("int" in kinds or "float" in kinds) and "bool" not in kinds:
                raise PydanticCustomError(
                    "float_type" if "float" in kinds else "int_type", "expected a number"
                )
        return value
