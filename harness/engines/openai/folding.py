"""How a server says that its template takes no system message; `harness.engines.folding` brings
them in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REFUSED = re.compile(
    r"roles? must alternate|alternat\w+ (between )?user"
    r"|system[ _-]?(role|message|prompt|instruction)s?\b[^.]{0,60}\b(not|isn't|aren't|no)\b"
    r"|(not|n't) (support|allow|accept|permit)\w* (the |a )?['\"`]?system"
    r"|developer instruction is not enabled|only [^.]{0,30}user[^.]{0,30}assistant"
    r"|不支持[^。]{0,10}system|system[^。]{0,10}不支持",
    re.IGNORECASE,
)
"""Words of Gemma's, Mistral's and others' templates about a system message."""


def has_system(messages: Any) -> bool:
    """Whether a request's messages hold an instruction of the system role."""
    return isinstance(messages, list) and any(
        isinstance(one, Mapping) and one.get("role") == "system" for one in messages
    )
