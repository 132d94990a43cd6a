"""The packaged claims, answered once for all tests."""

from __future__ import annotations

import functools

from harness.studies.answer import ClaimAnswer, answer
from harness.studies.claims import claims
from harness.studies.data import Data


@functools.cache
def answers() -> dict[str, ClaimAnswer]:
    return {name: answer(claim, Data(folder=None)) for name, claim in claims().items()}
