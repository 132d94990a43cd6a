"""A server's own words for why it does not answer, whatever their form, also where it says them
under HTTP 200.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BROKEN_OFF = frozenset(
    {
        "error",
        "insufficient_system_resource",
        "network_error",
        "abort",
        "aborted",
        "cancelled",
        "engine_overloaded",
    }
)
"""Reasons for an end that are no end: vLLM's, DeepSeek's, Zhipu's, OpenRouter's.

The answer is a part of one, and is asked for again.
"""
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses that may pass (520 to 529 are proxies' words for a server that is away or
overloaded).
"""
_PASSES = re.compile(
    r"rate.?limit|too many requests|try again|retry|overload|over capacity|temporar|unavailable|time.?d? ?out"
    r"|server.?error|internal.?error|busy"
    r"|繁忙|稍后|稍候|限流|频率|超时|重试|过载",
    re.IGNORECASE,
)
_LASTS = re.compile(
    r"insufficient_quota|insufficient.balance|invalid_api_key|authentication|unauthori[sz]ed|model_not_found",
    re.IGNORECASE,
)
_MESSAGES = (
    *(
        "message",
        "msg",
        "error_msg",
        "errmsg",
        "status_msg",
        "error_description",
        "error_message",
        "errormessage",
    ),
    *("detail", "errors", "error", "reason", "title"),
)
_CODES = ("code", "error_code", "errcode", "status_code", "status")
_SOUND = frozenset({"", "0", "200", "success", "ok", "none"})


@dataclass(frozen=True)
class Complaint:
    """What went wrong, in the server's words.

    ``status``: the HTTP status that it names inside; ``wait``: seconds that it asks for.
    ``passing``: the same request may be answered later. ``lasting``: no other request would be
    answered either.
    """

    text: str
    status: int | None
    passing: bool
    lasting: bool
    wait: float | None


def words_of(data: Any) -> str:
    """``code: message`` of an error in any of the usual forms; "" where there are no words."""
    if isinstance(data, str):
        return data.strip()
    if isinstance(data, list):
        return "; ".join(filter(None, map(words_of, data)))
    if not isinstance(data, Mapping):
        return ""
    # pydantic's form: where, and what is wrong there
    if isinstance(data.get("loc"), list) and "msg" in data:
        return f"{'.'.join(map(str, data['loc']))}: {data['msg']}"

    # Servers wrap errors in errors, so the words are looked for from the inside out.
    data = _lower(data)
    inner = _inner(data)
    if inner is not None:
        return words_of(inner)

    message = next((words for name in _MESSAGES if (words := words_of(data.get(name)))), "")
    code = next(
        (str(data[name]) for name in _CODES if isinstance(data.get(name), str | int) and data[name]), ""
    )
    parameter = data.get("param") or data.get("field")
    where = f" ({parameter})" if isinstance(parameter, str) and message and parameter not in message else ""
    return ": ".join(part for part in (code, message) if part) + where


def complaint_of(data: Any, wanted: str | None) -> Complaint | None:
    """The complaint in the body of an answer with HTTP 200; None where it is an answer.

    ``wanted``: the field that an answer must have; a body that has it is a complaint only where it
    also names an error.
    """
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if isinstance(data, str) and wanted is not None:
        data = {"error": data or "an empty text"}
    if not isinstance(data, Mapping):
        return None
    error = _complaining(_lower(data), wanted)
    if error is None:
        return None

    text, status = words_of(error) or "an error without words", _status(error)
    lasting = bool(_LASTS.search(text)) or status in (401, 402, 403)
    passing = not lasting and (status in AGAIN if status else bool(_PASSES.search(f"{text} {_kind(error)}")))
    return Complaint(text, status, passing, lasting, _wait(error))


def _complaining(data: Mapping[str, Any], wanted: str | None) -> Any:
    """The part that complains."""
    if (
        data.get("error")
        or data.get("object") == "error"
        or (_inner(data) is not None and wanted is not None and not data.get(wanted))
    ):
        return data

    # Some servers put the error into the choice that it broke.
    choices = data.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(first, Mapping):
        if first.get("error"):
            return first
        finish = first.get("finish_reason")
        if isinstance(finish, str) and finish.lower() in BROKEN_OFF:
            return {"message": f"the answer broke off ({finish}); try again"}

    inner = data.get("base_resp")  # MiniMax's
    if isinstance(inner, Mapping) and str(inner.get("status_code", 0)).lower() not in _SOUND:
        return data
    if wanted is None or data.get(wanted):
        return None
    named = any(
        str(data[name]).lower() not in _SOUND for name in _CODES if isinstance(data.get(name), str | int)
    )
    return data if named or any(words_of(data.get(name)) for name in _MESSAGES) else None


def _lower(data: Mapping[str, Any]) -> dict[str, Any]:
    """With names in lower case: some write ``Error`` and ``Message``."""
    return {str(name).lower(): value for name, value in data.items()}


def _inner(data: Mapping[str, Any]) -> Any:
    """What an error is wrapped in, where it is wrapped in anything."""
    wrapped = next((data[name] for name in ("error", "base_resp", "response") if data.get(name)), None)
    return wrapped if isinstance(wrapped, Mapping | list) else None


def _parts(error: Any) -> list[Mapping[str, Any]]:
    """The mapping and the error inside it, the inner first."""
    parts = []
    while isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, Mapping):
        error = _lower(error)
        inner = _inner(error)
        parts = [error] if inner is None else [*_parts(inner), error]
    return parts


def _status(error: Any) -> int | None:
    for part in _parts(error):
        for name in _CODES:
            value = str(part.get(name, ""))
            if re.fullmatch(r"[45]\d\d", value):
                return int(value)
    return None


def _kind(error: Any) -> str:
    """The error's kind and code, where a message says nothing of them."""
    return " ".join(
        str(part[name])
        for part in _parts(error)
        for name in ("type", *_CODES)
        if isinstance(part.get(name), str)
    )


def _wait(error: Any) -> float | None:
    for part in _parts(error):
        value = part.get("retry_after")
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6:
            return float(value)
    return None
