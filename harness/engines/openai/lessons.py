"""What a refusal teaches about an endpoint: another name for a field, another value, a field to
leave out, messages to fold.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from harness.engines.openai.endpoint import EndpointError
from harness.engines.openai.folding import REFUSED, has_system
from harness.engines.openai.sampling import OURS, is_neutral

_STATUSES = (400, 422, 500, 501)
_UNKNOWN = re.compile(
    r"unrecogni[sz]ed|unknown|unsupported|not supported|n't support|not support|unexpected|extra|not "
    r"permitted"
    r"|not allowed|forbidden|not available|no such|only the default|deprecated|not implemented|不支持|未知"
    r"|cannot (be )?(set |specify |use )?both|cannot both be|mutually exclusive|incompatible",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"must be|should be|expected|negative|greater|less than|between|range|at least|invalid|非法|>=|≥|取值",
    re.IGNORECASE,
)
_FORM = frozenset(
    {
        "chat_template_kwargs",
        "continue_final_message",
        "add_generation_prompt",
        "ignore_eos",
        "return_token_ids",
    }
)
"""Fields that decide what is asked: never left out unless the config omits them."""


@dataclass(frozen=True)
class Lesson:
    """What to do otherwise from now on; what is None or empty stays as it is.

    ``no_usage_option``: streams without ``stream_options``; ``whole``: no streams.
    """

    refused: frozenset[str] = frozenset()
    top_k_off: int | None = None
    budget_name: str | None = None
    folded: bool = False
    no_usage_option: bool = False
    whole: bool = False


def lesson(
    fixed: Collection[str], folded: bool, sent: Mapping[str, Any], error: EndpointError
) -> Lesson | None:
    """What the refusal of a request teaches; None where nothing that may be changed is named.

    A setting of the config's is left out only where the endpoint does not know the field; a value
    that it does not like is the user's to change. ``fixed``: fields of ``extra_body``, which are
    never left out. ``folded``: no message is a system's any more.
    """
    words = error.said
    if error.status not in _STATUSES or not words:
        return None
    if "max_completion_tokens" in words and "max_tokens" in sent and "max_tokens" not in fixed:
        return Lesson(budget_name="max_completion_tokens")

    if "stream" in sent and (_UNKNOWN.search(words) or _VALUE.search(words)):
        # Mistral's API refuses the option and tells the counts all the same.
        if "stream_options" in sent and _names(words, "stream_options"):
            return Lesson(no_usage_option=True)
        if _names(words, "stream") or re.search(r"\bstreaming\b", words, re.IGNORECASE):
            return Lesson(whole=True)

    if not folded and has_system(sent.get("messages")) and REFUSED.search(words):
        return Lesson(folded=True)
    named = [name for name in OURS if name in sent and name not in fixed and _names(words, name)]
    if not named:
        return None

    # A field that the endpoint does not know can go; a value that it does not like is the user's.
    unknown = bool(_UNKNOWN.search(words))
    if named == ["top_k"] and sent["top_k"] == -1 and not unknown and _VALUE.search(words):
        return Lesson(top_k_off=0)
    neutral = frozenset(name for name in named if is_neutral(name, sent[name]) or name in ("seed", "stop"))
    if neutral and (unknown or _VALUE.search(words)):
        return Lesson(refused=neutral)
    return Lesson(refused=frozenset(named)) if unknown else None


def hint(sent: Mapping[str, Any], error: EndpointError) -> str:
    """What to do about a refused value, where the refusal names a sampling field."""
    fields = OURS | _FORM
    named = (
        sorted(name for name in fields if name in sent and _names(error.said, name))
        if error.status in _STATUSES
        else []
    )
    if not named:
        return ""

    first = "" if set(named) <= _FORM else "change it in the task's generation:, or "
    return f"; {first}leave it to the server: engine_args: {{omit: [{', '.join(named)}]}}"


def _names(words: str, field: str) -> bool:
    """Whether a text names a field, as it is written or in camel case."""
    first, *more = field.split("_")
    spellings = {field, first + "".join(part.capitalize() for part in more)}
    return any(re.search(rf"(?<![A-Za-z0-9_]){spelling}(?![A-Za-z0-9_])", words) for spelling in spellings)
