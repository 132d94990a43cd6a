"""What the installed vLLM can do, asked of its own classes and not of its version number."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from harness.errors import ModelError

log = logging.getLogger(__name__)

_NEEDED = (
    "max_tokens",
    "temperature",
    "seed",
    "stop",
    "stop_token_ids",
    "ignore_eos",
    "detokenize",
    "prompt_logprobs",
    "logprob_token_ids",
)
LABELS = 128
"""Token ids that one request may ask for where vLLM does not say."""


@dataclass(frozen=True)
class Abilities:
    """``rows``: chosen prompt rows by token id (V2 runner); ``tail``: prompt log-probabilities of
    what the prefix cache does not hold; ``flat``: log-probabilities in flat lists;
    ``shared_params``: sampling parameters need no copy a request; ``labels``: most token ids a
    request may ask for at its last row.
    """

    rows: bool
    tail: bool
    flat: bool
    shared_params: bool
    labels: int = LABELS

    def method(self, wanted: str, forcing: bool, label: str) -> str:
        """How several tokens are scored: the wanted way, else the fastest there is, with a line in
        the log where it is not the best or not the one wanted. ``forcing``: whether tokens can be
        forced.
        """
        there = [
            name
            for name, has in (("rows", self.rows), ("forced", forcing), ("tail", self.tail), ("whole", True))
            if has
        ]
        if wanted == "auto":
            if there[0] != "rows":
                log.info(
                    "%s: continuations of several tokens are scored by %s: this runner has no prompt_logprob_token_ids",
                    label,
                    there[0],
                )
            return there[0]
        if wanted not in there:
            log.warning(
                "%s: this vLLM cannot score by engine_args.multi_token: %s; falling back to %s",
                label,
                wanted,
                there[0],
            )
            return there[0]
        return wanted


def find_abilities(
    fields: Collection[str], outputs: Collection[str], v2_runner: bool, labels: int | None, version: str
) -> Abilities:
    """From the names of ``SamplingParams``' fields and ``RequestOutput``'s, the runner in use and
    the limit of label ids.

    Raises ModelError for a vLLM that lacks what this engine cannot do without.
    """
    missing = [name for name in _NEEDED if name not in fields]
    if missing:
        raise ModelError(
            f"vLLM {version} cannot be used: its SamplingParams has no {', '.join(missing)}; install 0.26 or newer"
        )
    skip = "skip_reading_prefix_cache" in fields
    return Abilities(
        rows=v2_runner
        and skip
        and {"prompt_logprob_token_ids", "prompt_logprob_start"} <= set(fields)
        and "prompt_token_id_logprobs" in outputs,
        tail=skip and "num_cached_tokens" in outputs,
        flat="flat_logprobs" in fields,
        shared_params="skip_clone" in fields,
        labels=labels or LABELS,
    )
