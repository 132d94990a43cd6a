"""A logits processor that makes vLLM write given tokens, so that its sampler reports them.

Imported by vLLM in the process of its model runner. A request asks for it by
``extra_args={"harness_force": [ids]}``. Log-probabilities and ranks are taken from the logits as
they were before (vLLM's ``raw_logprobs`` mode, its default), so forcing does not change them.
"""

from __future__ import annotations

from typing import Any

import torch
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor

from harness.engines.vllm.logprobs import FORCE


class Forced(LogitsProcessor):  # type: ignore[misc]
    """Writes the tokens that a request names, one per step; other requests are left alone."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        # By row of the batch: tokens to write, and tokens written so far (vLLM's own list, which
        # it extends).
        self._rows: dict[int, tuple[list[int], list[int]]] = {}

    def is_argmax_invariant(self) -> bool:
        """It decides the argmax."""
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follows the requests through the rows of the batch."""
        from vllm.v1.sample.logits_processor.builtin import process_dict_updates

        process_dict_updates(self._rows, batch_update, _forced_tokens)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Puts the largest number there is on each row's next token, in place.

        logits are [batch, vocabulary].
        """
        chosen = [
            (row, tokens[len(output)])
            for row, (tokens, output) in self._rows.items()
            if len(output) < len(tokens)
        ]

        # A finite number: the sampler's softmax makes NaN of an infinite logit.
        if chosen:
            rows, columns = zip(*chosen, strict=True)
            logits[list(rows), list(columns)] = torch.finfo(logits.dtype).max
        return logits


def _forced_tokens(
    params: Any, prompt: list[int] | None, written: list[int]
) -> tuple[list[int], list[int]] | None:
    """What to remember of a new request; None for one that forces nothing."""
    tokens = (params.extra_args or {}).get(FORCE)
    return None if tokens is None else (tokens, written)
