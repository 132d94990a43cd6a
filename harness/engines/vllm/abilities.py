"""What the installed vLLM can do, by its own classes and not by its version number."""

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
"""Token ids that one request may report where vLLM does not say."""


@dataclass(frozen=True)
class Abilities:
    """What requests may use.

    ``rows``: chosen prompt rows by token id (V2 runner); ``tail``: prompt log-probabilities of what
    the prefix cache does not hold; ``flat``: log-probabilities in flat lists; ``shared_params``:
    requests may share sampling parameters, without a copy each; ``labels``: most token ids that a
    request may report at its last row.
    """

    rows: bool
    tail: bool
    flat: bool
    shared_params: bool
    labels: int = LABELS

    def method(self, wanted: str, forcing: bool, label: str) -> str:
        """How several tokens are scored: by the wanted method, else the fastest that there is.

        The log says where it is not the best one or not the wanted one. ``forcing``: whether tokens
        can be forced.
        """
        available = [
            name
            for name, has in (("rows", self.rows), ("forced", forcing), ("tail", self.tail), ("whole", True))
            if has
        ]

        # Listed fastest first (docs/vllm.md).
        if wanted == "auto":
            if available[0] != "rows":
                log.info(
                    "%s: continuations of several tokens are scored by %s: "
                    "this runner has no prompt_logprob_token_ids",
                    label,
                    available[0],
                )
            return available[0]

        if wanted not in available:
            log.warning(
                "%s: this vLLM cannot score by engine_args.multi_token: %s; falling back to %s",
                label,
                wanted,
                available[0],
            )
            return available[0]
        return wanted


def find_abilities(
    fields: Collection[str], outputs: Collection[str], v2_runner: bool, labels: int | None, version: str
) -> Abilities:
    """Abilities by the names of ``SamplingParams``' fields and of ``RequestOutput``'s.

    ``v2_runner``: whether the V2 runner is in use; ``labels``: vLLM's limit of label ids. Raises
    ModelError for a vLLM that lacks what this engine cannot do without.
    """
    missing = [name for name in _NEEDED if name not in fields]
    if missing:
        raise ModelError(
            f"vLLM {version} cannot be used: its SamplingParams has no {', '.join(missing)}; "
            "install 0.26 or newer"
        )

    # Without this field vLLM reads no cache where prompt log-probabilities are requested.
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
